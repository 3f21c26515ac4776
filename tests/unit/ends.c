/* SPDX-License-Identifier: MIT */
/*
 * Tests of the ends of segments that a truncation has ended: what they hold
 * behind that stays away whatever is lost, and no end is left where the log has
 * entries again.
 */
#include <errno.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static void lose_segment(uint64_t base)
{
	ck_assert_int_eq(unlinkat(store, log_path(base, "log"), 0), 0);
	ck_assert_int_eq(unlinkat(store, log_path(base, "idx"), 0), 0);
}

/* Segments with three and two entries that were ended there, and one with two.
 * Behind the end of the first one there are five more. */
static void truncate_twice(void)
{
	create_log("segment-size", "1M", NULL);
	open_log(MAPLOG_WRITE);
	append_many(8, 100);
	ck_assert_int_eq(maplog_truncate(tlog, 3), 0);
	append_many(4, 50);
	ck_assert_int_eq(maplog_truncate(tlog, 5), 0);
	append_many(2, 100);
}

static void overwrite_twice(void)
{
	const struct maplog_entry entry = { "new", 3, 0 };

	create_log("segment-size", "1M", NULL);
	open_log(MAPLOG_WRITE);
	append_many(8, 100);
	ck_assert_int_eq(maplog_overwrite(tlog, 3, &entry, 1), 0);
	append_many(3, 50);
	ck_assert_int_eq(maplog_truncate(tlog, 5), 0);
	append_many(2, 100);
}

/* Neither do those of a truncation, or of an overwrite, before the last one. */
START_TEST(no_truncated_entries_come_back_for_a_segment_lost_later)
{
	if (_i)
		overwrite_twice();
	else
		truncate_twice();
	close_log();
	lose_segment(3);
	for (int i = 0; i < 3; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_patterns(0, 3, 100);
		ck_assert_int_eq(read_error(3), -EUCLEAN);
		ck_assert_int_eq(read_error(4), -EUCLEAN);
		expect_patterns(5, 7, 100);
		if (i)
			append("next");
		close_log();
	}
}
END_TEST

START_TEST(end_of_a_segment_goes_with_what_is_truncated_behind_it)
{
	truncate_twice();
	ck_assert_int_eq(count_files(".end"), 2);
	ck_assert_int_eq(maplog_truncate(tlog, 3), 0);
	ck_assert_int_eq(count_files(".end"), 1);
	/* There may have been no room for it the first time. */
	ck_assert_int_eq(unlinkat(store, log_path(3, "end"), 0), 0);
	append_many(2, 100);
	ck_assert_int_eq(maplog_truncate(tlog, 3), 0);
	ck_assert_int_eq(count_files(".end"), 1);
	append_many(5, 100);
	ck_assert_int_eq(maplog_truncate(tlog, 0), 0);
	ck_assert_int_eq(count_files(".end"), 0);
	append_many(9, 100);
	reopen_log();
	expect_patterns(0, 9, 100);
}
END_TEST

START_TEST(end_of_a_segment_goes_with_what_is_trimmed_behind_it)
{
	truncate_twice();
	ck_assert_int_eq(maplog_trim(tlog, 5), 0);
	ck_assert_int_eq(count_files(".end"), 1);
	append_many(1, 100);
	ck_assert_int_eq(maplog_trim(tlog, 8), 0);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	reopen_log();
	ck_assert_int_eq(count_files(".end"), 0);
}
END_TEST

static int die_at;

static void trim_and_die(void)
{
	open_log(MAPLOG_WRITE);
	fault_set(CALL_UNLINK, die_at, 1, FAULT_DIE);
	(void)maplog_trim(tlog, 5);
}

/* Or a head that was made again would begin there. Looped over the names that
 * are removed. */
START_TEST(end_of_a_trimmed_segment_does_not_outlive_it)
{
	die_at = _i;
	truncate_twice();
	close_log();
	ck_assert_int_eq(run_child(trim_and_die), DIED);
	ck_assert(file_exists(log_path(3, "log")) ||
		  !file_exists(log_path(3, "end")));
}
END_TEST

