/* SPDX-License-Identifier: MIT */
/* Tests of moments: their text, and finding entries by time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "moment.h"

#define SEC UINT64_C(1000000000)

/* 2026-11-20T10:00:00Z, as date(1) says it. */
#define TEN_OCLOCK (UINT64_C(1795168800) * SEC)

static const uint64_t now = 1000 * SEC;

static uint64_t parse(const char *text)
{
	uint64_t moment = 7;

	ck_assert_int_eq(maplog_moment_parse(text, now, &moment), 0);
	return moment;
}

static void refuse(const char *text, int error)
{
	uint64_t moment = 7;

	ck_assert_int_eq(maplog_moment_parse(text, now, &moment), error);
	ck_assert_uint_eq(moment, 7);
}

START_TEST(duration_is_before_now)
{
	ck_assert_uint_eq(parse("0"), now);
	ck_assert_uint_eq(parse("1ns"), now - 1);
	ck_assert_uint_eq(parse("5s"), 995 * SEC);
	ck_assert_uint_eq(parse("10m"), 400 * SEC);
}
END_TEST

START_TEST(duration_that_is_too_long_is_the_beginning)
{
	ck_assert_uint_eq(parse("2h"), 0);
	ck_assert_uint_eq(parse("18446744073709551615d"), 0);
	ck_assert_uint_eq(parse("99999999999999999999s"), 0);
}
END_TEST

START_TEST(date_is_read_as_rfc_3339_has_it)
{
	ck_assert_uint_eq(parse("1970-01-01T00:00:00Z"), 0);
	ck_assert_uint_eq(parse("2026-11-20T10:00:00Z"), TEN_OCLOCK);
	ck_assert_uint_eq(parse("2026-11-20t10:00:00z"), TEN_OCLOCK);
	ck_assert_uint_eq(parse("2026-11-20T10:00:00.5Z"),
			  TEN_OCLOCK + SEC / 2);
	ck_assert_uint_eq(parse("2026-11-20T10:00:00.0000000019Z"),
			  TEN_OCLOCK + 1);
	ck_assert_uint_eq(parse("2026-11-20T11:30:00+01:30"), TEN_OCLOCK);
	ck_assert_uint_eq(parse("2026-11-19T22:00:00-12:00"), TEN_OCLOCK);
	ck_assert_uint_eq(parse("2024-02-29T00:00:00Z"),
			  parse("2024-02-28T23:59:60Z"));
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
	static const char *const wrong[] = {
		"",
		"10",
		"m",
		"10x",
		"-10m",
		"+10m",
		" 10m",
		"1h30m",
		"yesterday",
		"2026-11-20",
		"2026-11-20T10:00Z",
		"2026-11-20T10:00:00",
		"2026-11-20 10:00:00Z",
		"2026-11-20T10:00:00.Z",
		"2026-11-20T10:00:00Zulu",
		"2026-11-20T10:00:00+1:00",
		"2026-11-20T10:00:00+01:00Z",
		"26-11-20T10:00:00Z",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refuse(wrong[i], -EINVAL);
}
END_TEST

START_TEST(date_that_is_not_in_the_calendar_is_refused)
{
	static const char *const wrong[] = {
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-04-00T00:00:00Z",
		"2026-11-20T24:00:00Z", "2026-11-20T10:60:00Z",
		"2026-11-20T10:00:61Z", "2026-11-20T10:00:00+24:00",
		"1969-12-31T23:59:59Z", "2500-01-01T00:00:00Z",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refuse(wrong[i], -ERANGE);
}
END_TEST

/* ---- Finding ---- */

static uint64_t time_of(uint64_t index)
{
	struct maplog_info info;

	ck_assert_int_eq(maplog_read(tlog, index, NULL, 0, &info), 0);
	return info.time;
}

static uint64_t find(uint64_t moment)
{
	uint64_t index;

	ck_assert_int_eq(maplog_moment_find(tlog, moment, &index), 0);
	return index;
}

/* Each entry is found by its time, and what is behind it by a later one. */
static void expect_all_found(uint64_t first, uint64_t next)
{
	for (uint64_t i = first; i < next; i++) {
		uint64_t time = time_of(i);
		uint64_t from = i;
		uint64_t behind = i;

		while (from > first && time_of(from - 1) == time)
			from--;
		while (behind < next && time_of(behind) == time)
			behind++;
		ck_assert_uint_eq(find(time), from);
		ck_assert_uint_eq(find(time + 1), behind);
	}
	ck_assert_uint_eq(find(0), first);
	ck_assert_uint_eq(find(UINT64_MAX), next);
}

START_TEST(empty_log_has_only_its_end)
{
	make_log(NULL);
	expect_all_found(0, 0);
}
END_TEST

/* Looped over sizes around powers of two, which the steps are. */
START_TEST(entries_are_found_by_their_time)
{
	make_log(NULL);
	append_many((size_t)_i, 10);
	expect_all_found(0, (uint64_t)_i);
}
END_TEST

START_TEST(entries_are_found_across_segments)
{
	make_log("segment-size", "1M", NULL);
	for (int i = 0; i < 5; i++) {
		append_many(3, 100);
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
	expect_all_found(0, 15);
	close_log();
	open_log(MAPLOG_READ);
	expect_all_found(0, 15);
}
END_TEST

START_TEST(batch_is_found_by_its_first_entry)
{
	make_log(NULL);
	append("before");
	append_batch("a", "b", "c", NULL);
	ck_assert_uint_eq(find(time_of(3)), 1);
	ck_assert_uint_eq(find(time_of(3) + 1), 4);
}
END_TEST

START_TEST(trimmed_entries_are_not_found)
{
	make_log(NULL);
	append_many(10, 10);
	ck_assert_int_eq(maplog_trim(tlog, 4), 0);
	expect_all_found(4, 10);
}
END_TEST

START_TEST(segment_that_cannot_be_used_hides_no_other)
{
	uint64_t times[9];

	make_log("segment-size", "1M", NULL);
	for (uint64_t i = 0; i < 9; i++) {
		append_many(1, 100);
		times[i] = time_of(i);
		if (i % 3 == 2)
			ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
	close_log();
	ck_assert_int_eq(unlinkat(store, log_path(3, "idx"), 0), 0);
	open_log(MAPLOG_READ);
	for (uint64_t i = 0; i < 9; i++) {
		if (i < 3)
			ck_assert_uint_eq(find(times[i]), i);
		else if (i >= 6)
			ck_assert_uint_eq(find(times[i]), i);
	}
	/* One of it counts as old as what is before it. */
	ck_assert_uint_eq(find(times[2] + 1), 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("moment");
	TCase *tcase = unit_case(suite, "text");

	tcase_add_test(tcase, duration_is_before_now);
	tcase_add_test(tcase, duration_that_is_too_long_is_the_beginning);
	tcase_add_test(tcase, date_is_read_as_rfc_3339_has_it);
	tcase_add_test(tcase, what_cannot_be_read_is_refused);
	tcase_add_test(tcase, date_that_is_not_in_the_calendar_is_refused);

	tcase = unit_case(suite, "find");
	tcase_add_test(tcase, empty_log_has_only_its_end);
	tcase_add_loop_test(tcase, entries_are_found_by_their_time, 1, 20);
	tcase_add_test(tcase, entries_are_found_across_segments);
	tcase_add_test(tcase, batch_is_found_by_its_first_entry);
	tcase_add_test(tcase, trimmed_entries_are_not_found);
	tcase_add_test(tcase, segment_that_cannot_be_used_hides_no_other);
	return unit_run(suite);
}
