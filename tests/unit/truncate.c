/* SPDX-License-Identifier: MIT */
/* Tests of truncating and overwriting. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

static int try_overwrite(uint64_t index, const char *text)
{
	const struct maplog_entry entry = { text, strlen(text), 0 };

	return maplog_overwrite(tlog, index, &entry, 1);
}

static void truncate_to(uint64_t index)
{
	ck_assert_int_eq(maplog_truncate(tlog, index), 0);
}

/* Three segments: 0 to 2, 3 to 5, and the active one, 6 and 7. */
static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	append_batch("a0", "a1", "a2", NULL);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_batch("a3", "a4", "a5", NULL);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_batch("a6", "a7", NULL);
}

static void expect_old(uint64_t next)
{
	char text[3] = "a0";

	for (uint64_t i = 0; i < next; i++) {
		text[1] = (char)('0' + i);
		expect_text(i, text);
	}
}

/* Looped over every index: in, at the ends of, and between segments. */
START_TEST(truncated_entries_are_gone)
{
	uint64_t index = (uint64_t)_i;

	truncate_to(index);
	expect_range(0, index);
	ck_assert_int_eq(read_error(index), -ENODATA);
	expect_old(index);
	ck_assert_uint_eq(counters().durable, index < 8 ? index : 6);
}
END_TEST

START_TEST(truncated_entries_stay_gone)
{
	uint64_t index = (uint64_t)_i;

	truncate_to(index);
	reopen_log();
	expect_range(0, index);
	expect_old(index);
	ck_assert_uint_eq(append("new"), index);
	reopen_log();
	expect_range(0, index + 1);
	expect_old(index);
	expect_text(index, "new");
	ck_assert_uint_eq(status().recovery.torn_bytes, 0);
	ck_assert_uint_eq(status().recovery.damaged, 0);
}
END_TEST

START_TEST(generation_counts_truncations)
{
	uint64_t generation = counters().generation;

	truncate_to(7);
	ck_assert_uint_eq(counters().generation, generation + 1);
	truncate_to(2);
	ck_assert_uint_eq(counters().generation, generation + 2);
	overwrite(1, "b");
	ck_assert_uint_eq(counters().generation, generation + 3);
	reopen_log();
	ck_assert_uint_eq(counters().generation, generation + 3);
}
END_TEST

START_TEST(truncation_of_nothing_changes_nothing)
{
	uint64_t generation = counters().generation;

	truncate_to(8);
	ck_assert_uint_eq(counters().generation, generation);
	ck_assert_uint_eq(segment(7).base, 6);
	ck_assert_uint_eq(append("next"), 8);
}
END_TEST

START_TEST(index_past_the_end_is_refused)
{
	ck_assert_int_eq(maplog_truncate(tlog, 9), -ENODATA);
	ck_assert_int_eq(maplog_truncate(tlog, UINT64_MAX), -ENODATA);
	ck_assert_int_eq(try_overwrite(9, "b"), -ENODATA);
	expect_range(0, 8);
}
END_TEST

START_TEST(index_that_was_trimmed_is_refused)
{
	ck_assert_int_eq(maplog_trim(tlog, 4), 0);
	ck_assert_int_eq(maplog_truncate(tlog, 3), -ENOENT);
	ck_assert_int_eq(try_overwrite(3, "b"), -ENOENT);
	expect_range(4, 8);
	truncate_to(4);
	expect_range(4, 4);
	ck_assert_uint_eq(append("new"), 4);
}
END_TEST

START_TEST(only_the_writer_truncates)
{
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_truncate(tlog, 1), -EROFS);
	ck_assert_int_eq(try_overwrite(1, "b"), -EROFS);
}
END_TEST

/* What others have mapped stays as long as it is. */
START_TEST(files_are_not_shortened_below_what_was_shown)
{
	static const char *const shown[] = { "a0a1a2", "a3a4a5", "a6a7" };
	uint64_t index = (uint64_t)_i;
	uint64_t base = index / 3 * 3;
	size_t bytes = strlen(shown[index / 3]);

	truncate_to(index);
	if (index > base) {
		append("new");
		reopen_log();
		ck_assert_uint_ge(file_size(log_path(base, "log")), bytes);
		ck_assert_uint_ge(file_size(log_path(base, "idx")),
				  bytes / 2 * RECORD_SIZE);
		ck_assert(file_holds(log_path(base, "log"), shown[index / 3],
				     bytes));
	}
}
END_TEST

