/* SPDX-License-Identifier: MIT */
/* Tests of appending: what is refused, what is shown, what is durable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static int append_zeros(size_t bytes)
{
	char *data = calloc(1, bytes + 1);
	const struct maplog_entry entry = { data, bytes, 0 };
	int ret = maplog_append(tlog, &entry, 1, NULL);

	free(data);
	return ret;
}

/* A batch of entries without bytes. */
static int append_empty(size_t n)
{
	struct maplog_entry *entries = calloc(n + 1, sizeof(*entries));
	int ret = maplog_append(tlog, entries, n, NULL);

	free(entries);
	return ret;
}

static uint64_t time_of(uint64_t index)
{
	struct maplog_info info;
	char byte;

	ck_assert_int_eq(maplog_read(tlog, index, &byte, 1, &info), 0);
	return info.time;
}

START_TEST(indexes_are_consecutive_from_0)
{
	make_log(NULL);
	ck_assert_uint_eq(append("a"), 0);
	ck_assert_uint_eq(append("b"), 1);
	ck_assert_uint_eq(append_batch("c", "d", NULL), 2);
	ck_assert_uint_eq(append("e"), 4);
	expect_range(0, 5);
}
END_TEST

START_TEST(entries_are_read_as_they_were_appended)
{
	make_log(NULL);
	append("one");
	append_batch("", "two", "", NULL);
	expect_text(0, "one");
	expect_text(1, "");
	expect_text(2, "two");
	expect_text(3, "");
}
END_TEST

START_TEST(tag_is_kept)
{
	const struct maplog_entry entry = { "x", 1, UINT64_MAX - 1 };
	struct maplog_info info;
	char byte;

	make_log(NULL);
	ck_assert_int_eq(maplog_append(tlog, &entry, 1, NULL), 0);
	ck_assert_int_eq(maplog_read(tlog, 0, &byte, 1, &info), 0);
	ck_assert_uint_eq(info.tag, UINT64_MAX - 1);
}
END_TEST

START_TEST(empty_batch_appends_nothing)
{
	uint64_t first = 7;

	make_log(NULL);
	append("a");
	ck_assert_int_eq(maplog_append(tlog, NULL, 0, &first), 0);
	ck_assert_uint_eq(first, 1);
	expect_range(0, 1);
}
END_TEST

START_TEST(appended_is_durable_under_always)
{
	make_log("sync", "always", NULL);
	fault_clear();
	append("a");
	ck_assert_int_ge(calls_made(CALL_SYNC), 1);
	ck_assert_uint_eq(counters().durable, 1);
}
END_TEST

START_TEST(one_batch_is_one_sync_under_always)
{
	make_log("sync", "always", NULL);
	append("a");
	fault_clear();
	append_batch("b", "c", "d", NULL);
	ck_assert_int_eq(calls_made(CALL_SYNC), 1);
	ck_assert_int_eq(calls_made(CALL_SYNC_DIR), 0);
}
END_TEST

START_TEST(appended_is_visible_but_not_durable_under_manual)
{
	make_log("sync", "manual", NULL);
	fault_clear();
	append("a");
	expect_text(0, "a");
	ck_assert_uint_eq(counters().durable, 0);
	ck_assert_int_eq(calls_made(CALL_SYNC), 0);
}
END_TEST

static bool becomes_durable(uint64_t next)
{
	for (int i = 0; i < 6000; i++) {
		if (counters().durable >= next)
			return true;
		usleep(10000);
	}
	return false;
}

START_TEST(lone_append_becomes_durable_in_time_under_interval)
{
	make_log("sync", "interval=20ms", NULL);
	/* Nobody was woken lately: nobody else has reason to look. */
	usleep(100000);
	append("a");
	ck_assert(becomes_durable(1));
	usleep(100000);
	append("b");
	ck_assert(becomes_durable(2));
}
END_TEST

