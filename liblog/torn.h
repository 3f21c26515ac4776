/* SPDX-License-Identifier: MIT */
/*
 * Torn tails: cutting off what a crash left half-written, and keeping it.
 *
 * A .torn file begins with one line of text that says what follows: records,
 * then payload. Segments that hold nothing good become .torn as they are.
 */
#ifndef MAPLOG_TORN_H
#define MAPLOG_TORN_H

#include "segment.h"

/**
 * torn_cut() - overwrite by zeros what lies behind the last good entry
 * @segment: its used and count are those of the good entries
 * @bytes:   out: size of what was kept in a .torn file, 0 if there was nothing
 *
 * A disk that is too full to keep it does not keep the log from opening.
 *
 * Return: 0, or an -errno of reading or writing.
 */
int torn_cut(int dirfd, mode_t mode, struct segment *segment, uint64_t *bytes);

/**
 * torn_set_aside() - rename the .log of a segment that holds nothing good
 * @bytes: out: its size, 0 if it was empty and is removed
 */
int torn_set_aside(int dirfd, uint64_t base, uint64_t *bytes);

#endif
