/* SPDX-License-Identifier: MIT */
/* Tests of positions: what a truncation has taken from a reader, and what not.
 */
#include <string.h>

#include "fixture.h"
#include "position.h"

static struct maplog_position position;

static void set(uint64_t index)
{
	maplog_position_set(tlog, index, &position);
}

/* Where a reader is to go on that has read all below the position. */
static uint64_t checked(void)
{
	struct maplog_position now;

	ck_assert_int_eq(maplog_position_check(tlog, &position, &now), 0);
	position = now;
	return now.next;
}

static void truncate_to(uint64_t index)
{
	ck_assert_int_eq(maplog_truncate(tlog, index), 0);
}

static void make(void)
{
	make_log("sync", "manual", NULL);
	append_many(10, 10);
}

START_TEST(position_stays_while_nothing_is_truncated)
{
	for (uint64_t i = 0; i <= 10; i++) {
		set(i);
		append("more");
		ck_assert_uint_eq(checked(), i);
	}
}
END_TEST

/* Looped over where the truncation is: the reader is at 5. */
START_TEST(truncation_above_takes_nothing_and_one_below_all_from_there)
{
	uint64_t index = (uint64_t)_i;

	set(5);
	truncate_to(index);
	ck_assert_uint_eq(checked(), index < 5 ? index : 5);
}
END_TEST

START_TEST(entries_that_replace_others_are_not_taken_for_them)
{
	uint64_t index = (uint64_t)_i;

	set(5);
	truncate_to(index);
	/* The same bytes, and more of them than there were. */
	for (uint64_t i = index; i < 20; i++)
		append_pattern(10);
	ck_assert_uint_eq(checked(), index < 5 ? index : 5);
	ck_assert_uint_eq(checked(), index < 5 ? index : 5);
}
END_TEST

START_TEST(lowest_of_several_truncations_counts)
{
	set(9);
	truncate_to(8);
	append_many(5, 10);
	truncate_to(3);
	append_many(20, 10);
	truncate_to(12);
	append_many(5, 10);
	ck_assert_uint_eq(checked(), 3);
}
END_TEST

START_TEST(overwritten_entry_is_not_missed)
{
	set(10);
	overwrite(5, "another");
	ck_assert_uint_eq(checked(), 5);
}
END_TEST

/* All of a batch have one time. */
START_TEST(batch_is_told_apart_where_it_is_cut)
{
	append_batch("a", "b", "c", "d", NULL);
	set(14);
	truncate_to(12);
	append("new");
	append("new");
	ck_assert_uint_eq(checked(), 12);
}
END_TEST

/* Else those that replace others would be of the same time. */
START_TEST(clock_that_is_set_back_makes_no_difference)
{
	set(10);
	calls_clock_offset = -1000;
	truncate_to(4);
	append_many(10, 10);
	ck_assert_uint_eq(checked(), 4);
	overwrite(3, "another");
	ck_assert_uint_eq(checked(), 3);
}
END_TEST

START_TEST(trimmed_entries_count_as_being_there)
{
	set(5);
	ck_assert_int_eq(maplog_trim(tlog, 7), 0);
	truncate_to(9);
	ck_assert_uint_eq(checked(), 5);
}
END_TEST

START_TEST(position_outlives_the_log_that_it_is_of)
{
	set(8);
	truncate_to(6);
	append("new");
	append("new");
	append("new");
	reopen_log();
	ck_assert_uint_eq(checked(), 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("position");
	TCase *tcase = unit_case(suite, "position");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, position_stays_while_nothing_is_truncated);
	tcase_add_loop_test(
		tcase,
		truncation_above_takes_nothing_and_one_below_all_from_there, 0,
		10);
	tcase_add_loop_test(tcase,
			    entries_that_replace_others_are_not_taken_for_them,
			    0, 10);
	tcase_add_test(tcase, lowest_of_several_truncations_counts);
	tcase_add_test(tcase, overwritten_entry_is_not_missed);
	tcase_add_test(tcase, batch_is_told_apart_where_it_is_cut);
	tcase_add_test(tcase, clock_that_is_set_back_makes_no_difference);
	tcase_add_test(tcase, trimmed_entries_count_as_being_there);
	tcase_add_test(tcase, position_outlives_the_log_that_it_is_of);
	return unit_run(suite);
}
