/* SPDX-License-Identifier: MIT */
/*
 * One writer: an flock(2) on the log's directory, which needs no file of its
 * own, follows the directory when it is renamed, and goes with the process.
 */
#ifndef MAPLOG_LOCK_H
#define MAPLOG_LOCK_H

#include <stdbool.h>

/**
 * lock_take() - become the writer, until @dirfd is closed
 *
 * Return: 0; -EBUSY if there is one; else the -errno of flock(2).
 */
int lock_take(int dirfd);

/** lock_drop() - not be the writer any more */
void lock_drop(int dirfd);

/** lock_is_held() - whether some process, or this one, is the writer */
bool lock_is_held(int dirfd);

#endif