START_TEST(empty_batch_makes_nothing_durable)
{
	make_log("sync", "manual", NULL);
	append("a");
	ck_assert_int_eq(maplog_set(tlog, "sync", "always"), 0);
	fault_clear();
	ck_assert_int_eq(append_empty(0), 0);
	if (!calls_made(CALL_SYNC))
		ck_assert_uint_eq(counters().durable, 0);
}
END_TEST

START_TEST(what_is_before_is_durable_after_policy_becomes_always)
{
	make_log("sync", "manual", "segment-size", "1M", NULL);
	append_many(5, 300 << 10);
	ck_assert_int_eq(maplog_set(tlog, "sync", "always"), 0);
	append("a");
	ck_assert_uint_eq(counters().durable, 6);
}
END_TEST

START_TEST(append_at_is_for_the_next_index_only)
{
	const struct maplog_entry entry = { "x", 1, 0 };

	make_log(NULL);
	append("a");
	ck_assert_int_eq(maplog_append_at(tlog, 0, &entry, 1), -ESTALE);
	ck_assert_int_eq(maplog_append_at(tlog, 2, &entry, 1), -ESTALE);
	expect_range(0, 1);
	ck_assert_int_eq(maplog_append_at(tlog, 1, &entry, 1), 0);
	expect_range(0, 2);
	expect_text(1, "x");
}
END_TEST

START_TEST(entry_above_max_entry_is_refused)
{
	make_log("max-entry", "1000", NULL);
	ck_assert_int_eq(append_zeros(1001), -EMSGSIZE);
	expect_range(0, 0);
	ck_assert_int_eq(append_zeros(1000), 0);
	expect_range(0, 1);
}
END_TEST

START_TEST(entry_larger_than_a_segment_is_refused)
{
	make_log("segment-size", "1M", "max-entry", "8M", NULL);
	ck_assert_int_eq(append_zeros(MIB + 1), -EMSGSIZE);
	expect_range(0, 0);
	ck_assert_int_eq(append_zeros(MIB), 0);
	expect_range(0, 1);
}
END_TEST

START_TEST(batch_larger_than_a_segment_is_refused)
{
	char *data = calloc(1, MIB);
	const struct maplog_entry entries[] = {
		{ data, MIB / 2, 0 },
		{ data, MIB / 2, 0 },
		{ data, 1, 0 },
	};

	make_log("segment-size", "1M", NULL);
	ck_assert_int_eq(maplog_append(tlog, entries, 3, NULL), -E2BIG);
	expect_range(0, 0);
	ck_assert_int_eq(maplog_append(tlog, entries, 2, NULL), 0);
	expect_range(0, 2);
	free(data);
}
END_TEST

START_TEST(batch_of_more_entries_than_a_segment_has_is_refused)
{
	make_log("segment-size", "1M", NULL);
	ck_assert_int_eq(append_empty(RECORDS + 1), -E2BIG);
	expect_range(0, 0);
	ck_assert_int_eq(append_empty(RECORDS), 0);
	expect_range(0, RECORDS);
	ck_assert_uint_eq(append("a"), RECORDS);
	ck_assert_uint_eq(segment(RECORDS).base, RECORDS);
}
END_TEST

START_TEST(batch_lies_in_one_segment)
{
	char *data = calloc(1, MIB);
	const struct maplog_entry entries[] = {
		{ data, 400 << 10, 0 },
		{ data, 400 << 10, 0 },
	};

	make_log("segment-size", "1M", NULL);
	append_pattern(400 << 10);
	ck_assert_int_eq(maplog_append(tlog, entries, 2, NULL), 0);
	ck_assert_uint_eq(segment(1).base, 1);
	ck_assert_uint_eq(segment(2).base, 1);
	expect_pattern(0, 400 << 10);
	free(data);
}
END_TEST

