/* SPDX-License-Identifier: MIT */
/*
 * Tests of logs that cannot begin a new segment: for want of room when they are
 * opened, and where what is left of one cannot be removed. They go on by
 * themselves, and lose nothing.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "disk.h"
#include "files.h"
#include "fixture.h"
#include "head.h"
#include "private.h"

static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
}

/* ---- Opened on a full disk ---- */

static uint32_t state(void)
{
	struct maplog_head page;

	read_file(LOG "/head", 0, &page, sizeof(page));
	return page.state;
}

static void set_state(uint32_t to)
{
	write_file(LOG "/head", offsetof(struct maplog_head, state), &to,
		   sizeof(to));
}

static void fail_a_sync(void)
{
	append_many(3, 100);
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
	ck_assert_uint_eq(state(), MAPLOG_FAILED);
}

static void stop_in_recovery(void)
{
	append_many(3, 100);
	close_log();
	set_state(MAPLOG_RECOVERING);
}

static void (*const stops[])(void) = { fail_a_sync, stop_in_recovery };

static const int full[] = { ENOSPC, EDQUOT };

/* Looped over what makes it leave its segment, then over errors. */
START_TEST(log_that_must_leave_its_segment_opens_on_a_full_disk)
{
	stops[_i / 2]();
	fault_set(CALL_RESIZE, 0, -1, full[_i % 2]);
	open_log(MAPLOG_WRITE);
	expect_patterns(0, 3, 100);
	expect_range(0, 3);
	ck_assert_int_eq(try_append("no"), -full[_i % 2]);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	ck_assert_int_eq(maplog_truncate(tlog, 2), 0);
	ck_assert_int_eq(status().error, 0);
	expect_range(1, 2);
	fault_clear();
	ck_assert_uint_eq(append_pattern(100), 2);
	expect_patterns(1, 3, 100);
	reopen_log();
	expect_range(1, 3);
	expect_patterns(1, 3, 100);
}
END_TEST

/* Nothing is appended to what the page cache may lie about. */
START_TEST(segment_that_was_left_on_a_full_disk_is_sealed)
{
	fail_a_sync();
	fault_set(CALL_RESIZE, 0, 1, ENOSPC);
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(tlog->head.page->active_base, HEAD_NO_ACTIVE);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	ck_assert_uint_eq(file_size(log_path(0, "log")), 300);
	ck_assert_uint_eq(append_pattern(100), 3);
	ck_assert_uint_eq(segment(2).base, 0);
	ck_assert_uint_eq(segment(3).base, 3);
	close_log();
	ck_assert_uint_eq(state(), MAPLOG_CLOSED);
}
END_TEST

static void open_on_a_full_disk(void)
{
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	open_log(MAPLOG_WRITE);
}

START_TEST(segment_is_left_by_the_next_writer_if_this_one_is_killed)
{
	fail_a_sync();
	ck_assert_int_eq(run_child(open_on_a_full_disk), 0);
	ck_assert_uint_eq(state(), MAPLOG_FAILED);
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(append_pattern(100), 3);
	ck_assert_uint_eq(segment(3).base, 3);
	expect_patterns(0, 4, 100);
}
END_TEST

