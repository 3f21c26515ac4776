/* SPDX-License-Identifier: MIT */
/* Tests of ending segments: by seal, by size, and by the keeper. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static uint64_t seal(void)
{
	uint64_t base;

	ck_assert_int_eq(maplog_seal(tlog, &base), 0);
	return base;
}

static int try_append_bytes(size_t bytes)
{
	char *zeros = calloc(1, bytes);
	const struct maplog_entry entry = { zeros, bytes, 0 };
	int ret = maplog_append(tlog, &entry, 1, NULL);

	free(zeros);
	return ret;
}

static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
}

START_TEST(seal_begins_a_segment_at_the_end)
{
	append_many(3, 100);
	ck_assert_uint_eq(seal(), 3);
	ck_assert_uint_eq(append_pattern(100), 3);
	ck_assert_uint_eq(segment(2).base, 0);
	ck_assert_uint_eq(segment(3).base, 3);
	expect_patterns(0, 4, 100);
}
END_TEST

START_TEST(empty_segment_is_not_sealed)
{
	ck_assert_uint_eq(seal(), 0);
	append_many(1, 100);
	ck_assert_uint_eq(seal(), 1);
	ck_assert_uint_eq(seal(), 1);
	ck_assert_int_eq(count_files(".log"), 2);
}
END_TEST

START_TEST(sealed_entries_are_durable)
{
	append_many(3, 100);
	ck_assert_uint_eq(counters().durable, 0);
	seal();
	ck_assert_uint_eq(counters().durable, 3);
}
END_TEST

START_TEST(sealed_files_hold_their_entries_and_nothing_else)
{
	struct maplog_segment sealed;

	append_many(3, 100);
	seal();
	ck_assert_uint_eq(file_size(log_path(0, "log")), 300);
	ck_assert_uint_eq(file_size(log_path(0, "idx")), 3 * RECORD_SIZE);
	sealed = segment(0);
	ck_assert(!sealed.active);
	ck_assert(sealed.exact[MAPLOG_DATA]);
	ck_assert(sealed.exact[MAPLOG_INDEX]);
	ck_assert_uint_eq(sealed.bytes, 300);
	ck_assert_uint_eq(sealed.entries, 3);
}
END_TEST

START_TEST(only_the_writer_seals)
{
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_seal(tlog, NULL), -EROFS);
}
END_TEST

START_TEST(seal_on_a_full_disk_changes_nothing)
{
	uint64_t base = 7;

	append_many(3, 100);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(maplog_seal(tlog, &base), -ENOSPC);
	ck_assert_uint_eq(base, 7);
	fault_clear();
	expect_range(0, 3);
	ck_assert_uint_eq(append_pattern(100), 3);
	ck_assert_uint_eq(segment(3).base, 0);
	ck_assert_uint_eq(seal(), 4);
}
END_TEST

START_TEST(seal_that_is_not_durable_makes_the_log_read_only)
{
	append_many(3, 100);
	fault_set(CALL_SYNC, _i, 1, EIO);
	ck_assert_int_eq(maplog_seal(tlog, NULL), -EIO);
	ck_assert_int_eq(try_append("no"), -EROFS);
	fault_clear();
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	expect_patterns(0, 3, 100);
	expect_range(0, 3);
}
END_TEST

START_TEST(segment_ends_when_its_payload_is_full)
{
	append_many(4, MIB / 2);
	ck_assert_uint_eq(segment(1).base, 0);
	ck_assert_uint_eq(segment(2).base, 2);
	expect_patterns(0, 4, MIB / 2);
	reopen_log();
	expect_patterns(0, 4, MIB / 2);
}
END_TEST

START_TEST(segment_ends_when_its_index_is_full)
{
	static struct maplog_entry entries[RECORDS];

	ck_assert_int_eq(maplog_append(tlog, entries, RECORDS - 1, NULL), 0);
	append_many(2, 100);
	ck_assert_uint_eq(segment(RECORDS - 1).base, 0);
	ck_assert_uint_eq(segment(RECORDS).base, RECORDS);
	reopen_log();
	expect_patterns(RECORDS - 1, RECORDS + 1, 100);
}
END_TEST

static bool is_cut(uint64_t base, uint64_t bytes)
{
	for (int i = 0; i < 6000; i++) {
		if (file_size(log_path(base, "log")) == bytes)
			return true;
		usleep(10000);
	}
	return false;
}

START_TEST(keeper_finishes_what_was_rolled)
{
	append_many(3, MIB / 2);
	ck_assert(is_cut(0, MIB));
	ck_assert_uint_eq(counters().durable, 2);
}
END_TEST

START_TEST(many_segments_wait_for_the_keeper_but_not_too_many)
{
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_many(20, MIB);
	ck_assert_uint_ge(counters().durable, 10);
	expect_patterns(0, 20, MIB);
}
END_TEST

START_TEST(new_segment_size_is_for_the_next_segment)
{
	append_many(1, 100);
	ck_assert_int_eq(maplog_set(tlog, "segment-size", "2M"), 0);
	append_many(1, MIB);
	ck_assert_uint_eq(segment(1).base, 1);
	append_many(1, MIB);
	ck_assert_uint_eq(segment(2).base, 1);
	expect_patterns(1, 3, MIB);
}
END_TEST

/* It has the name that the next one is to have. */
START_TEST(empty_segment_makes_room_for_a_larger_one)
{
	append_many(1, 100);
	seal();
	ck_assert_int_eq(maplog_set(tlog, "segment-size", "2M"), 0);
	append_many(1, MIB + 1);
	ck_assert_uint_eq(segment(1).base, 1);
	expect_pattern(1, MIB + 1);
	reopen_log();
	expect_pattern(1, MIB + 1);
	expect_pattern(0, 100);
}
END_TEST