START_TEST(append_needs_the_writer)
{
	create_log(NULL);
	open_log(MAPLOG_READ);
	ck_assert_int_eq(try_append("a"), -EROFS);
	ck_assert_int_eq(maplog_append_at(tlog, 0, NULL, 0), -EROFS);
	expect_range(0, 0);
}
END_TEST

START_TEST(failed_sync_makes_the_log_read_only)
{
	make_log(NULL);
	append("a");
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(try_append("b"), -EIO);
	expect_range(0, 1);
	ck_assert_int_eq(try_append("c"), -EROFS);
	ck_assert_int_eq(status().error, -EIO);
	expect_text(0, "a");
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
}
END_TEST

/* What failed to sync may be in the page cache: it may come back, but then
 * for good. */
START_TEST(log_is_writable_again_after_a_failed_sync_and_reopening)
{
	make_log(NULL);
	append("a");
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(try_append("b"), -EIO);
	(void)maplog_close(tlog);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	expect_text(0, "a");
	ck_assert_uint_eq(counters().durable, counters().next);
	append("c");
	expect_text(counters().next - 1, "c");
}
END_TEST

START_TEST(full_disk_refuses_and_changes_nothing)
{
	make_log("segment-size", "1M", NULL);
	append("a");
	fault_set(CALL_ALLOCATE, 0, -1, ENOSPC);
	ck_assert_int_eq(append_zeros(500 << 10), -ENOSPC);
	expect_range(0, 1);
	ck_assert_uint_eq(segment(0).bytes, 1);
	fault_clear();
	ck_assert_uint_eq(append("b"), 1);
	expect_text(1, "b");
	ck_assert_int_eq(status().error, 0);
}
END_TEST

START_TEST(full_disk_still_gives_what_is_just_enough)
{
	make_log("segment-size", "1M", NULL);
	append("a");
	/* The first try is for more than is needed now. */
	fault_set(CALL_ALLOCATE, 0, 1, ENOSPC);
	ck_assert_int_eq(append_zeros(66 << 10), 0);
	expect_range(0, 2);
}
END_TEST

/* Looped over the calls that make a new segment. */
START_TEST(full_disk_at_a_new_segment_is_got_over)
{
	static const enum call calls[] = { CALL_OPEN, CALL_RESIZE, CALL_WRITE };

	make_log("segment-size", "1M", NULL);
	append_many(2, 500 << 10);
	fault_set(calls[_i / 2], _i % 2, 1, ENOSPC);
	if (calls[_i / 2] != CALL_WRITE || _i % 2 == 0) {
		ck_assert_int_eq(append_zeros(500 << 10), -ENOSPC);
		expect_range(0, 2);
		ck_assert_int_eq(count_files(".log"), 1);
		ck_assert_int_eq(count_files(".idx"), 1);
	}
	fault_clear();
	append_pattern(500 << 10);
	reopen_log();
	expect_patterns(0, 3, 500 << 10);
}
END_TEST

START_TEST(quota_is_a_full_disk)
{
	make_log(NULL);
	fault_set(CALL_ALLOCATE, 0, -1, EDQUOT);
	ck_assert_int_eq(append_zeros(500 << 10), -EDQUOT);
	fault_clear();
	ck_assert_uint_eq(append("a"), 0);
}
END_TEST

START_TEST(file_system_without_fallocate_works)
{
	make_log("segment-size", "1M", NULL);
	fault_set(CALL_ALLOCATE, 0, -1, EOPNOTSUPP);
	append_many(12, 100 << 10);
	expect_patterns(0, 12, 100 << 10);
	reopen_log();
	expect_patterns(0, 12, 100 << 10);
}
END_TEST

/* The page that holds the end of a log is reserved anew when it is opened. */
START_TEST(file_system_without_fallocate_keeps_what_is_there)
{
	make_log("segment-size", "1M", NULL);
	fault_set(CALL_ALLOCATE, 0, -1, EOPNOTSUPP);
	append_many(3, 2000);
	reopen_log();
	append_many(1, 2000);
	expect_patterns(0, 4, 2000);
	reopen_log();
	expect_range(0, 4);
	expect_patterns(0, 4, 2000);
}
END_TEST

