/* SPDX-License-Identifier: MIT */
/*
 * Tests of segments that were rolled and never synced: what a power cut leaves
 * of them is a torn tail, unless something good lies behind it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "files.h"
#include "fixture.h"

#define MIB ((size_t)1 << 20)

/* Without its keeper: nothing is synced that is not asked for. */
static void make(void)
{
	create_log("segment-size", "1M", "sync", "manual", NULL);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
}

/* Three entries, and one in the segment behind them. */
static void roll_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_many(3, 100);
	append_pattern(MIB);
}

static void expect_lost(uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		ck_assert_int_eq(read_error(i), -EUCLEAN);
}

/* As a reader, and as two writers: entries @from to @to are damaged. */
static void expect_log(uint64_t from, uint64_t to, uint64_t next)
{
	for (uint64_t i = 0; i < 3; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_patterns(0, from, 100);
		expect_lost(from, to);
		if (to < next)
			expect_pattern(3, to < 3 ? 100 : MIB);
		expect_range(0, i > 1 ? next + 1 : next);
		if (i)
			ck_assert_uint_eq(append_pattern(100), next + i - 1);
		close_log();
	}
}

/* ---- By a disk that forgets ---- */

static void expect_cut(const struct cut *cut)
{
	uint64_t next;

	for (int i = 0; i < 3; i++) {
		must(!maplog_open(store, cut->name,
				  i ? MAPLOG_WRITE : MAPLOG_READ, &tlog));
		next = counters().next;
		ck_assert_uint_ge(next, 1);
		expect_pattern(0, 100);
		for (uint64_t n = 1; n < next; n++)
			expect_pattern(n, MIB);
		ck_assert_uint_eq(status().recovery.damaged, 0);
		close_log();
	}
}

/* Looped over whether the log begins with a segment that is sealed. */
START_TEST(rolled_segment_that_a_power_cut_emptied_is_cut)
{
	static const struct plan none;
	static const struct plan plan = {
		.losses = 1U << LOSS_CONTENTS | 1U << LOSS_ALL,
		.one_in = 1,
	};
	struct disk *disk;
	struct cut *cuts;
	size_t n;

	open_log(MAPLOG_WRITE);
	append_many(1, 100);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	disk = disk_attach(LOG, NULL, &plan, 1);
	if (_i)
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(3, MIB);
	disk_cut(disk);
	disk_replan(disk, &none);
	close_log();
	n = disk_detach(disk, &cuts);
	ck_assert_uint_ge(n, 16);
	for (size_t i = 0; i < n; i++)
		expect_cut(&cuts[i]);
	free(cuts);
}
END_TEST

/* ---- By hand ---- */

static void lose_trailer(void)
{
	zero_file(log_path(0, "log"), TRAILER_AT, TRAILER_AT + 4096);
}

static void lose_last_record(void)
{
	zero_file(log_path(0, "idx"), 2 * RECORD_SIZE, 3 * RECORD_SIZE);
}

START_TEST(rolled_segment_without_trailer_ends_where_its_index_does)
{
	(void)run_child(roll_and_die);
	lose_trailer();
	lose_last_record();
	shorten_file(log_path(3, "log"), 0);
	expect_log(2, 2, 2);
}
END_TEST

START_TEST(rolled_segment_whose_index_is_true_needs_no_trailer)
{
	(void)run_child(roll_and_die);
	lose_trailer();
	shorten_file(log_path(3, "log"), 0);
	expect_log(3, 3, 3);
}
END_TEST

/* An entry before a batch that ends with one of no bytes: of that, the record
 * alone is all there is. */
static void roll_empty_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_many(1, 100);
	append_batch("payload", "", NULL);
	append_pattern(MIB);
}

START_TEST(empty_entry_of_a_batch_that_is_lost_is_no_end)
{
	(void)run_child(roll_empty_and_die);
	lose_trailer();
	zero_file(log_path(0, "log"), 100, 4096);
	shorten_file(log_path(3, "log"), 0);
	expect_log(1, 1, 1);
}
END_TEST

/* Three entries are durable, then two segments were rolled, and none of that
 * is. */
