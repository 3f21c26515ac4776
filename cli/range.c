/* SPDX-License-Identifier: MIT */
/* Ranges of entries as people write them: I, A-B, A- and -N. */
#include "range.h"

#include <errno.h>

#include "number.h"

bool range_parse(const char *text, struct range *range)
{
	if (*text == '-') {
		*range = (struct range){ .kind = RANGE_LAST };
		return number_parse(text + 1, &range->a);
	}
	*range = (struct range){ .kind = RANGE_BETWEEN };
	text = number_scan(text, &range->a);
	if (!text)
		return false;
	range->b = range->a;
	if (!*text)
		return true;
	if (*text++ != '-')
		return false;
	if (*text)
		return number_parse(text, &range->b) && range->a <= range->b;
	range->kind = RANGE_FROM;
	return true;
}

static int refuse(uint64_t index, int ret, uint64_t *bad)
{
	*bad = index;
	return ret;
}

int range_resolve(const struct range *range,
		  const struct maplog_counters *counters, uint64_t *from,
		  uint64_t *end, uint64_t *bad)
{
	uint64_t held = counters->next - counters->first;
	uint64_t count = range->a < held ? range->a : held;

	*end = counters->next;
	*from = range->kind == RANGE_LAST ? counters->next - count : range->a;
	if (*from > counters->next)
		return refuse(*from, -ENODATA, bad);
	if (*from < counters->first)
		return refuse(*from, -ENOENT, bad);
	if (range->kind != RANGE_BETWEEN)
		return 0;
	if (range->b >= counters->next)
		return refuse(range->b, -ENODATA, bad);
	*end = range->b + 1;
	return 0;
}
