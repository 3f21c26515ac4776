/* SPDX-License-Identifier: MIT */
/* Tests of snapshots: ranges that outlive truncation and trim. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static struct maplog_snapshot *snapshot;

static void take(uint64_t first, uint64_t next)
{
	ck_assert_int_eq(maplog_snapshot_take(tlog, first, next, &snapshot), 0);
}

static void expect_kept(uint64_t index)
{
	struct maplog_view view;
	char expected[100];

	ck_assert_int_eq(maplog_snapshot_view(snapshot, index, 1, &view), 0);
	ck_assert_uint_eq(view.index, index);
	ck_assert_uint_eq(view.count, 1);
	ck_assert_uint_eq(view.bytes, 100);
	pattern(expected, 100, index);
	ck_assert_int_eq(memcmp(view.data, expected, 100), 0);
	ck_assert_int_eq(maplog_view_check(tlog, &view, NULL), 0);
	maplog_view_release(&view);
}

static void expect_all_kept(uint64_t first, uint64_t next)
{
	for (uint64_t i = first; i < next; i++)
		expect_kept(i);
}

static int view_error(uint64_t index)
{
	struct maplog_view view;

	return maplog_snapshot_view(snapshot, index, 1, &view);
}

/* Three segments: 0 to 2, 3 to 5, and the active one, 6 to 8. */
static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	for (int i = 0; i < 3; i++) {
		append_many(3, 100);
		if (i < 2)
			ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
}

static void release(void)
{
	maplog_snapshot_release(snapshot);
	snapshot = NULL;
}

START_TEST(snapshot_is_of_a_range)
{
	take(2, 7);
	expect_all_kept(2, 7);
	ck_assert_int_eq(view_error(1), -ENOENT);
	ck_assert_int_eq(view_error(7), -ENODATA);
	ck_assert_int_eq(view_error(UINT64_MAX), -ENODATA);
}
END_TEST

START_TEST(range_that_the_log_does_not_hold_is_refused)
{
	ck_assert_int_eq(maplog_snapshot_take(tlog, 0, 10, &snapshot),
			 -ENODATA);
	ck_assert_int_eq(maplog_snapshot_take(tlog, 5, 4, &snapshot), -ENODATA);
	ck_assert_int_eq(maplog_trim(tlog, 4), 0);
	ck_assert_int_eq(maplog_snapshot_take(tlog, 3, 5, &snapshot), -ENOENT);
	ck_assert_ptr_null(snapshot);
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	fault_set(CALL_NEW, 0, 1, ENOMEM);
	ck_assert_int_eq(maplog_snapshot_take(tlog, 0, 9, &snapshot), -ENOMEM);
}
END_TEST

START_TEST(empty_range_is_a_snapshot_of_nothing)
{
	take(4, 4);
	ck_assert_int_eq(view_error(4), -ENODATA);
}
END_TEST

START_TEST(views_end_with_the_range)
{
	struct maplog_view view;

	take(0, 2);
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 0, 100, &view), 0);
	ck_assert_uint_eq(view.count, 2);
	maplog_view_release(&view);
	ck_assert_int_eq(maplog_truncate(tlog, 0), 0);
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 0, 100, &view), 0);
	ck_assert_uint_eq(view.count, 2);
	maplog_view_release(&view);
}
END_TEST

/* Looped over where the log is truncated: entries that come later have other
 * bytes than those in the snapshot. */
START_TEST(truncation_leaves_the_snapshot)
{
	take(1, 8);
	ck_assert_int_eq(maplog_truncate(tlog, (uint64_t)_i), 0);
	for (int i = 0; i < 10; i++)
		append("another");
	expect_all_kept(1, 8);
	expect_text((uint64_t)_i, "another");
}
END_TEST

START_TEST(trim_leaves_the_snapshot)
{
	take(1, 8);
	ck_assert_int_eq(maplog_trim(tlog, (uint64_t)_i), 0);
	append_many(3, 100);
	expect_all_kept(1, 8);
}
END_TEST

