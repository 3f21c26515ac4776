/* SPDX-License-Identifier: MIT */
/* Tests of views: finding entries in place, in windows, within map-limit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "moment.h"
#include "position.h"

static struct maplog_view view;

static int look(uint64_t index, uint32_t max)
{
	return maplog_view(tlog, index, max, &view);
}

static void expect_view(uint64_t index, uint32_t count)
{
	ck_assert_uint_eq(view.index, index);
	ck_assert_uint_eq(view.count, count);
	ck_assert_int_eq(maplog_view_check(tlog, &view, NULL), 0);
	maplog_view_release(&view);
}

/* Segments of 1 MiB with entries of 100 bytes: 0 to 2 and 3 to 5. */
static void make(void)
{
	make_log("segment-size", "1M", NULL);
	append_many(3, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(3, 100);
}

START_TEST(view_has_as_many_entries_as_are_wanted)
{
	ck_assert_int_eq(look(0, 1), 0);
	expect_view(0, 1);
	ck_assert_int_eq(look(0, 2), 0);
	expect_view(0, 2);
	ck_assert_int_eq(look(4, 1), 0);
	expect_view(4, 1);
}
END_TEST

START_TEST(view_ends_with_its_segment)
{
	ck_assert_int_eq(look(1, 100), 0);
	expect_view(1, 2);
	ck_assert_int_eq(look(3, UINT32_MAX), 0);
	expect_view(3, 3);
}
END_TEST

START_TEST(entries_lie_end_to_end)
{
	const char *data;

	ck_assert_int_eq(look(1, 2), 0);
	data = view.data;
	ck_assert_uint_eq(view.bytes, 200);
	ck_assert_uint_eq(view.offset, 100);
	for (uint32_t n = 0; n < 2; n++) {
		struct maplog_info info;
		char expected[100];
		const void *at;

		pattern(expected, 100, 1 + n);
		ck_assert_int_eq(maplog_view_entry(&view, n, &at, &info), 0);
		ck_assert_ptr_eq(at, data + (size_t)100 * n);
		ck_assert_uint_eq(info.bytes, 100);
		ck_assert_uint_eq(info.index, 1 + n);
		ck_assert_int_eq(memcmp(at, expected, 100), 0);
	}
	maplog_view_release(&view);
}
END_TEST

START_TEST(index_past_the_end_has_no_data)
{
	ck_assert_int_eq(look(6, 1), -ENODATA);
	ck_assert_int_eq(look(UINT64_MAX, 1), -ENODATA);
	ck_assert_int_eq(read_error(6), -ENODATA);
}
END_TEST

START_TEST(index_that_was_trimmed_does_not_exist)
{
	ck_assert_int_eq(maplog_trim(tlog, 4), 0);
	ck_assert_int_eq(look(0, 1), -ENOENT);
	ck_assert_int_eq(look(3, 1), -ENOENT);
	ck_assert_int_eq(read_error(3), -ENOENT);
	ck_assert_int_eq(look(4, 9), 0);
	expect_view(4, 2);
}
END_TEST

START_TEST(empty_entries_are_viewed_too)
{
	append_batch("", "", NULL);
	ck_assert_int_eq(look(6, 2), 0);
	ck_assert_uint_eq(view.bytes, 0);
	ck_assert_ptr_nonnull(view.data);
	expect_view(6, 2);
}
END_TEST

START_TEST(appending_does_not_wait_for_views)
{
	ck_assert_int_eq(look(3, 3), 0);
	append_many(20, 100000);
	expect_view(3, 3);
}
END_TEST

START_TEST(read_copies_what_fits_and_tells_the_size)
{
	struct maplog_info info;
	char expected[100];
	char data[100] = { 0 };

	pattern(expected, 100, 4);
	ck_assert_int_eq(maplog_read(tlog, 4, data, 60, &info), 0);
	ck_assert_uint_eq(info.bytes, 100);
	ck_assert_int_eq(memcmp(data, expected, 60), 0);
	ck_assert_int_eq(data[60], 0);
	ck_assert_int_eq(maplog_read(tlog, 4, NULL, 0, NULL), 0);
}
END_TEST

/* Of view 0 to 2, entry @_i is bad. */
START_TEST(check_tells_the_first_bad_entry)
{
	uint32_t good = 99;

	flip_bit(log_path(0, "log"), (uint64_t)_i * 100 + 50, 1);
	ck_assert_int_eq(look(0, 3), 0);
	ck_assert_int_eq(maplog_view_check(tlog, &view, &good), -EBADMSG);
	ck_assert_uint_eq(good, (unsigned)_i);
	maplog_view_release(&view);
	ck_assert_int_eq(read_error((uint64_t)_i), -EBADMSG);
	for (uint64_t i = 0; i < 3; i++) {
		if (i != (uint64_t)_i)
			expect_pattern(i, 100);
	}
}
END_TEST

START_TEST(check_of_what_cannot_be_read_is_an_error)
{
	uint32_t good = 99;

	ck_assert_int_eq(look(0, 3), 0);
	fault_set(CALL_ADVISE, _i, 1, EFAULT);
	ck_assert_int_eq(maplog_view_check(tlog, &view, &good), -EIO);
	ck_assert_uint_eq(good, 0);
	maplog_view_release(&view);
}
END_TEST

START_TEST(record_changed_into_nonsense_is_an_error)
{
	static const uint32_t ends[] = { 0, 99, 301, UINT32_MAX };
	struct maplog_info info;
	const void *data;

	ck_assert_int_eq(look(0, 3), 0);
	write_file(log_path(0, "idx"), RECORD_SIZE, &ends[_i], 4);
	ck_assert_int_eq(maplog_view_entry(&view, 1, &data, &info), -EUCLEAN);
	ck_assert_int_eq(maplog_view_entry(&view, 2, &data, &info),
			 _i < 2 ? 0 : -EUCLEAN);
	ck_assert_int_eq(maplog_view_check(tlog, &view, NULL), -EBADMSG);
	maplog_view_release(&view);
}
END_TEST

/* Looped over the files of the sealed segment. */
START_TEST(segment_without_a_file_is_damage)
{
	const char *path = log_path(0, _i ? "log" : "idx");

	ck_assert_int_eq(unlinkat(store, path, 0), 0);
	ck_assert_int_eq(look(0, 3), -EUCLEAN);
	ck_assert_int_eq(symlinkat("head", store, path), 0);
	ck_assert_int_eq(look(0, 3), -EUCLEAN);
	ck_assert_int_eq(unlinkat(store, path, 0), 0);
	ck_assert_int_eq(mkfifoat(store, path, 0644), 0);
	ck_assert_int_eq(look(0, 3), -EUCLEAN);
	expect_patterns(3, 6, 100);
}
END_TEST

START_TEST(shortened_file_is_damage)
{
	static const uint64_t sizes[] = { 0, 1, 23, 99 };

	shorten_file(log_path(0, _i % 2 ? "log" : "idx"), sizes[_i / 2]);
	ck_assert_int_eq(look(0, 3), -EUCLEAN);
	ck_assert_int_eq(look(2, 3), -EUCLEAN);
	expect_patterns(3, 6, 100);
}
END_TEST

START_TEST(shortened_idx_still_gives_what_it_holds)
{
	shorten_file(log_path(0, "idx"), 2 * RECORD_SIZE);
	ck_assert_int_eq(look(0, 3), 0);
	expect_view(0, 2);
	ck_assert_int_eq(look(2, 1), -EUCLEAN);
}
END_TEST

START_TEST(file_that_cannot_be_opened_or_mapped_is_an_error)
{
	fault_set(CALL_OPEN, 0, 1, EMFILE);
	ck_assert_int_eq(look(0, 1), -EMFILE);
	fault_set(CALL_MAP, 0, 1, ENOMEM);
	ck_assert_int_eq(look(0, 2), -ENOMEM);
	fault_set(CALL_MAP, 1, 1, ENOMEM);
	ck_assert_int_eq(look(0, 2), -ENOMEM);
	fault_clear();
	ck_assert_int_eq(look(0, 1), 0);
	expect_view(0, 1);
}
END_TEST

/* Two segments of 4 MiB with entries of 300 KiB: they lie across the ends of
 * windows, which are of 1 MiB with the lowest limit. */
#define ENTRY ((size_t)300 << 10)
#define MANY  26

static void make_large(void)
{
	make_log("segment-size", "4M", "sync", "manual", "map-limit", "8M",
		 NULL);
	append_many(MANY, ENTRY);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
}

static uint64_t mapped(void)
{
	return status().mapped;
}

START_TEST(entries_across_windows_are_whole)
{
	expect_patterns(0, MANY, ENTRY);
	for (uint64_t i = MANY; i--;)
		expect_pattern(i, ENTRY);
}
END_TEST

START_TEST(view_ends_with_its_window)
{
	ck_assert_int_eq(look(0, MANY), 0);
	expect_view(0, 3);
	/* This one has a window of its own. */
	ck_assert_int_eq(look(3, MANY), 0);
	expect_view(3, 1);
}
END_TEST

START_TEST(map_limit_is_kept)
{
	for (uint64_t i = 0; i < 3 * (uint64_t)MANY; i++) {
		expect_pattern(i * 7 % MANY, ENTRY);
		ck_assert_uint_le(mapped(), 8 * MIB);
	}
}
END_TEST

static struct maplog_view views[MANY];

/* Takes views until there is no room for more. Returns how many. */
static int fill_limit(void)
{
	int held = 0;
	int ret = 0;

	while (held < MANY && !ret) {
		ret = maplog_view(tlog, (uint64_t)held, 1, &views[held]);
		held += !ret;
	}
	ck_assert_int_eq(ret, -ENOBUFS);
	return held;
}

static void release(int held)
{
	while (held--)
		maplog_view_release(&views[held]);
}

START_TEST(nothing_is_looked_up_when_views_fill_the_limit)
{
	uint64_t index;
	int held;

	held = fill_limit();
	ck_assert_int_eq(maplog_moment_find(tlog, 1, &index), -ENOBUFS);
	release(held);
	ck_assert_int_eq(maplog_moment_find(tlog, 1, &index), 0);
	ck_assert_uint_eq(index, 0);
}
END_TEST

/* It might be another entry by now. */
START_TEST(position_is_not_believed_when_views_fill_the_limit)
{
	struct maplog_position position;
	struct maplog_position now;
	int held;

	maplog_position_set(tlog, MANY - 1, &position);
	ck_assert_int_eq(maplog_truncate(tlog, MANY - 3), 0);
	append_many(4, 10);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	held = fill_limit();
	ck_assert_int_eq(maplog_position_check(tlog, &position, &now),
			 -ENOBUFS);
	release(held);
	ck_assert_int_eq(maplog_position_check(tlog, &position, &now), 0);
	ck_assert_uint_eq(now.next, MANY - 3);
}
END_TEST

START_TEST(views_in_use_are_an_error_when_they_fill_the_limit)
{
	int held = fill_limit();

	ck_assert_int_gt(held, 8);
	ck_assert_uint_le(mapped(), 8 * MIB);
	for (int i = 0; i < held; i++) {
		ck_assert_int_eq(maplog_view_check(tlog, &views[i], NULL), 0);
		maplog_view_release(&views[i]);
	}
	expect_patterns(0, MANY, ENTRY);
}
END_TEST

START_TEST(entry_larger_than_the_limit_can_be_read)
{
	ck_assert_int_eq(maplog_set(tlog, "segment-size", "20M"), 0);
	append_many(3, 9 * MIB);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	ck_assert_int_eq(look(MANY, 3), 0);
	ck_assert_uint_eq(view.bytes, 9 * MIB);
	expect_view(MANY, 1);
	expect_patterns(MANY, MANY + 3, 9 * MIB);
	expect_pattern(0, ENTRY);
	ck_assert_uint_le(mapped(), 8 * MIB);
}
END_TEST

START_TEST(new_limit_holds_at_once)
{
	ck_assert_int_eq(maplog_set(tlog, "map-limit", "1G"), 0);
	expect_patterns(0, MANY, ENTRY);
	ck_assert_uint_gt(mapped(), 7 * MIB);
	ck_assert_int_eq(look(0, 1), 0);
	ck_assert_int_eq(maplog_set(tlog, "map-limit", "8M"), 0);
	ck_assert_uint_le(mapped(), 8 * MIB);
	expect_view(0, 1);
	expect_patterns(0, MANY, ENTRY);
	ck_assert_uint_le(mapped(), 8 * MIB);
}
END_TEST

/* With records in several windows, too: 32768 to a window. */
START_TEST(records_across_windows_are_found)
{
	static struct maplog_entry entries[70000];
	static char byte[70000];

	for (size_t i = 0; i < 70000; i++) {
		byte[i] = (char)(i % 255 + 1);
		entries[i] = (struct maplog_entry){ &byte[i], 1, i };
	}
	ck_assert_int_eq(maplog_append(tlog, entries, 70000, NULL), 0);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	for (uint64_t i = 0; i < 70000; i++) {
		struct maplog_info info;
		char found;

		if (i % 32768 > 2 && i % 32768 < 32766)
			continue;
		ck_assert_int_eq(maplog_read(tlog, MANY + i, &found, 1, &info),
				 0);
		ck_assert_int_eq(found, byte[i]);
		ck_assert_uint_eq(info.tag, i);
	}
}
END_TEST

static Suite *view_suite(void)
{
	Suite *suite = suite_create("view");
	TCase *what = unit_case(suite, "what");
	TCase *bad = unit_case(suite, "bad");
	TCase *windows = unit_case(suite, "windows");

	tcase_add_checked_fixture(what, make, NULL);
	tcase_add_checked_fixture(bad, make, NULL);
	tcase_add_checked_fixture(windows, make_large, NULL);
	tcase_add_test(what, view_has_as_many_entries_as_are_wanted);
	tcase_add_test(what, view_ends_with_its_segment);
	tcase_add_test(what, entries_lie_end_to_end);
	tcase_add_test(what, index_past_the_end_has_no_data);
	tcase_add_test(what, index_that_was_trimmed_does_not_exist);
	tcase_add_test(what, empty_entries_are_viewed_too);
	tcase_add_test(what, appending_does_not_wait_for_views);
	tcase_add_test(what, read_copies_what_fits_and_tells_the_size);
	tcase_add_loop_test(bad, check_tells_the_first_bad_entry, 0, 3);
	tcase_add_loop_test(bad, check_of_what_cannot_be_read_is_an_error, 0,
			    2);
	tcase_add_loop_test(bad, record_changed_into_nonsense_is_an_error, 0,
			    4);
	tcase_add_loop_test(bad, segment_without_a_file_is_damage, 0, 2);
	tcase_add_loop_test(bad, shortened_file_is_damage, 0, 6);
	tcase_add_test(bad, shortened_idx_still_gives_what_it_holds);
	tcase_add_test(bad, file_that_cannot_be_opened_or_mapped_is_an_error);
	tcase_add_test(windows, entries_across_windows_are_whole);
	tcase_add_test(windows, view_ends_with_its_window);
	tcase_add_test(windows, map_limit_is_kept);
	tcase_add_test(windows, nothing_is_looked_up_when_views_fill_the_limit);
	tcase_add_test(windows,
		       position_is_not_believed_when_views_fill_the_limit);
	tcase_add_test(windows,
		       views_in_use_are_an_error_when_they_fill_the_limit);
	tcase_add_test(windows, entry_larger_than_the_limit_can_be_read);
	tcase_add_test(windows, new_limit_holds_at_once);
	tcase_add_test(windows, records_across_windows_are_found);
	return suite;
}

int main(void)
{
	return unit_run(view_suite());
}
