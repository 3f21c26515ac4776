/* SPDX-License-Identifier: MIT */
/* Changes that were decided, but perhaps not finished. */
#ifndef MAPLOG_PENDING_H
#define MAPLOG_PENDING_H

#include "private.h"

/**
 * pending_finish() - finish the truncation or trim that a crash came into
 *
 * By a new writer, before it looks at the segments. What was only prepared for
 * a change goes.
 *
 * Return: 0; else an -errno of the system, and it can be done again.
 */
int pending_finish(struct maplog *log);

#endif
