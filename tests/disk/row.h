/* SPDX-License-Identifier: MIT */
/*
 * Rows of steps on a log, as chance gives them, done on the disk of a rig;
 * what the log must hold after each; and what of that a power cut leaves.
 */
#ifndef DISK_ROW_H
#define DISK_ROW_H

#include "../unit/expect.h"

#define ROW_STEPS 24

/* The log, in the root directory of the file system. */
#define LOG "log"

struct row {
	struct step step[ROW_STEPS];
	unsigned steps;
	struct model after[ROW_STEPS + 1];
	unsigned floor[ROW_STEPS + 1]; /* durable when so many are done */
	bool always;		       /* what is acknowledged is durable */
};

void row_toss(struct row *row, unsigned steps, const char *sync, uint64_t seed);

/** row_create() - make the log of a row, and mark "done 0" */
void row_create(const struct row *row);

/** row_do() - do a step, with a mark when it is done
 * @log: is closed and opened by STEP_REOPEN; NULL if that failed
 *
 * Return: what the library said.
 */
int row_do(const struct row *row, unsigned n, struct maplog **log);

#endif