START_TEST(empty_segment_is_left_on_a_full_disk)
{
	append_many(3, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	close_log();
	set_state(MAPLOG_RECOVERING);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	open_log(MAPLOG_WRITE);
	expect_range(0, 3);
	ck_assert_int_eq(try_append("no"), -ENOSPC);
	fault_clear();
	ck_assert_uint_eq(append_pattern(100), 3);
	reopen_log();
	expect_patterns(0, 4, 100);
}
END_TEST

START_TEST(reader_takes_over_on_a_full_disk)
{
	fail_a_sync();
	open_log(MAPLOG_READ);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(maplog_promote(tlog), 0);
	ck_assert_int_eq(try_append("no"), -ENOSPC);
	expect_patterns(0, 3, 100);
	fault_clear();
	ck_assert_uint_eq(append_pattern(100), 3);
	expect_patterns(0, 4, 100);
}
END_TEST

/* What says nothing about room is told: the log is opened again later. */
START_TEST(segment_that_cannot_be_left_for_another_reason_refuses_the_log)
{
	fail_a_sync();
	fault_set(CALL_RESIZE, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EIO);
	tlog = NULL;
	fault_clear();
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(append_pattern(100), 3);
	ck_assert_uint_eq(segment(3).base, 3);
}
END_TEST

/* ---- What is left of a segment ---- */

static int try_append_bytes(size_t bytes)
{
	static const char zeros[MIB];
	const struct maplog_entry entry = { zeros, bytes, 0 };

	return maplog_append(tlog, &entry, 1, NULL);
}

/* So many segments that there is no place for another one in the table, and
 * where the next one is to begin. */
#define SEALED 7
#define END    10

static void make_many(void)
{
	make();
	for (int i = 0; i < SEALED; i++) {
		append_many(1, 100);
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
	append_many(3, 100);
	/* Names are made durable by the first one. */
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	fault_clear();
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
}

/* How making a segment fails, when some of it is there: its size, its trailer,
 * its mappings, a place for it in the table. */
static const struct {
	enum call call;
	int after;
	int error;
} steps[] = {
	{ CALL_RESIZE, 0, ENOSPC }, { CALL_RESIZE, 1, ENOSPC },
	{ CALL_WRITE, 0, ENOSPC },  { CALL_MAP, 0, ENOMEM },
	{ CALL_MAP, 1, ENOMEM },    { CALL_NEW, 1, ENOMEM },
};

#define STEPS ((int)(sizeof(steps) / sizeof(*steps)))

/* @unlinks fail beside it. */
static void fail_to_roll(int step, int unlinks)
{
	int ret;

	fault_set(steps[step].call, steps[step].after, 1, steps[step].error);
	/* The first one is for an .idx that may be there. */
	fault_set(CALL_UNLINK, 1, unlinks, EIO);
	ret = try_append_bytes(MIB);
	fault_clear();
	ck_assert_int_eq(ret, -steps[step].error);
	ck_assert_int_eq(status().error, 0);
	expect_range(0, END);
}

static void expect_to_be_rolled(void)
{
	ck_assert_uint_eq(append_pattern(MIB), END);
	ck_assert_uint_eq(segment(END - 1).base, SEALED);
	ck_assert_uint_eq(segment(END).base, END);
	reopen_log();
	expect_patterns(0, END, 100);
	expect_pattern(END, MIB);
}

START_TEST(segment_whose_last_try_is_still_there_is_begun)
{
	fail_to_roll(_i, -1);
	expect_to_be_rolled();
}
END_TEST

/* It is tried until it works; meanwhile nothing is appended. */
START_TEST(what_is_left_of_a_segment_is_removed_when_that_works)
{
	fail_to_roll(0, -1);
	fault_set(CALL_UNLINK, _i, 2, EIO);
	ck_assert_int_eq(try_append("no"), -EIO);
	ck_assert_int_eq(try_append_bytes(MIB), -EIO);
	ck_assert_int_eq(status().error, 0);
	fault_clear();
	expect_to_be_rolled();
}
END_TEST

/* By its name the log would end there, or the segment before it. */
START_TEST(nothing_is_appended_beside_what_is_left_of_a_segment)
{
	fail_to_roll(_i, -1);
	ck_assert_uint_eq(append_pattern(100), END);
	ck_assert(!file_exists(log_path(END, "log")));
	ck_assert(!file_exists(log_path(END, "idx")));
	reopen_log();
	expect_patterns(0, END + 1, 100);
	expect_range(0, END + 1);
}
END_TEST

START_TEST(trim_takes_nothing_for_a_segment_that_is_left_of_one)
{
	fail_to_roll(_i, -1);
	ck_assert_int_eq(maplog_trim(tlog, END), 0);
	ck_assert(file_exists(log_path(SEALED, "log")));
	ck_assert_uint_eq(append_pattern(100), END);
	reopen_log();
	expect_range(END, END + 1);
	expect_pattern(END, 100);
}
END_TEST

START_TEST(trim_beside_what_cannot_be_removed_is_refused)
{
	fail_to_roll(0, -1);
	fault_set(CALL_UNLINK, 0, 1, EIO);
	ck_assert_int_eq(maplog_trim(tlog, END), -EIO);
	expect_range(0, END);
	ck_assert_int_eq(maplog_trim(tlog, END), 0);
	expect_range(END, END);
}
END_TEST

START_TEST(truncation_removes_what_is_left_of_a_segment)
{
	fail_to_roll(_i, -1);
	ck_assert_int_eq(maplog_truncate(tlog, END - 1), 0);
	ck_assert(!file_exists(log_path(END, "log")));
	ck_assert_uint_eq(append_pattern(100), END - 1);
	ck_assert_uint_eq(append_pattern(MIB), END);
	reopen_log();
	expect_patterns(0, END, 100);
	expect_pattern(END, MIB);
}
END_TEST

START_TEST(names_that_may_come_back_stop_the_log)
{
	fail_to_roll(0, 0);
	fault_set(CALL_SYNC_DIR, 0, 1, EIO);
	ck_assert_int_eq(try_append("no"), -EIO);
	ck_assert_int_eq(try_append("no"), -EROFS);
	ck_assert_int_eq(status().error, -EIO);
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
	fault_clear();
	open_log(MAPLOG_WRITE);
	expect_patterns(0, END, 100);
	append("next");
}
END_TEST

/* That one is not ours, whoever put it there. */
START_TEST(file_in_the_place_of_a_segment_is_left_alone)
{
	make_file(log_path(END, "log"), "mine");
	ck_assert_int_eq(try_append_bytes(MIB), -EEXIST);
	ck_assert_uint_eq(append_pattern(100), END);
	ck_assert(file_holds(log_path(END, "log"), "mine", 4));
}
END_TEST

/* Another writer has begun it since, and it has entries. */
START_TEST(what_was_left_is_forgotten_when_somebody_else_has_written)
{
	struct maplog *other;

	close_log();
	set_state(MAPLOG_FAILED);
	open_log(MAPLOG_READ);
	fault_set(CALL_RESIZE, 0, 1, EIO);
	fault_set(CALL_UNLINK, 1, -1, EIO);
	ck_assert_int_eq(maplog_promote(tlog), -EIO);
	fault_clear();
	ck_assert(file_exists(log_path(END, "log")));
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &other), 0);
	append_to(other, "theirs");
	ck_assert_int_eq(maplog_close(other), 0);
	ck_assert_int_eq(maplog_promote(tlog), 0);
	append("ours");
	reopen_log();
	expect_text(END, "theirs");
	expect_text(END + 1, "ours");
}
END_TEST

