/* SPDX-License-Identifier: MIT */
/* Tests of names of files, and of which segments a directory has. */
#include "dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static uint64_t *bases;
static size_t count;

static void list(void)
{
	free(bases);
	ck_assert_int_eq(dir_segments(store, &bases, &count), 0);
}

static void make(uint64_t base, const char *suffix)
{
	char name[DIR_NAME_SIZE];

	dir_name(name, base, suffix);
	make_file(name, "");
}

START_TEST(name_has_20_digits)
{
	char name[DIR_NAME_SIZE];

	dir_name(name, 42, DIR_LOG);
	ck_assert_str_eq(name, "00000000000000000042.log");
	dir_name(name, UINT64_MAX, DIR_INDEX_NEW);
	ck_assert_str_eq(name, "18446744073709551615.idx.new");
}
END_TEST

START_TEST(name_is_read_back)
{
	static const uint64_t some[] = {
		0, 1, 42, UINT64_C(1) << 40, UINT64_MAX - 1, UINT64_MAX
	};
	char name[DIR_NAME_SIZE];
	uint64_t base = 7;

	dir_name(name, some[_i], DIR_LOG);
	ck_assert(dir_parse(name, DIR_LOG, &base));
	ck_assert_uint_eq(base, some[_i]);
	ck_assert(!dir_parse(name, DIR_INDEX, &base));
}
END_TEST

static const char *const strange[] = {
	"",
	".log",
	"head",
	"0.log",
	"0000000000000000042.log",
	"000000000000000000042.log",
	"18446744073709551616.log",
	"99999999999999999999.log",
	"-0000000000000000042.log",
	"+0000000000000000042.log",
	" 0000000000000000042.log",
	"0000000000000000004x.log",
	"00000000000000000042",
	"00000000000000000042.",
	"00000000000000000042.lo",
	"00000000000000000042.log.new",
	"00000000000000000042.LOG",
	"00000000000000000042log",
};

#define STRANGE ((int)(sizeof(strange) / sizeof(*strange)))

START_TEST(strange_name_is_no_segment)
{
	uint64_t base = 7;

	ck_assert(!dir_parse(strange[_i], DIR_LOG, &base));
	ck_assert_uint_eq(base, 7);
}
END_TEST

START_TEST(segments_are_listed_in_order)
{
	for (uint64_t i = 0; i < 100; i++)
		make(i * 7919 % 100 * 1000000007, DIR_LOG);
	list();
	ck_assert_uint_eq(count, 100);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_uint_eq(bases[i], i * 1000000007);
}
END_TEST

START_TEST(only_log_files_and_ends_make_a_segment)
{
	make(1, DIR_INDEX);
	make(2, DIR_TORN);
	make(3, DIR_LOG_NEW);
	make(4, DIR_INDEX_NEW);
	make_file("head", "");
	list();
	ck_assert_uint_eq(count, 0);
	ck_assert_ptr_null(bases);
	make(5, DIR_LOG);
	make(5, DIR_END);
	make(4, DIR_END);
	list();
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(bases[0], 4);
	ck_assert_uint_eq(bases[1], 5);
}
END_TEST

START_TEST(segment_goes_with_both_files)
{
	make(1, DIR_LOG);
	make(1, DIR_INDEX);
	make(2, DIR_LOG);
	ck_assert_int_eq(dir_unlink_segment(store, 1), 0);
	list();
	ck_assert_uint_eq(count, 1);
	ck_assert(!file_exists("00000000000000000001.idx"));
	/* None there is no error. */
	ck_assert_int_eq(dir_unlink_segment(store, 1), 0);
	ck_assert_int_eq(dir_unlink_segment(store, 2), 0);
}
END_TEST

/* Without its .log a segment is not there: a crash between the two leaves
 * nothing that looks like one. */
