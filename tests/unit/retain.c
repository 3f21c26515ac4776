/* SPDX-License-Identifier: MIT */
/* Tests of retention: which segments go, and which are kept for whom. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "reader.h"
#include "retain.h"

/* Segments 0 to 9, 10 to 19, 20 to 29, each of 1000 bytes, and the active one,
 * 30 and 31, of 200. */
static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	for (int i = 0; i < 3; i++) {
		append_many(10, 100);
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
	append_many(2, 100);
}

static void set(const char *key, const char *value)
{
	ck_assert_int_eq(maplog_set(tlog, key, value), 0);
}

static uint64_t retain(void)
{
	uint64_t first;

	ck_assert_int_eq(maplog_retain(tlog, &first), 0);
	ck_assert_uint_eq(first, counters().first);
	return first;
}

static void reader_at(const char *name, uint64_t index)
{
	struct maplog_reader *reader;

	ck_assert_int_eq(maplog_reader_open(tlog, name, index, &reader), 0);
	ck_assert_int_eq(maplog_reader_close(reader), 0);
}

static void let_pass(unsigned milliseconds)
{
	const struct timespec ts = { 0, milliseconds * 1000000L };

	nanosleep(&ts, NULL);
}

static void expect_reason(uint64_t index, const char *want)
{
	struct maplog_segment found = segment(index);
	struct maplog_retention retention;
	char text[128];

	ck_assert_int_eq(maplog_retention(tlog, &retention), 0);
	maplog_retention_reason(&retention, &found, text, sizeof(text));
	ck_assert_str_eq(text, want);
}

START_TEST(without_a_limit_all_is_kept)
{
	ck_assert_uint_eq(retain(), 0);
	expect_reason(0, "there is no limit");
	expect_reason(30, "it is active");
}
END_TEST

static const struct {
	const char *bytes;
	uint64_t first;
} cases[] = {
	{ "1", 30 },	{ "200", 30 },	{ "201", 20 },
	{ "1200", 20 }, { "1201", 10 }, { "2200", 10 },
	{ "2201", 0 },	{ "3200", 0 },	{ "9000", 0 },
};

/* Looped over limits on both sides of what segments hold together. */
START_TEST(at_least_so_many_bytes_are_kept_in_whole_segments)
{
	set("retain-bytes", cases[_i].bytes);
	ck_assert_uint_eq(retain(), cases[_i].first);
	expect_patterns(cases[_i].first, 32, 100);
	ck_assert_uint_eq(status().segments, 4 - cases[_i].first / 10);
}
END_TEST