static int try_overwrite(uint64_t index, const char *text)
{
	const struct maplog_entry entry = { text, strlen(text), 0 };

	return maplog_overwrite(tlog, index, &entry, 1);
}

/* Looped over how it fails: one more, when there is no room for the entry. */
START_TEST(overwrite_whose_last_try_is_still_there_works)
{
	bool reserves = _i == STEPS;
	int ret;

	if (reserves)
		fault_set(CALL_ALLOCATE, 0, -1, ENOSPC);
	else
		fault_set(steps[_i].call, steps[_i].after, 1, steps[_i].error);
	fault_set(CALL_UNLINK, 1, -1, EIO);
	ret = try_overwrite(END - 1, "no");
	fault_clear();
	ck_assert_int_eq(ret, reserves ? -ENOSPC : -steps[_i].error);
	expect_patterns(0, END, 100);
	ck_assert_int_eq(try_overwrite(END - 1, "yes"), 0);
	expect_text(END - 1, "yes");
	ck_assert_int_eq(count_files(".log.new"), 0);
	reopen_log();
	expect_text(END - 1, "yes");
	expect_range(0, END);
}
END_TEST

/* ---- Power cuts ---- */

static void expect_all(const struct cut *cut)
{
	must(!maplog_open(store, cut->name, MAPLOG_WRITE, &tlog));
	expect_range(0, END + 1);
	expect_patterns(0, END + 1, 100);
	close_log();
}

/* What was removed may come back: it was gone for good before something was
 * appended that lies behind its name. */
START_TEST(segment_that_was_not_begun_takes_nothing_in_a_power_cut)
{
	static const struct plan none;
	static const struct plan plan = {
		.losses = 1U << LOSS_SOME,
		.some = 32,
		.one_in = 1,
	};
	struct disk *disk = disk_attach(LOG, NULL, &none, 1);
	struct cut *cuts;
	size_t n;

	fail_to_roll(_i, 0);
	append_pattern(100);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	disk_replan(disk, &plan);
	disk_cut(disk);
	disk_replan(disk, &none);
	close_log();
	n = disk_detach(disk, &cuts);
	ck_assert_uint_ge(n, 32);
	for (size_t i = 0; i < n; i++)
		expect_all(&cuts[i]);
	free(cuts);
}
END_TEST

static Suite *room_suite(void)
{
	Suite *suite = suite_create("room");
	TCase *opening = unit_case(suite, "opening");
	TCase *left = unit_case(suite, "left");

	tcase_add_checked_fixture(opening, make, NULL);
	tcase_add_checked_fixture(left, make_many, NULL);
	tcase_add_loop_test(
		opening, log_that_must_leave_its_segment_opens_on_a_full_disk,
		0, 4);
	tcase_add_test(opening, segment_that_was_left_on_a_full_disk_is_sealed);
	tcase_add_test(
		opening,
		segment_is_left_by_the_next_writer_if_this_one_is_killed);
	tcase_add_test(opening, empty_segment_is_left_on_a_full_disk);
	tcase_add_test(opening, reader_takes_over_on_a_full_disk);
	tcase_add_test(
		opening,
		segment_that_cannot_be_left_for_another_reason_refuses_the_log);
	tcase_add_loop_test(
		left, segment_whose_last_try_is_still_there_is_begun, 0, STEPS);
	tcase_add_loop_test(
		left, what_is_left_of_a_segment_is_removed_when_that_works, 0,
		2);
	tcase_add_loop_test(
		left, nothing_is_appended_beside_what_is_left_of_a_segment, 0,
		STEPS);
	tcase_add_loop_test(
		left, trim_takes_nothing_for_a_segment_that_is_left_of_one, 0,
		STEPS);
	tcase_add_test(left, trim_beside_what_cannot_be_removed_is_refused);
	tcase_add_loop_test(left, truncation_removes_what_is_left_of_a_segment,
			    0, STEPS);
	tcase_add_test(left, names_that_may_come_back_stop_the_log);
	tcase_add_test(left, file_in_the_place_of_a_segment_is_left_alone);
	tcase_add_test(
		left,
		what_was_left_is_forgotten_when_somebody_else_has_written);
	tcase_add_loop_test(left, overwrite_whose_last_try_is_still_there_works,
			    0, STEPS + 1);
	tcase_add_loop_test(
		left, segment_that_was_not_begun_takes_nothing_in_a_power_cut,
		0, STEPS);
	return suite;
}

int main(void)
{
	return unit_run(room_suite());
}
