/* SPDX-License-Identifier: MIT */
/*
 * Metrics: what a writer has done since it opened the log. A part of log.h,
 * which includes it.
 */
#ifndef MAPLOG_METRICS_H
#define MAPLOG_METRICS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct maplog;

#define MAPLOG_BUCKETS 20

/*
 * How often a value was seen. Bucket i counts values up to `unit << i` that
 * are in no bucket before it, and the last one, the MAPLOG_BUCKETS-th, all that
 * are larger.
 */
struct maplog_histogram {
	uint64_t unit;
	uint64_t sum; /* of all values */
	uint64_t count[MAPLOG_BUCKETS + 1];
};

struct maplog_metrics {
	uint64_t appends; /* batches */
	uint64_t entries; /* of them together */
	uint64_t bytes;	  /* likewise */
	uint64_t errors;  /* appends that failed; a stale index is no failure */
	struct maplog_histogram batch; /* entries a batch */
	struct maplog_histogram sync;  /* nanoseconds an fdatasync */
};

/**
 * maplog_metrics() - what this writer has done so far
 * @metrics: out: nothing is counted while the log is open for reading
 *
 * Takes no lock: numbers may be of moments that are a few appends apart.
 */
void maplog_metrics(struct maplog *log, struct maplog_metrics *metrics);

#ifdef __cplusplus
}
#endif

#endif
