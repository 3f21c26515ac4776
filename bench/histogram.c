/* SPDX-License-Identifier: MIT */
/* A histogram of durations: see histogram.h. */
#include "histogram.h"

#include <stdio.h>

#include "harness.h"

#define HALF (UINT64_C(1) << HISTOGRAM_BITS)

/* The middle of a bucket. Those of shift 0 hold one value each. */
static uint64_t middle(unsigned bucket)
{
	unsigned shift = bucket >> HISTOGRAM_BITS;
	uint64_t low = bucket & (HALF - 1);

	if (!shift)
		return low;
	/* A value of 7 bits or more was counted one row up: see the adding. */
	shift--;
	return ((low + HALF) << shift) + ((UINT64_C(1) << shift) >> 1);
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->bucket[i] += from->bucket[i];
	histogram->n += from->n;
	if (from->max > histogram->max)
		histogram->max = from->max;
}

uint64_t histogram_at(const struct histogram *histogram, double part)
{
	double wanted = part * (double)histogram->n;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen && (double)seen >= wanted)
			return middle(i) < histogram->max ? middle(i)
							  : histogram->max;
	}
	return histogram->max;
}

void histogram_emit(const struct histogram *histogram, const char *name,
		    const char *unit, double scale)
{
	static const struct {
		const char *name;
		double part;
	} points[] = {
		{ "p50", 0.5 },
		{ "p99", 0.99 },
		{ "p99.9", 0.999 },
		{ "p99.99", 0.9999 },
	};
	char metric[80];

	for (unsigned i = 0; i < sizeof(points) / sizeof(*points); i++) {
		/* A percentile of a few values would be their maximum. */
		if ((double)histogram->n * (1 - points[i].part) < 1)
			break;
		snprintf(metric, sizeof(metric), "%s%s%s", name,
			 *name ? " " : "", points[i].name);
		emit(metric, unit,
		     (double)histogram_at(histogram, points[i].part) / scale);
	}
	snprintf(metric, sizeof(metric), "%s%smax", name, *name ? " " : "");
	emit(metric, unit, (double)histogram->max / scale);
}

void histogram_emit_curve(const struct histogram *histogram, const char *unit,
			  double scale)
{
	char metric[80];
	double rest = 1;

	/* Even steps of the logarithm of what is left: nines. */
	while (rest * (double)histogram->n >= 1) {
		snprintf(metric, sizeof(metric), "at:%.9g", 1 - rest);
		emit(metric, unit,
		     (double)histogram_at(histogram, 1 - rest) / scale);
		rest *= 0.794328;
	}
}