static void sync_and_roll_twice(void)
{
	open_log(MAPLOG_WRITE);
	append_many(3, 100);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	append_many(1, 100);
	append_pattern(MIB);
	append_pattern(MIB);
}

/* Looped over whether that of the last one is there. */
START_TEST(rolled_segment_whose_index_is_true_hides_none_before_it)
{
	(void)run_child(sync_and_roll_twice);
	zero_file(log_path(0, "idx"), 0, 4 * RECORD_SIZE);
	zero_file(log_path(4, "log"), TRAILER_AT, TRAILER_AT + 4096);
	if (_i)
		shorten_file(log_path(5, "log"), 0);
	for (int i = 0; i < 3; i++) {
		open_log(i ? MAPLOG_WRITE : MAPLOG_READ);
		expect_patterns(0, 4, 100);
		expect_pattern(4, MIB);
		if (!_i)
			expect_pattern(5, MIB);
		expect_range(0, _i ? 5 : 6);
		close_log();
	}
}
END_TEST

/* Looped over what fails while it is looked at: that is told, or does not
 * matter. */
START_TEST(end_that_cannot_be_looked_at_is_not_taken_for_one)
{
	bool refused = false;
	int ret;

	(void)run_child(roll_and_die);
	lose_trailer();
	lose_last_record();
	shorten_file(log_path(3, "log"), 0);
	copy_tree(LOG, "before");
	for (int n = 0; n < 32; n++) {
		fault_set(_i ? CALL_MAP : CALL_OPEN, n, 1, ENOMEM);
		ret = maplog_open(store, LOG, MAPLOG_WRITE, &tlog);
		fault_clear();
		refused |= ret == -ENOMEM;
		ck_assert(!ret || ret == -ENOMEM);
		if (!ret) {
			expect_range(0, 2);
			close_log();
		}
		copy_tree("before", LOG);
	}
	ck_assert(refused);
	expect_log(2, 2, 2);
}
END_TEST

START_TEST(emptied_segment_before_a_good_one_is_damage)
{
	(void)run_child(roll_and_die);
	shorten_file(log_path(0, "log"), 0);
	expect_log(0, 3, 4);
}
END_TEST

START_TEST(end_that_is_lost_before_a_good_segment_is_damage)
{
	(void)run_child(roll_and_die);
	lose_trailer();
	lose_last_record();
	expect_log(2, 3, 4);
}
END_TEST

/* Whatever looks like a trailer in it: its writer may have appended that. */
START_TEST(rolled_segment_whose_index_is_cut_ends_there)
{
	(void)run_child(roll_and_die);
	shorten_file(log_path(0, "idx"), 2 * RECORD_SIZE);
	zero_file(log_path(0, "log"), RECORD_AT(2), RECORD_AT(3));
	shorten_file(log_path(3, "log"), 0);
	expect_log(2, 2, 2);
}
END_TEST

static void seal_and_roll(void)
{
	open_log(MAPLOG_WRITE);
	append_many(3, 100);
	copy_tree(LOG, "before");
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_pattern(100);
	append_pattern(MIB);
}