/* Where all that lies behind it is lost, and opened more than once, too. */
START_TEST(end_of_a_segment_outlives_what_is_behind_it)
{
	truncate_twice();
	close_log();
	lose_segment(3);
	lose_segment(5);
	for (int i = 0; i < 4; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_patterns(0, 3, 100);
		for (uint64_t n = 3; n < 7; n++)
			ck_assert_int_eq(read_error(n), -EUCLEAN);
		if (i)
			ck_assert_uint_eq(append("next"), 6 + (uint64_t)i);
		close_log();
	}
}
END_TEST

/* A writer that was killed before it began the next one leaves as much. */
START_TEST(end_of_a_segment_outlives_an_empty_one)
{
	truncate_twice();
	ck_assert_int_eq(maplog_truncate(tlog, 3), 0);
	close_log();
	lose_segment(3);
	for (int i = 0; i < 3; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_range(0, 2 + (uint64_t)i + !i);
		expect_patterns(0, 3, 100);
		ck_assert_int_eq(count_files(".end"), 1);
		ck_assert_uint_eq(status().recovery.damaged, 0);
		if (i)
			ck_assert_uint_eq(append("next"), 2 + (uint64_t)i);
		close_log();
	}
}
END_TEST

static void truncate_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_many(8, 100);
	fault_set(CALL_RESIZE, 0, 1, FAULT_DIE);
	(void)maplog_truncate(tlog, 3);
}

/* When it has made the end durable. */
static void recover_and_die(void)
{
	fault_set(CALL_SYNC_DIR, 1, 1, FAULT_DIE);
	open_log(MAPLOG_WRITE);
}

static void recover_until_it_dies(void)
{
	fault_set(CALL_WRITE, die_at, 1, FAULT_DIE);
	open_log(MAPLOG_WRITE);
}

/* Killed before it was cut, then before the next one was begun; then the head
 * is lost, and with it what was truncated. Looped over where that recovery is
 * killed. */
START_TEST(segment_that_was_ended_is_not_appended_to)
{
	die_at = _i;
	create_log("segment-size", "1M", NULL);
	ck_assert_int_eq(run_child(truncate_and_die), DIED);
	ck_assert_int_eq(run_child(recover_and_die), DIED);
	ck_assert_int_eq(count_files(".end"), 1);
	ck_assert_int_eq(count_files(".log"), 1);
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	(void)run_child(recover_until_it_dies);
	for (uint64_t i = 0; i < 2; i++) {
		open_log(MAPLOG_WRITE);
		expect_patterns(0, 3, 100);
		ck_assert_uint_eq(append("next"), 3 + i);
		ck_assert_int_eq(count_files(".end"), 1);
		ck_assert_int_eq(count_files(".torn"), 0);
		close_log();
	}
}
END_TEST

static void append_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_many(8, 100);
}

/* The reader is the parent's. */
static void decide_and_die(void)
{
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	fault_set(CALL_SYNC, 2, 1, FAULT_DIE);
	(void)maplog_truncate(tlog, 3);
}

static void finish_and_die(void)
{
	tlog = NULL;
	fault_die(die_at);
	open_log(MAPLOG_WRITE);
}

/* Looped over where the writer is killed that finishes a truncation. */
START_TEST(reader_sees_no_damage_while_a_truncation_is_finished)
{
	int ret;

	die_at = _i;
	create_log("segment-size", "1M", NULL);
	(void)run_child(append_and_die);
	open_log(MAPLOG_READ);
	ck_assert_int_eq(read_error(4), 0);
	ck_assert_int_eq(run_child(decide_and_die), DIED);
	(void)run_child(finish_and_die);
	ret = read_error(4);
	ck_assert_msg(!ret || ret == -ENODATA, "reading gives %d", ret);
}
END_TEST

/* By a head that was made again, nothing is durable, and the end is before it:
 * what is appended goes on behind it. */
