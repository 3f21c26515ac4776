/* SPDX-License-Identifier: MIT */
/* Publishing: what readers are shown, and waking those who wait for it. */
#ifndef MAPLOG_PUBLISH_H
#define MAPLOG_PUBLISH_H

#include "private.h"

/** publish_now() - the clock that entries are stamped with */
uint64_t publish_now(void);

/**
 * publish_tail() - show all entries that were written
 * @time: publish_now() of a moment ago
 *
 * With the lock on writing held, as for all functions here.
 */
void publish_tail(struct maplog *log, uint64_t time);

/** publish_active() - show a new active segment; NULL: there is none */
void publish_active(struct maplog *log, const struct segment *segment);

/** publish_durable() - show that entries are durable */
void publish_durable(struct maplog *log, uint64_t durable);

/** publish_truncation() - show that all entries from @index on are gone, and
 * that those before it are durable
 */
void publish_truncation(struct maplog *log, uint64_t index);

/** publish_wake() - wake everybody who waits; no lock needed */
void publish_wake(struct maplog *log);

#endif
