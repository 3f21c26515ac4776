/* SPDX-License-Identifier: MIT */
/* Samples: what is known of a log at one moment, for `maplog stat`. */
#include "sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "retain.h"
#include "state.h"

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The value of a metric of one log, 0 if there is none. */
static double find_metric(const char *metrics, const char *metric,
			  const char *name)
{
	char line[512];
	const char *found;

	snprintf(line, sizeof(line), "\n%s{log=\"%s\"} ", metric, name);
	found = metrics ? strstr(metrics, line) : NULL;
	return found ? strtod(found + strlen(line), NULL) : 0;
}

static uint64_t find_lag(struct maplog *log, uint64_t next)
{
	struct maplog_reader_info *list;
	uint64_t lag = 0;
	size_t count;

	if (maplog_reader_list(log, &list, &count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (list[i].next < next && next - list[i].next > lag)
			lag = next - list[i].next;
	}
	free(list);
	return lag;
}

int sample_take(const char *path, struct maplog **log, const char *metrics,
		const char *name, struct sample *sample)
{
	struct maplog_retention retention = { .disk = 0 };
	int ret = 0;

	if (!*log)
		ret = maplog_open(AT_FDCWD, path, MAPLOG_READ, log);
	if (ret)
		return ret;
	*sample = (struct sample){ .at = monotonic() };
	ret = maplog_status(*log, &sample->status);
	(void)maplog_retention(*log, &retention);
	sample->state = ret ? "damaged" : state_name(*log, &sample->status);
	sample->disk = retention.disk;
	sample->lag = find_lag(*log, sample->status.counters.next);
	sample->sync_seconds =
		find_metric(metrics, "maplog_sync_seconds_sum", name);
	sample->syncs = find_metric(metrics, "maplog_sync_seconds_count", name);
	return 0;
}

void sample_rate(const struct sample *before, const struct sample *now,
		 struct rate *rate)
{
	const struct maplog_status *old = &before->status;
	const struct maplog_status *new = &now->status;
	double seconds = (double)(now->at - before->at) / 1e9;
	double syncs = now->syncs - before->syncs;

	*rate = (struct rate){ .sync = -1 };
	if (seconds <= 0)
		return;
	/* What was truncated or dropped meanwhile was not appended. */
	if (new->counters.next > old->counters.next)
		rate->entries =
			(double)(new->counters.next - old->counters.next) /
			seconds;
	if (new->bytes > old->bytes)
		rate->bytes = (double)(new->bytes - old->bytes) / seconds;
	if (syncs > 0)
		rate->sync = (now->sync_seconds - before->sync_seconds) / syncs;
}