START_TEST(views_stay_as_they_were)
{
	struct maplog_view view[3];
	const uint64_t first[3] = { 0, 3, 6 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(maplog_view(tlog, first[i], 9, &view[i]), 0);
	truncate_to((uint64_t)_i);
	append_many(50, 100);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	ck_assert_int_eq(memcmp(view[0].data, "a0a1a2", 6), 0);
	ck_assert_int_eq(memcmp(view[1].data, "a3a4a5", 6), 0);
	ck_assert_int_eq(memcmp(view[2].data, "a6a7", 4), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(maplog_view_check(tlog, &view[i], NULL), 0);
		maplog_view_release(&view[i]);
	}
}
END_TEST

START_TEST(overwritten_entries_are_new)
{
	uint64_t index = (uint64_t)_i;

	ck_assert_int_eq(try_overwrite(index, "new"), 0);
	expect_range(0, index + 1);
	expect_old(index);
	expect_text(index, "new");
	ck_assert_uint_eq(counters().durable, index + 1);
	reopen_log();
	expect_range(0, index + 1);
	expect_old(index);
	expect_text(index, "new");
	ck_assert_uint_eq(append("next"), index + 1);
}
END_TEST

START_TEST(overwriting_at_the_end_is_durable_under_every_policy)
{
	ck_assert_int_eq(try_overwrite(8, "new"), 0);
	ck_assert_uint_eq(counters().durable, 9);
}
END_TEST

START_TEST(overwriting_by_nothing_truncates)
{
	ck_assert_int_eq(maplog_overwrite(tlog, 4, NULL, 0), 0);
	expect_range(0, 4);
	expect_old(4);
	ck_assert_uint_eq(append("new"), 4);
	reopen_log();
	expect_text(4, "new");
}
END_TEST

START_TEST(overwrite_that_is_refused_changes_nothing)
{
	char *large = calloc(1, MIB + 1);
	const struct maplog_entry entries[3] = {
		{ large, MIB + 1, 0 },
		{ large, MIB, 0 },
		{ large, 1, 0 },
	};

	ck_assert_int_eq(maplog_overwrite(tlog, 4, entries, 1), -EMSGSIZE);
	ck_assert_int_eq(maplog_overwrite(tlog, 4, entries + 1, 2), -E2BIG);
	expect_range(0, 8);
	expect_old(8);
	ck_assert_int_eq(count_files(".new"), 0);
	free(large);
}
END_TEST

START_TEST(overwrite_on_a_full_disk_changes_nothing)
{
	static const enum call calls[] = { CALL_OPEN, CALL_RESIZE, CALL_WRITE,
					   CALL_ALLOCATE };

	append("a8");
	fault_set(calls[_i], 0, -1, ENOSPC);
	ck_assert_int_eq(try_overwrite(4, "new"), -ENOSPC);
	fault_clear();
	expect_range(0, 9);
	expect_old(9);
	ck_assert_int_eq(count_files(".new"), 0);
	ck_assert_int_eq(status().error, 0);
	ck_assert_int_eq(try_overwrite(4, "new"), 0);
	expect_range(0, 5);
}
END_TEST

/* Looped over indexes. Space comes back by truncating: it must not need any,
 * whether it is the disk's or somebody's own. */
START_TEST(truncation_works_on_a_full_disk)
{
	uint64_t index = (uint64_t)_i;
	int full = _i % 2 ? EDQUOT : ENOSPC;

	fault_set(CALL_RESIZE, 0, -1, full);
	truncate_to(index);
	expect_range(0, index);
	ck_assert_int_eq(try_append("no"), -full);
	fault_clear();
	ck_assert_uint_eq(append("new"), index);
	expect_old(index);
	reopen_log();
	expect_range(0, index + 1);
	expect_old(index);
	expect_text(index, "new");
}
END_TEST

static int truncate_at;

static void truncate_on_a_full_disk_and_die(void)
{
	open_log(MAPLOG_WRITE);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	truncate_to((uint64_t)truncate_at);
	fault_set(CALL_SYNC, 0, 1, FAULT_DIE);
	/* Also what is written meanwhile does not forget it. */
	if (truncate_at > 1)
		(void)maplog_trim(tlog, 1);
	(void)maplog_close(tlog);
}

START_TEST(truncation_on_a_full_disk_is_not_forgotten)
{
	close_log();
	truncate_at = _i;
	ck_assert_int_eq(run_child(truncate_on_a_full_disk_and_die), DIED);
	open_log(MAPLOG_READ);
	ck_assert_uint_eq(counters().next, (uint64_t)_i);
	close_log();
	open_log(MAPLOG_WRITE);
	ck_assert_uint_eq(counters().next, (uint64_t)_i);
	ck_assert_uint_eq(append("new"), (uint64_t)_i);
	reopen_log();
	ck_assert_uint_eq(counters().next, (uint64_t)_i + 1);
	expect_text((uint64_t)_i, "new");
}
END_TEST

static const enum call broken[] = { CALL_SYNC, CALL_SYNC_DIR, CALL_UNLINK,
				    CALL_RENAME };

/* Whatever fails, the log is as before or as after, and says so when it is
 * opened again. */
static void expect_old_or_new(int ret, uint64_t index, bool overwritten)
{
	(void)maplog_close(tlog);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	if (ret && counters().next == 8) {
		expect_old(8);
	} else {
		expect_range(0, index + overwritten);
		expect_old(index);
		if (overwritten)
			expect_text(index, "new");
	}
	append("next");
}

/* Looped over calls, and over which of them fails. */
START_TEST(truncation_that_fails_is_finished_or_undone)
{
	int ret;

	fault_set(broken[_i / 6], _i % 6, 1, EIO);
	ret = maplog_truncate(tlog, 4);
	fault_clear();
	if (ret)
		ck_assert_int_eq(ret, -EIO);
	if (ret && status().error)
		ck_assert_int_eq(try_append("no"), -EROFS);
	expect_old_or_new(ret, 4, false);
}
END_TEST

START_TEST(overwrite_that_fails_is_finished_or_undone)
{
	int ret;

	fault_set(broken[_i / 8], _i % 8, 1, EIO);
	ret = try_overwrite(4, "new");
	fault_clear();
	if (ret)
		ck_assert_int_eq(ret, -EIO);
	if (ret && status().error)
		ck_assert_int_eq(try_append("no"), -EROFS);
	expect_old_or_new(ret, 4, true);
}
END_TEST

START_TEST(entries_before_a_truncation_are_durable)
{
	ck_assert_uint_lt(counters().durable, 8);
	truncate_to(7);
	ck_assert_uint_eq(counters().durable, 7);
}
END_TEST

static int die_at;

static void overwrite_and_die(void)
{
	open_log(MAPLOG_WRITE);
	fault_die(die_at);
	(void)try_overwrite(6, "x");
}

static const struct maplog_head *shown;

static void expect_no_old_size(void)
{
	if (shown->generation && shown->active_base == 6)
		ck_assert_uint_le(shown->active_bytes, strlen("x"));
}

/* Looped over all calls that an overwrite makes: it is killed before each. Who
 * has the head mapped meanwhile goes by the generation. */
START_TEST(recovery_shows_no_size_of_what_was_replaced)
{
	static const struct call_watch watch = { .before = expect_no_old_size };
	int fd;

	ck_assert_int_eq(maplog_close(tlog), 0);
	tlog = NULL;
	die_at = _i;
	(void)run_child(overwrite_and_die);
	fd = openat(store, LOG "/head", O_RDONLY | O_CLOEXEC);
	shown = mmap(NULL, sizeof(*shown), PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(shown, MAP_FAILED);
	close(fd);
	calls_watch(&watch);
	open_log(MAPLOG_WRITE);
	calls_watch(NULL);
	expect_no_old_size();
	munmap((void *)(uintptr_t)shown, sizeof(*shown));
}
END_TEST

static Suite *truncate_suite(void)
{
	Suite *suite = suite_create("truncate");
	TCase *truncating = unit_case(suite, "truncating");
	TCase *overwriting = unit_case(suite, "overwriting");
	TCase *failing = unit_case(suite, "failing");

	tcase_add_checked_fixture(truncating, make, NULL);
	tcase_add_checked_fixture(overwriting, make, NULL);
	tcase_add_checked_fixture(failing, make, NULL);
	tcase_add_loop_test(truncating, truncated_entries_are_gone, 0, 9);
	tcase_add_loop_test(truncating, truncated_entries_stay_gone, 0, 9);
	tcase_add_test(truncating, generation_counts_truncations);
	tcase_add_test(truncating, truncation_of_nothing_changes_nothing);
	tcase_add_test(truncating, index_past_the_end_is_refused);
	tcase_add_test(truncating, index_that_was_trimmed_is_refused);
	tcase_add_test(truncating, only_the_writer_truncates);
	tcase_add_loop_test(truncating,
			    files_are_not_shortened_below_what_was_shown, 0, 8);
	tcase_add_loop_test(truncating, views_stay_as_they_were, 0, 8);
	tcase_add_test(truncating, entries_before_a_truncation_are_durable);
	tcase_add_loop_test(overwriting, overwritten_entries_are_new, 0, 8);
	tcase_add_test(overwriting,
		       overwriting_at_the_end_is_durable_under_every_policy);
	tcase_add_test(overwriting, overwriting_by_nothing_truncates);
	tcase_add_test(overwriting, overwrite_that_is_refused_changes_nothing);
	tcase_add_loop_test(overwriting,
			    overwrite_on_a_full_disk_changes_nothing, 0, 4);
	tcase_add_loop_test(failing, truncation_works_on_a_full_disk, 0, 8);
	tcase_add_loop_test(failing, truncation_on_a_full_disk_is_not_forgotten,
			    0, 8);
	tcase_add_loop_test(failing,
			    truncation_that_fails_is_finished_or_undone, 0, 24);
	tcase_add_loop_test(failing, overwrite_that_fails_is_finished_or_undone,
			    0, 32);
	tcase_add_loop_test(failing,
			    recovery_shows_no_size_of_what_was_replaced, 0, 24);
	return suite;
}

int main(void)
{
	return unit_run(truncate_suite());
}
