/* SPDX-License-Identifier: MIT */
/* Tests of peeks: copies of single entries, and when there are none. */
#include "peek.h"

#include <errno.h>
#include <string.h>

#include "files.h"
#include "fixture.h"

static struct maplog_view view;

static int look(uint64_t index)
{
	return maplog_view(tlog, index, 1, &view);
}

static void expect(uint64_t index, size_t bytes)
{
	ck_assert_int_eq(look(index), 0);
	ck_assert_uint_eq(view.index, index);
	ck_assert_uint_eq(view.count, 1);
	ck_assert_uint_eq(view.bytes, bytes);
	ck_assert_int_eq(maplog_view_check(tlog, &view, NULL), 0);
	maplog_view_release(&view);
}

static bool is_mapped(void)
{
	return status().mapped;
}

/* Sealed segments that nobody has looked at: 0 to 3 of 100 bytes, 4 of the
 * most that is copied, and 5 of one byte more; 6 of 100 bytes. */
static void make(void)
{
	make_log("segment-size", "1M", NULL);
	append_many(4, 100);
	append_pattern(PEEK_MAX);
	append_pattern(PEEK_MAX + 1);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(1, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	reopen_log();
	ck_assert(!is_mapped());
}

START_TEST(small_entry_that_is_looked_at_alone_is_not_mapped)
{
	expect(0, 100);
	expect(3, 100);
	expect(4, PEEK_MAX);
	ck_assert(!is_mapped());
}
END_TEST

START_TEST(larger_entry_is_mapped)
{
	expect(5, PEEK_MAX + 1);
	ck_assert(is_mapped());
}
END_TEST

START_TEST(entries_that_are_looked_at_together_are_mapped)
{
	ck_assert_int_eq(maplog_view(tlog, 0, 2, &view), 0);
	ck_assert_uint_eq(view.count, 2);
	maplog_view_release(&view);
	ck_assert(is_mapped());
}
END_TEST

START_TEST(window_that_is_wanted_often_is_mapped)
{
	for (uint64_t i = 0; i < 3; i++)
		expect(i, 100);
	ck_assert(!is_mapped());
	expect(3, 100);
	ck_assert(is_mapped());
	fault_set(CALL_OPEN, 0, -1, EMFILE);
	expect(0, 100);
}
END_TEST

START_TEST(last_copy_is_kept_for_who_looks_again)
{
	expect(1, 100);
	fault_set(CALL_OPEN, 0, -1, EMFILE);
	expect(1, 100);
	ck_assert_int_eq(look(2), -EMFILE);
	ck_assert_int_eq(look(0), -EMFILE);
	fault_clear();
	ck_assert(!is_mapped());
}
END_TEST

START_TEST(copy_stays_as_it_is_until_it_is_given_back)
{
	struct maplog_view held;

	ck_assert_int_eq(maplog_view(tlog, 1, 1, &held), 0);
	expect(0, 100);
	expect(2, 100);
	ck_assert_int_eq(maplog_truncate(tlog, 1), 0);
	ck_assert_int_eq(look(1), -ENODATA);
	append_many(1, 50);
	expect(1, 50);
	ck_assert_uint_eq(held.bytes, 100);
	ck_assert_int_eq(maplog_view_check(tlog, &held, NULL), 0);
	maplog_view_release(&held);
}
END_TEST

/* Both begin at the same place in their files. */
START_TEST(copy_is_not_taken_for_that_of_another_segment)
{
	expect(0, 100);
	expect(6, 100);
	ck_assert(!is_mapped());
}
END_TEST

START_TEST(damage_is_seen_in_a_copy)
{
	write_file(log_path(0, "log"), 150, "x", 1);
	ck_assert_int_eq(look(1), 0);
	ck_assert_int_eq(maplog_view_check(tlog, &view, NULL), -EBADMSG);
	maplog_view_release(&view);
	ck_assert(!is_mapped());
	expect(0, 100);
}
END_TEST

/* The first read is of the record, the second of the bytes. */
START_TEST(what_cannot_be_copied_is_mapped)
{
	fault_set(_i % 2 ? CALL_NEW : CALL_READ, _i / 2, 1,
		  _i % 2 ? ENOMEM : EIO);
	expect(1, 100);
	ck_assert(is_mapped());
}
END_TEST

START_TEST(windows_are_frequent_when_they_are_wanted_often)
{
	struct peeks peeks = { .last = { { 0 } } };

	for (int i = 0; i < 3; i++)
		ck_assert(!peek_is_frequent(&peeks, 5));
	ck_assert(peek_is_frequent(&peeks, 5));
	ck_assert(peek_is_frequent(&peeks, 5));
	ck_assert(!peek_is_frequent(&peeks, 6));
	/* Others have come since. */
	for (uint64_t key = 6; key < 5000; key++)
		ck_assert(!peek_is_frequent(&peeks, key << 24));
	ck_assert(!peek_is_frequent(&peeks, 5));
}
END_TEST

START_TEST(piece_without_a_window_is_never_frequent)
{
	struct peeks peeks = { .last = { { 0 } } };

	for (int i = 0; i < 10; i++)
		ck_assert(!peek_is_frequent(&peeks, 0));
}
END_TEST

static Suite *peek_suite(void)
{
	Suite *suite = suite_create("peek");
	TCase *copies = unit_case(suite, "copies");
	TCase *counts = tcase_create("counts");

	tcase_add_checked_fixture(copies, make, NULL);
	tcase_add_test(copies,
		       small_entry_that_is_looked_at_alone_is_not_mapped);
	tcase_add_test(copies, larger_entry_is_mapped);
	tcase_add_test(copies, entries_that_are_looked_at_together_are_mapped);
	tcase_add_test(copies, window_that_is_wanted_often_is_mapped);
	tcase_add_test(copies, last_copy_is_kept_for_who_looks_again);
	tcase_add_test(copies, copy_stays_as_it_is_until_it_is_given_back);
	tcase_add_test(copies, copy_is_not_taken_for_that_of_another_segment);
	tcase_add_test(copies, damage_is_seen_in_a_copy);
	tcase_add_loop_test(copies, what_cannot_be_copied_is_mapped, 0, 4);
	tcase_add_test(counts, windows_are_frequent_when_they_are_wanted_often);
	tcase_add_test(counts, piece_without_a_window_is_never_frequent);
	suite_add_tcase(suite, counts);
	return suite;
}

int main(void)
{
	return unit_run(peek_suite());
}
