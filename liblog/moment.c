/* SPDX-License-Identifier: MIT */
/* Moments: points in time as people write them, and the entry found there. */
#include "moment.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "io.h"
#include "options.h"
#include "record.h"

#define SEC UINT64_C(1000000000)

/* What a record has room for, in whole seconds. */
#define SECONDS_MAX ((time_t)(INT64_MAX / (int64_t)SEC) - 1)

/* ---- Text ---- */

/* Takes @n digits and what must stand behind them, one of @ends. */
static bool take(const char **text, int n, const char *ends, int *number)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		char digit = *(*text)++;

		if (digit < '0' || digit > '9')
			return false;
		value = value * 10 + (digit - '0');
	}
	*number = value;
	if (!*ends)
		return true;
	return **text && strchr(ends, *(*text)++);
}

static bool take_date(const char **text, struct tm *tm)
{
	return take(text, 4, "-", &tm->tm_year) &&
	       take(text, 2, "-", &tm->tm_mon) &&
	       take(text, 2, "Tt", &tm->tm_mday) &&
	       take(text, 2, ":", &tm->tm_hour) &&
	       take(text, 2, ":", &tm->tm_min) &&
	       take(text, 2, "", &tm->tm_sec);
}

/* ".5": what is finer than a nanosecond is read and left out. */
static bool take_fraction(const char **text, uint64_t *nsec)
{
	uint64_t unit = SEC;

	*nsec = 0;
	if (**text != '.')
		return true;
	++*text;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		unit /= 10;
		*nsec += unit * (uint64_t)(**text - '0');
	}
	return true;
}

/* "Z" or "+01:00", in minutes. */
static int take_offset(const char *text, int *minutes)
{
	bool west = *text == '-';
	int hour;
	int minute;

	*minutes = 0;
	if ((*text == 'Z' || *text == 'z') && !text[1])
		return 0;
	if (*text != '+' && *text != '-')
		return -EINVAL;
	text++;
	if (!take(&text, 2, ":", &hour) || !take(&text, 2, "", &minute) ||
	    *text)
		return -EINVAL;
	if (hour > 23 || minute > 59)
		return -ERANGE;
	*minutes = (hour * 60 + minute) * (west ? -1 : 1);
	return 0;
}

/* Months have their days, and a leap second is the one behind it. */
static bool is_in_calendar(const struct tm *tm)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };
	int year = tm->tm_year;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 ||
	    tm->tm_mday > days[tm->tm_mon - 1])
		return false;
	if (tm->tm_mon == 2 && tm->tm_mday == 29 && !leap)
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

static int parse_date(const char *text, uint64_t *moment)
{
	struct tm tm = { 0 };
	uint64_t nsec;
	int minutes;
	time_t time;
	int ret;

	if (!take_date(&text, &tm) || !take_fraction(&text, &nsec))
		return -EINVAL;
	ret = take_offset(text, &minutes);
	if (ret)
		return ret;
	if (!is_in_calendar(&tm))
		return -ERANGE;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	time = timegm(&tm) - (time_t)minutes * 60;
	if (time < 0 || time > SECONDS_MAX)
		return -ERANGE;
	assert(nsec < SEC);
	*moment = (uint64_t)time * SEC + nsec;
	return 0;
}

int maplog_moment_parse(const char *text, uint64_t now, uint64_t *moment)
{
	uint64_t ago;
	int ret;

	if (strpbrk(text, "-:"))
		return parse_date(text, moment);
	ret = options_parse_time(text, &ago);
	/* Longer ago than can be counted is before any entry. */
	if (ret && ret != -ERANGE)
		return ret;
	*moment = ret || ago > now ? 0 : now - ago;
	return 0;
}

/* ---- Finding ---- */

/* The time of one entry; -EUCLEAN if that cannot be read. */
static int read_time(struct maplog *log, uint64_t index, uint64_t *time)
{
	struct maplog_view view;
	int ret;

	ret = maplog_view(log, index, 1, &view);
	if (ret)
		return ret;
	ret = io_populate(view.records, sizeof(*view.records), false);
	if (!ret)
		*time = record_time(view.records);
	maplog_view_release(&view);
	return ret == -EIO ? -EUCLEAN : ret;
}

/* Likewise; where it is damaged, of one before it, which soon is far off: a
 * segment that cannot be used has very many. */
static int time_of(struct maplog *log, uint64_t first, uint64_t index,
		   uint64_t *time)
{
	uint64_t back = 1;
	int ret;

	assert(first <= index);

	while ((ret = read_time(log, index, time)) == -EUCLEAN) {
		if (index - first < back) {
			*time = 0;
			return 0;
		}
		index -= back;
		back *= 2;
	}
	return ret;
}

static int find(struct maplog *log, uint64_t moment, uint64_t *index)
{
	struct maplog_counters now;
	uint64_t step = 1;
	uint64_t high;
	uint64_t low;

	maplog_counters(log, &now);
	low = now.first;
	high = now.next;
	/* All below low are older, none from high on is. Most look for what is
	 * new: in growing steps from the end, then by halves. */
	while (low < high) {
		uint64_t left = high - low;
		uint64_t at = step < left ? high - step : low + left / 2;
		uint64_t time;
		int ret;

		ret = time_of(log, now.first, at, &time);
		if (ret)
			return ret;
		if (time < moment) {
			low = at + 1;
			step = UINT64_MAX;
		} else {
			high = at;
			step = step > UINT64_MAX / 2 ? step : step * 2;
		}
	}
	assert(low == high);
	*index = low;
	return 0;
}

int maplog_moment_find(struct maplog *log, uint64_t moment, uint64_t *index)
{
	struct maplog_counters before;
	struct maplog_counters after;
	uint64_t found = 0;
	int ret;

	/* Truncated or trimmed meanwhile: it may be another log. */
	do {
		maplog_counters(log, &before);
		ret = find(log, moment, &found);
		maplog_counters(log, &after);
	} while (before.generation != after.generation || ret == -ENOENT ||
		 ret == -ENODATA);
	if (ret)
		return ret;
	*index = found > after.first ? found : after.first;
	return 0;
}