START_TEST(empty_segment_is_removed_and_the_disk_is_full)
{
	append_many(1, 100);
	seal();
	ck_assert_int_eq(maplog_set(tlog, "segment-size", "2M"), 0);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(try_append("fits"), 0);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	if (_i) {
		reopen_log();
		fault_clear();
	}
	fault_clear();
	append_many(1, MIB + 1);
	expect_pattern(2, MIB + 1);
	expect_text(1, "fits");
}
END_TEST

/* Looped over its two files, and their directory: what is left of it has the
 * name of the next one. Recovery sees to that. */
START_TEST(empty_segment_that_cannot_be_removed_stops_the_log)
{
	append_many(1, 100);
	seal();
	ck_assert_int_eq(maplog_set(tlog, "segment-size", "2M"), 0);
	fault_set(_i < 2 ? CALL_UNLINK : CALL_SYNC_DIR, _i % 2, 1, EIO);
	ck_assert_int_eq(try_append_bytes(MIB + 1), -EIO);
	ck_assert_int_eq(try_append("small"), -EROFS);
	expect_range(0, 1);
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	append_many(1, MIB + 1);
	reopen_log();
	expect_range(0, 2);
	expect_pattern(0, 100);
	expect_pattern(1, MIB + 1);
}
END_TEST

START_TEST(files_have_the_rights_of_the_directory)
{
	struct stat st;

	append_many(1, 100);
	close_log();
	ck_assert_int_eq(fchmodat(store, LOG, 0750, 0), 0);
	open_log(MAPLOG_WRITE);
	seal();
	ck_assert_int_eq(fstatat(store, log_path(1, "log"), &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

static void expect_a_new_file(void)
{
	tlog = NULL;
	fault_clear();
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(append_pattern(100), 3);
	ck_assert_uint_eq(segment(2).base, 0);
	ck_assert_uint_eq(segment(3).base, 3);
	expect_patterns(0, 4, 100);
}

/* The page cache may say of pages behind the end, too, that they are written:
 * what is appended into them could be synced without error, and be lost. */
START_TEST(log_goes_on_in_a_new_file_after_a_failed_sync)
{
	append_many(3, 100);
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	expect_a_new_file();
}
END_TEST

START_TEST(log_goes_on_in_a_new_file_after_a_recovery_that_failed)
{
	append_many(3, 100);
	close_log();
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_WRITE, &tlog), -EIO);
	expect_a_new_file();
}
END_TEST

/* As on a file system that was shut down: the page of the head is not to be
 * stored into. */
START_TEST(closing_after_an_error_stores_nothing_where_that_cannot_be)
{
	uint32_t pid = 0;

	append_many(3, 100);
	fault_set(CALL_SYNC, 0, 1, EIO);
	fault_set(CALL_ADVISE, 0, -1, EFAULT);
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
	fault_clear();
	read_file(LOG "/head", offsetof(struct maplog_head, pid), &pid,
		  sizeof(pid));
	ck_assert_uint_eq(pid, (uint32_t)getpid());
}
END_TEST

static Suite *seal_suite(void)
{
	Suite *suite = suite_create("seal");
	TCase *sealing = unit_case(suite, "sealing");
	TCase *rolling = unit_case(suite, "rolling");
	TCase *failing = unit_case(suite, "failing");

	tcase_add_checked_fixture(sealing, make, NULL);
	tcase_add_checked_fixture(rolling, make, NULL);
	tcase_add_checked_fixture(failing, make, NULL);
	tcase_add_test(sealing, seal_begins_a_segment_at_the_end);
	tcase_add_test(sealing, empty_segment_is_not_sealed);
	tcase_add_test(sealing, sealed_entries_are_durable);
	tcase_add_test(sealing,
		       sealed_files_hold_their_entries_and_nothing_else);
	tcase_add_test(sealing, only_the_writer_seals);
	tcase_add_test(sealing, seal_on_a_full_disk_changes_nothing);
	tcase_add_loop_test(sealing,
			    seal_that_is_not_durable_makes_the_log_read_only, 0,
			    4);
	tcase_add_test(sealing, files_have_the_rights_of_the_directory);
	tcase_add_test(rolling, segment_ends_when_its_payload_is_full);
	tcase_add_test(rolling, segment_ends_when_its_index_is_full);
	tcase_add_test(rolling, keeper_finishes_what_was_rolled);
	tcase_add_test(rolling,
		       many_segments_wait_for_the_keeper_but_not_too_many);
	tcase_add_test(rolling, new_segment_size_is_for_the_next_segment);
	tcase_add_test(rolling, empty_segment_makes_room_for_a_larger_one);
	tcase_add_loop_test(rolling,
			    empty_segment_that_cannot_be_removed_stops_the_log,
			    0, 3);
	tcase_add_loop_test(
		rolling, empty_segment_is_removed_and_the_disk_is_full, 0, 2);
	tcase_add_test(failing, log_goes_on_in_a_new_file_after_a_failed_sync);
	tcase_add_test(failing,
		       log_goes_on_in_a_new_file_after_a_recovery_that_failed);
	tcase_add_test(
		failing,
		closing_after_an_error_stores_nothing_where_that_cannot_be);
	return suite;
}

int main(void)
{
	return unit_run(seal_suite());
}