START_TEST(times_never_go_back)
{
	uint64_t time;

	make_log(NULL);
	append("a");
	time = time_of(0);
	calls_clock_offset = -1000;
	append("b");
	ck_assert_uint_eq(time_of(1), time);
}
END_TEST

START_TEST(times_never_go_back_over_reopening)
{
	uint64_t time;

	make_log(NULL);
	append("a");
	time = time_of(0);
	if (_i)
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	calls_clock_offset = -1000;
	reopen_log();
	append("b");
	ck_assert_uint_ge(time_of(1), time);
}
END_TEST

START_TEST(no_thread_for_the_keeper_loses_nothing)
{
	make_log("segment-size", "1M", "sync", "interval=1ms", NULL);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_many(9, 300 << 10);
	reopen_log();
	expect_patterns(0, 9, 300 << 10);
	ck_assert_uint_eq(counters().durable, 9);
}
END_TEST

/* A record without a time is none. */
START_TEST(entry_has_a_time_where_the_clock_shows_none)
{
	calls_clock_stopped = true;
	make_log(NULL);
	append_batch("a", "b", NULL);
	reopen_log();
	expect_text(0, "a");
	expect_text(1, "b");
}
END_TEST

static Suite *append_suite(void)
{
	Suite *suite = suite_create("append");
	TCase *what = unit_case(suite, "what");
	TCase *durable = unit_case(suite, "durable");
	TCase *refused = unit_case(suite, "refused");
	TCase *full = unit_case(suite, "full");

	tcase_add_test(what, indexes_are_consecutive_from_0);
	tcase_add_test(what, entries_are_read_as_they_were_appended);
	tcase_add_test(what, tag_is_kept);
	tcase_add_test(what, empty_batch_appends_nothing);
	tcase_add_test(what, batch_lies_in_one_segment);
	tcase_add_test(what, times_never_go_back);
	tcase_add_loop_test(what, times_never_go_back_over_reopening, 0, 2);
	tcase_add_test(what, entry_has_a_time_where_the_clock_shows_none);
	tcase_add_test(durable, appended_is_durable_under_always);
	tcase_add_test(durable, one_batch_is_one_sync_under_always);
	tcase_add_test(durable,
		       appended_is_visible_but_not_durable_under_manual);
	tcase_add_test(durable,
		       lone_append_becomes_durable_in_time_under_interval);
	tcase_add_test(durable, empty_batch_makes_nothing_durable);
	tcase_add_test(durable,
		       what_is_before_is_durable_after_policy_becomes_always);
	tcase_add_test(durable, no_thread_for_the_keeper_loses_nothing);
	tcase_add_test(refused, append_at_is_for_the_next_index_only);
	tcase_add_test(refused, entry_above_max_entry_is_refused);
	tcase_add_test(refused, entry_larger_than_a_segment_is_refused);
	tcase_add_test(refused, batch_larger_than_a_segment_is_refused);
	tcase_add_test(refused,
		       batch_of_more_entries_than_a_segment_has_is_refused);
	tcase_add_test(refused, append_needs_the_writer);
	tcase_add_test(refused, failed_sync_makes_the_log_read_only);
	tcase_add_test(refused,
		       log_is_writable_again_after_a_failed_sync_and_reopening);
	tcase_add_test(full, full_disk_refuses_and_changes_nothing);
	tcase_add_test(full, full_disk_still_gives_what_is_just_enough);
	tcase_add_loop_test(full, full_disk_at_a_new_segment_is_got_over, 0, 6);
	tcase_add_test(full, quota_is_a_full_disk);
	tcase_add_test(full, file_system_without_fallocate_works);
	tcase_add_test(full, file_system_without_fallocate_keeps_what_is_there);
	return suite;
}

int main(void)
{
	return unit_run(append_suite());
}
