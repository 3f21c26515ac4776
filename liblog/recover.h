/* SPDX-License-Identifier: MIT */
/* Recovery: what a new writer does before it shows anything. */
#ifndef MAPLOG_RECOVER_H
#define MAPLOG_RECOVER_H

#include "private.h"

/**
 * recover() - bring a log in order
 *
 * The caller holds the lock of the log, and no reader goes by its counters
 * yet. Afterwards the table has all segments, log->active is the one to append
 * to or NULL on a full disk, and log->tail is the end: everything below it is
 * durable.
 *
 * Return: 0; -EIO if the tail can be neither read nor made durable; -ENOMEM;
 * else an -errno of the system.
 */
int recover(struct maplog *log);

#endif