START_TEST(segments_that_are_old_enough_go)
{
	let_pass(30);
	append_many(1, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(1, 100);
	set("retain-age", "25ms");
	/* Where the machine is slow, 30 to 32 may be old enough, too. */
	ck_assert_uint_ge(retain(), 30);
}
END_TEST

START_TEST(segments_that_are_not_old_enough_stay)
{
	set("retain-age", "1h");
	ck_assert_uint_eq(retain(), 0);
	expect_reason(0, "it is within the limits");
}
END_TEST

START_TEST(active_segment_is_ended_when_it_is_old)
{
	let_pass(5);
	set("retain-age", "1ms");
	ck_assert_uint_eq(retain(), 32);
	expect_range(32, 32);
	ck_assert_uint_eq(retain(), 32);
	ck_assert_uint_eq(status().segments, 1);
}
END_TEST

/* Looped over where the reader is. */
START_TEST(what_a_reader_has_not_read_is_kept)
{
	uint64_t index = (uint64_t)_i;
	uint64_t base = index / 10 * 10;

	reader_at("w", index);
	reader_at("ahead", 32);
	set("retain-bytes", "1");
	ck_assert_uint_eq(retain(), base < 30 ? base : 30);
	expect_patterns(base, 32, 100);
}
END_TEST

START_TEST(reader_is_the_reason)
{
	reader_at("w", 12);
	set("retain-bytes", "201");
	expect_reason(0, "it is about to be dropped");
	expect_reason(10, "w has read up to 12");
	expect_reason(20, "it is within the limits");
}
END_TEST

START_TEST(reader_is_not_waited_for_when_told_so)
{
	reader_at("w", 12);
	set("retain-bytes", "1");
	set("retain-unread", "drop");
	ck_assert_uint_eq(retain(), 30);
}
END_TEST

START_TEST(reader_that_is_forgotten_holds_nothing_up)
{
	reader_at("w", 12);
	set("retain-bytes", "1");
	ck_assert_uint_eq(retain(), 10);
	ck_assert_int_eq(maplog_reader_forget(tlog, "w"), 0);
	ck_assert_uint_eq(retain(), 30);
}
END_TEST

START_TEST(damaged_position_holds_up_everything)
{
	reader_at("w", 12);
	flip_bit(LOG "/w.reader", 33, 0);
	set("retain-bytes", "1");
	ck_assert_uint_eq(retain(), 0);
}
END_TEST

START_TEST(segment_that_cannot_be_used_goes_with_the_next)
{
	close_log();
	ck_assert_int_eq(unlinkat(store, log_path(0, "idx"), 0), 0);
	open_log(MAPLOG_WRITE);
	set("retain-age", "1h");
	ck_assert_uint_eq(retain(), 0);
	set("retain-age", "0");
	/* Nobody knows how large it is. */
	set("retain-bytes", "2201");
	ck_assert_uint_eq(retain(), 0);
	set("retain-bytes", "2200");
	ck_assert_uint_eq(retain(), 10);
}
END_TEST

START_TEST(disk_use_is_that_of_the_files)
{
	struct maplog_retention before;
	struct maplog_retention after;

	ck_assert_int_eq(maplog_retention(tlog, &before), 0);
	ck_assert_uint_gt(before.disk, 3200);
	set("retain-bytes", "1");
	retain();
	ck_assert_int_eq(maplog_retention(tlog, &after), 0);
	ck_assert_uint_lt(after.disk, before.disk);
}
END_TEST

START_TEST(only_the_writer_retains)
{
	set("retain-bytes", "1");
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_retain(tlog, NULL), -EROFS);
	expect_range(0, 32);
}
END_TEST

START_TEST(readers_that_there_is_no_memory_for_are_not_overlooked)
{
	struct maplog_retention retention;

	reader_at("w", 5);
	set("retain-bytes", "1");
	fault_set(CALL_NEW, 0, 1, ENOMEM);
	ck_assert_int_eq(maplog_retention(tlog, &retention), -ENOMEM);
	fault_set(CALL_NEW, 0, 1, ENOMEM);
	ck_assert_int_eq(maplog_retain(tlog, NULL), -ENOMEM);
	expect_range(0, 32);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retain");
	TCase *tcase = unit_case(suite, "retain");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, without_a_limit_all_is_kept);
	tcase_add_loop_test(tcase,
			    at_least_so_many_bytes_are_kept_in_whole_segments,
			    0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tcase, segments_that_are_old_enough_go);
	tcase_add_test(tcase, segments_that_are_not_old_enough_stay);
	tcase_add_test(tcase, active_segment_is_ended_when_it_is_old);
	tcase_add_loop_test(tcase, what_a_reader_has_not_read_is_kept, 0, 33);
	tcase_add_test(tcase, reader_is_the_reason);
	tcase_add_test(tcase, reader_is_not_waited_for_when_told_so);
	tcase_add_test(tcase, reader_that_is_forgotten_holds_nothing_up);
	tcase_add_test(tcase, damaged_position_holds_up_everything);
	tcase_add_test(tcase, segment_that_cannot_be_used_goes_with_the_next);
	tcase_add_test(tcase, disk_use_is_that_of_the_files);
	tcase_add_test(tcase, only_the_writer_retains);
	tcase_add_test(tcase,
		       readers_that_there_is_no_memory_for_are_not_overlooked);
	return unit_run(suite);
}
