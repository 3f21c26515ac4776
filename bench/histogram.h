/* SPDX-License-Identifier: MIT */
/*
 * A histogram of durations: exact to 1%, cheap to add to, of a fixed size.
 *
 * Each power of two is divided into 64 buckets, so the tail of 10^8 values is
 * kept without keeping the values.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS	  6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
	uint64_t n;
	uint64_t max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/** histogram_add() - count a duration */
static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
	int shift = 63 - HISTOGRAM_BITS -
		    __builtin_clzll(value | (1 << HISTOGRAM_BITS));

	histogram->n++;
	if (value > histogram->max)
		histogram->max = value;
	histogram->bucket[((uint64_t)shift << HISTOGRAM_BITS) +
			  (value >> shift)]++;
}

/** histogram_merge() - add all that @from has counted */
void histogram_merge(struct histogram *histogram, const struct histogram *from);

/** histogram_at() - the value below which a @part (0 to 1) of them are */
uint64_t histogram_at(const struct histogram *histogram, double part);

/** histogram_emit() - print p50, p99, p99.9, p99.99 and max, in @unit
 * @name: what was measured, before each of them; may be empty
 * @scale: nanoseconds in a unit
 */
void histogram_emit(const struct histogram *histogram, const char *name,
		    const char *unit, double scale);

/** histogram_emit_curve() - print the curve for a plot, as metrics at:PART */
void histogram_emit_curve(const struct histogram *histogram, const char *unit,
			  double scale);

#endif
