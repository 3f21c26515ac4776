/* SPDX-License-Identifier: MIT */
/* The meter: counts what a writer does, for maplog_metrics(). */
#ifndef MAPLOG_METER_H
#define MAPLOG_METER_H

#include <stdint.h>

#include "log.h"

/* All counters are atomic: they are read at any time, without a lock. */

void meter_init(struct maplog_metrics *metrics);

/** meter_append() - a batch was appended; one thread at a time */
void meter_append(struct maplog_metrics *metrics, uint64_t entries,
		  uint64_t bytes);

/** meter_error() - an append failed; any thread */
void meter_error(struct maplog_metrics *metrics);

/** meter_now() - a clock that never goes back, in nanoseconds */
uint64_t meter_now(void);

/** meter_sync() - the device took so many nanoseconds; any thread */
void meter_sync(struct maplog_metrics *metrics, uint64_t nanoseconds);

#endif