static void append_and_die(void)
{
	open_log(MAPLOG_WRITE);
	copy_tree(LOG, "before");
	append_many(3, 100);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

/* Looped over whether the power cut also took the new size of what was sealed,
 * and then the copy behind it. */
START_TEST(name_behind_a_rolled_segment_that_is_lost_is_no_end)
{
	(void)run_child(seal_and_roll);
	if (_i)
		restore_file(log_path(0, "log"));
	if (_i > 1)
		zero_file(log_path(0, "log"), RECORD_AT(0), RECORD_AT(3));
	ck_assert_int_eq(unlinkat(store, log_path(3, "log"), 0), 0);
	ck_assert_int_eq(unlinkat(store, log_path(3, "idx"), 0), 0);
	shorten_file(log_path(4, "log"), 0);
	expect_log(3, 3, 3);
}
END_TEST

/* Of what is not sealed, the copy says what there is. Looped over whether the
 * head is of before that, as a power cut leaves it, then over what is left. */
START_TEST(active_segment_whose_index_is_cut_has_its_entries)
{
	(void)run_child(append_and_die);
	if (_i % 2)
		restore_file(LOG "/head");
	shorten_file(log_path(0, "idx"), _i / 2 ? 1 : RECORD_SIZE);
	expect_log(3, 3, 3);
}
END_TEST

/* Looped over what a read gives: an error for the writer; for a reader, that a
 * file ends early, since it changes now, and that is none. */
START_TEST(cut_index_that_cannot_be_read_is_told_or_does_not_matter)
{
	enum maplog_mode mode = _i ? MAPLOG_READ : MAPLOG_WRITE;
	bool told = false;

	(void)run_child(append_and_die);
	shorten_file(log_path(0, "idx"), RECORD_SIZE);
	copy_tree(LOG, "before");
	for (int n = 0; n < 16; n++) {
		int ret;

		fault_set(CALL_READ, n, 1, _i ? ENODATA : EIO);
		ret = maplog_open(store, LOG, mode, &tlog);
		fault_clear();
		told |= ret == -EIO;
		ck_assert(!ret || ret == -EUCLEAN || (!_i && ret == -EIO));
		if (!ret) {
			if (!_i)
				expect_patterns(0, 3, 100);
			close_log();
		}
		tlog = NULL;
		copy_tree("before", LOG);
	}
	ck_assert(_i || told);
	expect_log(3, 3, 3);
}
END_TEST

/* A power cut has left its size, but not the copy. By a head that was made
 * again, nothing is durable. */
START_TEST(sealed_segment_whose_size_came_back_has_its_index)
{
	(void)run_child(seal_and_roll);
	restore_file(log_path(0, "log"));
	zero_file(log_path(0, "log"), RECORD_AT(0), RECORD_AT(3));
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	for (int i = 0; i < 2; i++) {
		open_log(MAPLOG_WRITE);
		expect_patterns(0, 4, 100);
		expect_pattern(4, MIB);
		ck_assert_uint_eq(status().recovery.damaged, 0);
		close_log();
	}
}
END_TEST

/* By a head that was made again, nothing is durable. */
START_TEST(sealed_segment_that_is_damaged_at_its_end_needs_no_head)
{
	open_log(MAPLOG_WRITE);
	append_many(3, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_pattern(MIB);
	close_log();
	ck_assert_uint_eq(file_size(log_path(0, "log")), 300);
	lose_last_record();
	ck_assert_int_eq(unlinkat(store, LOG "/head", 0), 0);
	open_log(MAPLOG_WRITE);
	ck_assert(status().recovery.head);
	close_log();
	expect_log(2, 3, 4);
}
END_TEST

static Suite *rolled_suite(void)
{
	Suite *suite = suite_create("rolled");
	TCase *tcase = unit_case(suite, "rolled");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_loop_test(
		tcase, rolled_segment_that_a_power_cut_emptied_is_cut, 0, 2);
	tcase_add_test(
		tcase,
		rolled_segment_without_trailer_ends_where_its_index_does);
	tcase_add_test(tcase,
		       rolled_segment_whose_index_is_true_needs_no_trailer);
	tcase_add_test(tcase, empty_entry_of_a_batch_that_is_lost_is_no_end);
	tcase_add_loop_test(
		tcase, rolled_segment_whose_index_is_true_hides_none_before_it,
		0, 2);
	tcase_add_loop_test(
		tcase, end_that_cannot_be_looked_at_is_not_taken_for_one, 0, 2);
	tcase_add_test(tcase, emptied_segment_before_a_good_one_is_damage);
	tcase_add_test(tcase, rolled_segment_whose_index_is_cut_ends_there);
	tcase_add_test(tcase,
		       sealed_segment_whose_size_came_back_has_its_index);
	tcase_add_loop_test(
		tcase, cut_index_that_cannot_be_read_is_told_or_does_not_matter,
		0, 2);
	tcase_add_loop_test(
		tcase, active_segment_whose_index_is_cut_has_its_entries, 0, 4);
	tcase_add_loop_test(tcase,
			    name_behind_a_rolled_segment_that_is_lost_is_no_end,
			    0, 3);
	tcase_add_test(tcase, end_that_is_lost_before_a_good_segment_is_damage);
	tcase_add_test(tcase,
		       sealed_segment_that_is_damaged_at_its_end_needs_no_head);
	return suite;
}

int main(void)
{
	return unit_run(rolled_suite());
}
