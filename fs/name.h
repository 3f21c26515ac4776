/* SPDX-License-Identifier: MIT */
/* Names in the tree: what they stand for, and how they are written. */
#ifndef MAPLOG_FS_NAME_H
#define MAPLOG_FS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node.h"

/* The longest: two indexes, a dash, a suffix, a zero byte. */
#define NAME_SIZE 48

/* The form of a range's name; only then it is looked at which entries are. */
struct name_range {
	bool last;	/* "-N": the last N */
	bool open;	/* "A-": to the end */
	bool index;	/* ".idx": the boundaries */
	uint64_t first; /* or N */
	uint64_t end;	/* B, included */
};

/** name_number() - a whole decimal number without leading zeros */
bool name_number(const char *text, uint64_t *number);

/** name_is_log() - whether a log may have this name */
bool name_is_log(const char *name);

/** name_in_log() - one of the files and directories of every log
 * @first: out: for follow@I, I; for follow, NODE_TO_THE_END; else 0
 */
bool name_in_log(const char *name, enum node_kind *kind, uint64_t *first);

/** name_segment() - 20 digits, .log or .idx */
bool name_segment(const char *name, enum node_kind *kind, uint64_t *base);

/** name_range() - "A-B", "A-" or "-N", perhaps with ".idx" */
bool name_range(const char *name, struct name_range *range);

/**
 * name_moment() - a point in time, perhaps with ".idx"
 * @now: nanoseconds since 1970
 * @index: out: whether it is the boundaries
 *
 * Return: false if it is none, or later than @now: the entries from then on
 * are not yet known.
 */
bool name_moment(const char *name, uint64_t now, uint64_t *moment, bool *index);

/**
 * name_of() - the name of a node in its directory, and what that is
 * @parent: out: key of the directory
 *
 * Return: false for the root, logs, and what has more than one name.
 */
bool name_of(const struct node_key *key, char name[NAME_SIZE],
	     struct node_key *parent);

/**
 * name_fixed() - the n-th name that is listed in every log
 *
 * Return: NULL when @n is past the last.
 */
const char *name_fixed(size_t n);

#endif
