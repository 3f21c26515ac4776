/* SPDX-License-Identifier: MIT */
/* The meter: counts what a writer does, for maplog_metrics(). */
#include "meter.h"

#include <assert.h>
#include <time.h>

#include "private.h"

/* A flash device without a queue needs about 50 us, a busy disk seconds: the
 * buckets go from 16 us to 8 s. */
#define SYNC_SHIFT 14

static_assert(sizeof(struct maplog_metrics) % sizeof(uint64_t) == 0,
	      "is copied by words");

void meter_init(struct maplog_metrics *metrics)
{
	*metrics = (struct maplog_metrics){
		.batch.unit = 1,
		.sync.unit = 1 << SYNC_SHIFT,
	};
}

/* Cheaper than an atomic addition, where one thread adds at a time. */
static void add_alone(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter,
			 __atomic_load_n(counter, __ATOMIC_RELAXED) + value,
			 __ATOMIC_RELAXED);
}

static void add(uint64_t *counter, uint64_t value)
{
	__atomic_fetch_add(counter, value, __ATOMIC_RELAXED);
}

/* The bucket of a value, with buckets that end at 1, 2, 4, ... << @shift. */
static unsigned bucket_of(uint64_t value, unsigned shift)
{
	uint64_t above = value ? (value - 1) >> shift : 0;
	unsigned bucket = above ? 64 - (unsigned)__builtin_clzll(above) : 0;

	assert(!above || bucket);

	return bucket < MAPLOG_BUCKETS ? bucket : MAPLOG_BUCKETS;
}

void meter_append(struct maplog_metrics *metrics, uint64_t entries,
		  uint64_t bytes)
{
	/* How many there were altogether the buckets tell, too. */
	add_alone(&metrics->bytes, bytes);
	add_alone(&metrics->batch.sum, entries);
	add_alone(&metrics->batch.count[bucket_of(entries, 0)], 1);
}

void meter_error(struct maplog_metrics *metrics)
{
	add(&metrics->errors, 1);
}

uint64_t meter_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void meter_sync(struct maplog_metrics *metrics, uint64_t nanoseconds)
{
	struct maplog_histogram *sync = &metrics->sync;

	assert(sync->unit == 1 << SYNC_SHIFT);

	add(&sync->sum, nanoseconds);
	add(&sync->count[bucket_of(nanoseconds, SYNC_SHIFT)], 1);
}

void maplog_metrics(struct maplog *log, struct maplog_metrics *metrics)
{
	const uint64_t *from = (const uint64_t *)&log->metrics;
	uint64_t *to = (uint64_t *)metrics;

	for (size_t i = 0; i < sizeof(*metrics) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	metrics->entries = metrics->batch.sum;
	for (int i = 0; i <= MAPLOG_BUCKETS; i++)
		metrics->appends += metrics->batch.count[i];
}
