/* SPDX-License-Identifier: MIT */
/* Samples: what is known of a log at one moment, for `maplog stat`. */
#ifndef MAPLOG_CLI_SAMPLE_H
#define MAPLOG_CLI_SAMPLE_H

#include <stdint.h>

#include "log.h"

struct sample {
	uint64_t at; /* nanoseconds, on the monotonic clock */
	struct maplog_status status;
	const char *state; /* one word */
	uint64_t disk;
	uint64_t lag; /* of the named reader that is behind the others */
	/* Since the log was opened for writing, through a mount; else 0. */
	double sync_seconds; /* in all syncs */
	double syncs;
};

/**
 * sample_take() - look at a log, which stays open in @log
 * @log:     NULL at first: it is opened
 * @metrics: what .maplog/metrics of the mount says, or NULL
 * @name:    of the log, in there
 *
 * Return: 0, or an -errno of opening it.
 */
int sample_take(const char *path, struct maplog **log, const char *metrics,
		const char *name, struct sample *sample);

/* What happened between two samples, each second. */
struct rate {
	double entries;
	double bytes;
	double sync; /* seconds that a sync took; negative: there was none */
};

void sample_rate(const struct sample *before, const struct sample *now,
		 struct rate *rate);

#endif
