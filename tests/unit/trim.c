/* SPDX-License-Identifier: MIT */
/* Tests of trimming. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static void trim_to(uint64_t index)
{
	ck_assert_int_eq(maplog_trim(tlog, index), 0);
}

/* Three segments: 0 to 2, 3 to 5, and the active one, 6 and 7. */
static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	append_many(3, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(3, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(2, 100);
}

static int segments_left(uint64_t index)
{
	return index < 3 ? 3 : index < 6 ? 2 : 1;
}

/* Looped over every index. */
START_TEST(trimmed_entries_are_gone_and_whole_segments_with_them)
{
	uint64_t index = (uint64_t)_i;

	trim_to(index);
	expect_range(index, 8);
	for (uint64_t i = 0; i < index; i++)
		ck_assert_int_eq(read_error(i), -ENOENT);
	expect_patterns(index, 8, 100);
	ck_assert_int_eq(count_files(".log"), segments_left(index));
	ck_assert_int_eq(count_files(".idx"), segments_left(index));
	ck_assert_uint_eq(status().segments, (uint64_t)segments_left(index));
}
END_TEST

START_TEST(trimmed_entries_stay_gone)
{
	uint64_t index = (uint64_t)_i;

	trim_to(index);
	reopen_log();
	expect_range(index, 8);
	expect_patterns(index, 8, 100);
	append_pattern(100);
	expect_range(index, 9);
}
END_TEST

START_TEST(trimming_again_is_no_error)
{
	trim_to(5);
	trim_to(5);
	trim_to(2);
	trim_to(0);
	expect_range(5, 8);
}
END_TEST

START_TEST(index_past_the_end_is_refused)
{
	ck_assert_int_eq(maplog_trim(tlog, 9), -ENODATA);
	expect_range(0, 8);
	trim_to(8);
	expect_range(8, 8);
	ck_assert_int_eq(read_error(7), -ENOENT);
	ck_assert_int_eq(read_error(8), -ENODATA);
}
END_TEST

START_TEST(only_the_writer_trims)
{
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_trim(tlog, 1), -EROFS);
}
END_TEST

START_TEST(generation_stays)
{
	uint64_t generation = counters().generation;

	trim_to(5);
	ck_assert_uint_eq(counters().generation, generation);
}
END_TEST

START_TEST(what_is_left_is_durable)
{
	ck_assert_uint_lt(counters().durable, 8);
	trim_to(1);
	ck_assert_uint_eq(counters().durable, 8);
}
END_TEST

START_TEST(views_stay_as_they_were)
{
	struct maplog_view view[3];
	const uint64_t first[3] = { 0, 3, 6 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(maplog_view(tlog, first[i], 9, &view[i]), 0);
	trim_to(8);
	append_many(20, 1000);
	for (int i = 0; i < 3; i++) {
		char expected[100];

		pattern(expected, 100, first[i]);
		ck_assert_int_eq(memcmp(view[i].data, expected, 100), 0);
		ck_assert_int_eq(maplog_view_check(tlog, &view[i], NULL), 0);
		maplog_view_release(&view[i]);
	}
}
END_TEST

/* It is trimmed; the space comes back when the log is opened again. */
START_TEST(files_that_cannot_be_removed_are_removed_later)
{
	fault_set(CALL_UNLINK, _i, 1, EIO);
	trim_to(7);
	fault_clear();
	expect_range(7, 8);
	ck_assert_int_eq(status().error, 0);
	reopen_log();
	expect_range(7, 8);
	ck_assert_int_eq(count_files(".log"), 1);
	ck_assert_int_eq(count_files(".idx"), 1);
}
END_TEST

START_TEST(trim_that_is_not_durable_makes_the_log_read_only)
{
	int ret;

	fault_set(CALL_SYNC, _i, 1, EIO);
	ret = maplog_trim(tlog, 4);
	ck_assert(!ret || ret == -EIO);
	fault_clear();
	if (ret) {
		expect_range(0, 8);
		ck_assert_int_eq(status().error, -EIO);
		ck_assert_int_eq(maplog_trim(tlog, 4), -EROFS);
	}
	(void)maplog_close(tlog);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	ck_assert(counters().first == 0 || counters().first == 4);
	expect_patterns(4, 8, 100);
}
END_TEST

static Suite *trim_suite(void)
{
	Suite *suite = suite_create("trim");
	TCase *tcase = unit_case(suite, "trim");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_loop_test(
		tcase, trimmed_entries_are_gone_and_whole_segments_with_them, 0,
		9);
	tcase_add_loop_test(tcase, trimmed_entries_stay_gone, 0, 9);
	tcase_add_test(tcase, trimming_again_is_no_error);
	tcase_add_test(tcase, index_past_the_end_is_refused);
	tcase_add_test(tcase, only_the_writer_trims);
	tcase_add_test(tcase, generation_stays);
	tcase_add_test(tcase, what_is_left_is_durable);
	tcase_add_test(tcase, views_stay_as_they_were);
	tcase_add_loop_test(
		tcase, files_that_cannot_be_removed_are_removed_later, 0, 4);
	tcase_add_loop_test(
		tcase, trim_that_is_not_durable_makes_the_log_read_only, 0, 3);
	return suite;
}

int main(void)
{
	return unit_run(trim_suite());
}