START_TEST(end_of_a_segment_goes_with_a_torn_tail_before_it)
{
	truncate_twice();
	ck_assert_int_eq(maplog_truncate(tlog, 5), 0);
	close_log();
	zero_file(log_path(3, "idx"), RECORD_SIZE, 2 * RECORD_SIZE);
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	fault_set(CALL_UNLINK, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EIO);
	fault_clear();
	tlog = NULL;
	ck_assert_int_eq(count_files(".end"), 2);
	open_log(MAPLOG_WRITE);
	expect_range(0, 4);
	ck_assert_int_eq(count_files(".end"), 1);
	append_many(4, 100);
	reopen_log();
	expect_range(0, 8);
	expect_patterns(4, 8, 100);
}
END_TEST

/* Looped over who opens it. The place of what is lost is made again. */
START_TEST(place_of_a_lost_segment_is_there_or_there_is_no_memory)
{
	enum maplog_mode mode = _i ? MAPLOG_WRITE : MAPLOG_READ;
	int refused = 0;

	truncate_twice();
	close_log();
	lose_segment(5);
	ck_assert_int_eq(unlinkat(store, log_path(5, "end"), 0), 0);
	copy_tree(LOG, "before");
	for (int n = 0; n < 32; n++) {
		int ret;

		fault_set(CALL_NEW, n, 1, ENOMEM);
		ret = maplog_open(store, LOG, mode, &tlog);
		fault_clear();
		ck_assert(!ret || ret == -ENOMEM);
		refused += !!ret;
		if (!ret) {
			expect_range(0, 7);
			ck_assert_int_eq(read_error(5), -EUCLEAN);
			(void)maplog_close(tlog);
		}
		tlog = NULL;
		copy_tree("before", LOG);
	}
	ck_assert_int_ge(refused, 4);
}
END_TEST

/* One of these calls is the one that makes it. */
START_TEST(no_room_for_the_end_of_a_segment_refuses_no_truncation)
{
	static const int errors[] = { ENOSPC, EDQUOT };
	bool left_out = false;
	int ret;

	for (int n = 0; n < 8; n++) {
		create_log("segment-size", "1M", NULL);
		open_log(MAPLOG_WRITE);
		append_many(8, 100);
		fault_set(CALL_OPEN, n, 1, errors[_i]);
		ret = maplog_truncate(tlog, 3);
		fault_clear();
		left_out |= !ret && !count_files(".end");
		expect_range(0, 3);
		(void)maplog_close(tlog);
		tlog = NULL;
		remove_log();
	}
	ck_assert(left_out);
}
END_TEST

static Suite *ends_suite(void)
{
	Suite *suite = suite_create("ends");
	TCase *tcase = unit_case(suite, "ends");

	tcase_add_loop_test(
		tcase, no_truncated_entries_come_back_for_a_segment_lost_later,
		0, 2);
	tcase_add_test(tcase,
		       end_of_a_segment_goes_with_what_is_truncated_behind_it);
	tcase_add_test(tcase,
		       end_of_a_segment_goes_with_what_is_trimmed_behind_it);
	tcase_add_loop_test(tcase, end_of_a_trimmed_segment_does_not_outlive_it,
			    0, 6);
	tcase_add_test(tcase, end_of_a_segment_outlives_what_is_behind_it);
	tcase_add_test(tcase, end_of_a_segment_outlives_an_empty_one);
	tcase_add_loop_test(tcase, segment_that_was_ended_is_not_appended_to, 0,
			    9);
	tcase_add_loop_test(
		tcase, reader_sees_no_damage_while_a_truncation_is_finished, 0,
		24);
	tcase_add_loop_test(
		tcase, no_room_for_the_end_of_a_segment_refuses_no_truncation,
		0, 2);
	tcase_add_test(tcase, end_of_a_segment_goes_with_a_torn_tail_before_it);
	tcase_add_loop_test(
		tcase, place_of_a_lost_segment_is_there_or_there_is_no_memory,
		0, 2);
	return suite;
}

int main(void)
{
	return unit_run(ends_suite());
}