/* Looped over a pair of indexes. */
START_TEST(trim_and_truncations_leave_the_snapshot)
{
	uint64_t low = (uint64_t)_i % 10;
	uint64_t high = (uint64_t)_i / 10;

	if (low > high)
		return;
	take(1, 8);
	ck_assert_int_eq(maplog_trim(tlog, low), 0);
	ck_assert_int_eq(maplog_truncate(tlog, high), 0);
	append("another");
	expect_all_kept(1, 8);
	ck_assert_int_eq(maplog_truncate(tlog, low), 0);
	for (int i = 0; i < 10; i++)
		append("yet another");
	ck_assert_int_eq(maplog_trim(tlog, low + 3), 0);
	expect_all_kept(1, 8);
}
END_TEST

START_TEST(two_snapshots_do_not_mind_each_other)
{
	struct maplog_snapshot *other;

	take(0, 9);
	other = snapshot;
	take(4, 6);
	ck_assert_int_eq(maplog_truncate(tlog, 2), 0);
	expect_all_kept(4, 6);
	release();
	snapshot = other;
	expect_all_kept(0, 9);
}
END_TEST

static int open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += !lseek(fd, 0, SEEK_CUR);
	return n;
}

START_TEST(snapshot_costs_no_file_until_it_is_needed)
{
	int before = open_files();

	take(0, 9);
	expect_all_kept(0, 9);
	ck_assert_int_eq(open_files(), before);
	release();
}
END_TEST

START_TEST(released_snapshot_gives_everything_back)
{
	int before = open_files();
	uint64_t mapped;

	take(0, 9);
	ck_assert_int_eq(maplog_truncate(tlog, 4), 0);
	/* What is read once only is not mapped. */
	expect_all_kept(0, 9);
	expect_all_kept(0, 9);
	mapped = status().mapped;
	release();
	ck_assert_int_le(open_files(), before);
	ck_assert_uint_lt(status().mapped, mapped);
	maplog_snapshot_release(NULL);
}
END_TEST

/* Better than as others: without its files an entry is stale. */
START_TEST(snapshot_that_cannot_be_kept_is_stale)
{
	int ret;

	take(0, 9);
	fault_set(_i ? CALL_OPEN : CALL_NEW, 0, 1, EMFILE);
	ret = maplog_truncate(tlog, 8);
	fault_clear();
	ck_assert_int_eq(ret, 0);
	expect_all_kept(0, 8);
	ck_assert_int_eq(view_error(8), -ESTALE);
}
END_TEST

static Suite *snapshot_suite(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tcase = unit_case(suite, "snapshot");

	tcase_add_checked_fixture(tcase, make, release);
	tcase_add_test(tcase, snapshot_is_of_a_range);
	tcase_add_test(tcase, range_that_the_log_does_not_hold_is_refused);
	tcase_add_test(tcase, no_memory_is_an_error);
	tcase_add_test(tcase, empty_range_is_a_snapshot_of_nothing);
	tcase_add_test(tcase, views_end_with_the_range);
	tcase_add_loop_test(tcase, truncation_leaves_the_snapshot, 0, 9);
	tcase_add_loop_test(tcase, trim_leaves_the_snapshot, 0, 10);
	tcase_add_loop_test(tcase, trim_and_truncations_leave_the_snapshot, 0,
			    100);
	tcase_add_test(tcase, two_snapshots_do_not_mind_each_other);
	tcase_add_test(tcase, snapshot_costs_no_file_until_it_is_needed);
	tcase_add_test(tcase, released_snapshot_gives_everything_back);
	tcase_add_loop_test(tcase, snapshot_that_cannot_be_kept_is_stale, 0, 2);
	return suite;
}

int main(void)
{
	return unit_run(snapshot_suite());
}