START_TEST(log_file_of_a_segment_goes_last)
{
	make(1, DIR_LOG);
	make(1, DIR_INDEX);
	fault_set(CALL_UNLINK, 0, 1, EIO);
	ck_assert_int_eq(dir_unlink_segment(store, 1), -EIO);
	fault_set(CALL_UNLINK, 1, 1, EIO);
	ck_assert_int_eq(dir_unlink_segment(store, 1), -EIO);
	ck_assert(file_exists("00000000000000000001.log"));
	ck_assert(!file_exists("00000000000000000001.idx"));
}
END_TEST

START_TEST(file_exists_if_it_is_a_regular_one)
{
	bool found = true;

	ck_assert_int_eq(dir_exists(store, 1, DIR_LOG_NEW, &found), 0);
	ck_assert(!found);
	make(1, DIR_LOG_NEW);
	ck_assert_int_eq(dir_exists(store, 1, DIR_LOG_NEW, &found), 0);
	ck_assert(found);
	ck_assert_int_eq(mkfifoat(store, "00000000000000000002.log", 0600), 0);
	ck_assert_int_eq(dir_exists(store, 2, DIR_LOG, &found), 0);
	ck_assert(!found);
}
END_TEST

static int stop_at_second(void *arg, const char *name)
{
	int *seen = arg;

	(void)name;
	return ++*seen == 2 ? -EXDEV : 0;
}

START_TEST(walk_ends_where_it_is_told)
{
	int seen = 0;

	make(1, DIR_LOG);
	make(2, DIR_LOG);
	make(3, DIR_LOG);
	ck_assert_int_eq(dir_each(store, stop_at_second, &seen), -EXDEV);
	ck_assert_int_eq(seen, 2);
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	make(1, DIR_LOG);
	fault_set(CALL_NEW, 0, 1, ENOMEM);
	ck_assert_int_eq(dir_segments(store, &bases, &count), -ENOMEM);
}
END_TEST

START_TEST(segment_that_no_log_can_reach_is_none)
{
	make(DIR_BASE_MAX, DIR_LOG);
	make(DIR_BASE_MAX + 1, DIR_LOG);
	make(UINT64_MAX, DIR_LOG);
	list();
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(bases[0], DIR_BASE_MAX);
}
END_TEST

/* Looped over how many were set aside before. */
START_TEST(directory_in_place_of_a_file_is_set_aside)
{
	char aside[64] = "00000000000000000007.log.aside";

	make_file("00000000000000000007.log.aside", "");
	for (int n = 1; n <= _i; n++) {
		snprintf(aside, sizeof(aside),
			 "00000000000000000007.log.aside.%d", n);
		ck_assert(!file_exists(aside));
		ck_assert_int_eq(
			mkdirat(store, "00000000000000000007.log", 0777), 0);
		make_file("00000000000000000007.log/inside", "");
		ck_assert_int_eq(dir_unlink(store, 7, DIR_LOG), 0);
		ck_assert(!file_exists("00000000000000000007.log"));
		strcat(aside, "/inside");
		ck_assert(file_exists(aside));
	}
}
END_TEST

static Suite *dir_suite(void)
{
	Suite *suite = suite_create("dir");
	TCase *names = unit_case(suite, "names");
	TCase *files = unit_case(suite, "files");

	tcase_add_test(names, name_has_20_digits);
	tcase_add_loop_test(names, name_is_read_back, 0, 6);
	tcase_add_loop_test(names, strange_name_is_no_segment, 0, STRANGE);
	tcase_add_test(files, segments_are_listed_in_order);
	tcase_add_test(files, only_log_files_and_ends_make_a_segment);
	tcase_add_test(files, segment_goes_with_both_files);
	tcase_add_test(files, log_file_of_a_segment_goes_last);
	tcase_add_test(files, file_exists_if_it_is_a_regular_one);
	tcase_add_test(files, walk_ends_where_it_is_told);
	tcase_add_test(files, no_memory_is_an_error);
	tcase_add_test(files, segment_that_no_log_can_reach_is_none);
	tcase_add_loop_test(files, directory_in_place_of_a_file_is_set_aside, 1,
			    4);
	return suite;
}

int main(void)
{
	return unit_run(dir_suite());
}
