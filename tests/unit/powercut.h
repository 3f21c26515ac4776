/* SPDX-License-Identifier: MIT */
/*
 * Power cuts in rows of operations: what was acknowledged is there afterwards,
 * what was under way happened or did not. Then it goes round again: recovery
 * is cut, and what was appended after it, several times deep.
 */
#ifndef UNIT_POWERCUT_H
#define UNIT_POWERCUT_H

#include <stdint.h>

#include "disk.h"

/* What a row is made of. Batches are of two entries. */
enum op {
	OP_APPEND_BYTE,
	OP_APPEND_PAGE,	   /* across the end of a page */
	OP_APPEND_SEGMENT, /* across that of a segment */
	OP_TRUNCATE_MIDDLE,
	OP_TRUNCATE_BOUNDARY, /* to where the last segment begins */
	OP_TRUNCATE_ALL,
	OP_OVERWRITE,
	OP_TRIM,
	OP_SYNC,
	OP_SEAL,
	OP_REOPEN,
	OPS
};

#define POWERCUT_STEPS 16

struct row {
	enum op op[POWERCUT_STEPS];
	unsigned steps;
	unsigned from;	  /* steps before this one are not cut */
	unsigned refused; /* steps, a bit each, before which an append is
			   * refused: there is no room for a segment */
	unsigned filled;  /* likewise, those that append across a segment and
			   * fill another one */
	struct plan plan; /* of the first cuts */
	unsigned deep;	  /* how often recovery is cut again, at most */
	unsigned deep_one_in; /* cuts that this is done with, by chance */
	unsigned harm_one_in; /* of the others, those after which an entry is
			       * damaged; 0: none */
	uint64_t seed;
};

/** powercut_prepare() - make the log that every row begins with
 * @sync: its policy
 *
 * A sealed segment, and an active one that is nearly full.
 */
void powercut_prepare(const char *sync);

/** powercut_run() - run a row, and check all that a power cut may leave
 *
 * Return: how many states were checked.
 */
uint64_t powercut_run(const struct row *row);

/** powercut_toss() - a long row as chance gives it */
void powercut_toss(struct row *row, uint64_t seed);

/** powercut_end() - free what powercut_prepare() made */
void powercut_end(void);

#endif
