/* SPDX-License-Identifier: MIT */
/*
 * Tests of full disks where stores need new space, as on btrfs: what cannot be
 * written is refused or waits, and nothing that was is lost.
 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "head.h"
#include "late.h"
#include "private.h"

static void begin(void)
{
	calls_file_system = BTRFS_SUPER_MAGIC;
}

static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
}

/* A page of the head that others share cannot be changed. */
static void share_head(int times)
{
	fault_set(CALL_ADVISE, 0, times, EFAULT);
}

START_TEST(batch_that_leaves_no_headroom_is_refused)
{
	make();
	append("a");
	calls_disk_full = true;
	ck_assert_int_eq(try_append("b"), -ENOSPC);
	expect_range(0, 1);
	calls_disk_full = false;
	ck_assert_uint_eq(append("c"), 1);
	expect_text(1, "c");
}
END_TEST

/* Its counters would be a signal. */
START_TEST(batch_that_the_head_cannot_be_changed_for_is_refused)
{
	make();
	append("a");
	share_head(1);
	ck_assert_int_eq(try_append("b"), -ENOSPC);
	expect_range(0, 1);
	ck_assert_uint_eq(append("c"), 1);
	expect_text(1, "c");
}
END_TEST

START_TEST(checkpoint_takes_the_space_that_is_reserved_for_entries)
{
	make();
	append_batch("a", "b", NULL);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	share_head(1);
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	expect_range(1, 2);
	expect_text(1, "b");
	ck_assert_uint_le(tlog->active->allocated[REGION_PAYLOAD], 4096);
	/* There is nothing left to take. */
	share_head(1);
	ck_assert_int_eq(maplog_trim(tlog, 2), -ENOSPC);
	expect_range(1, 2);
	ck_assert_int_eq(status().error, 0);
	append("c");
	reopen_log();
	expect_range(1, 3);
	expect_text(2, "c");
}
END_TEST

START_TEST(checkpoint_without_an_active_segment_is_refused)
{
	make();
	append_batch("a", "b", "c", NULL);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(maplog_truncate(tlog, 2), 0);
	ck_assert_ptr_null(tlog->active);
	share_head(1);
	ck_assert_int_eq(maplog_trim(tlog, 1), -ENOSPC);
	expect_range(0, 2);
	ck_assert_int_eq(status().error, 0);
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	expect_range(1, 2);
	fault_clear();
	append("c");
	expect_text(2, "c");
}
END_TEST

/* Also without the space to say so. */
static void expect_late_segment(void)
{
	bool cut = file_size(log_path(0, "log")) < TRAILER_AT;
	struct maplog_checkpoint checkpoint;

	ck_assert_int_eq(status().error, 0);
	expect_range(0, 3);
	(void)head_checkpoint(tlog->head.page, &checkpoint);
	ck_assert(!cut || checkpoint.durable >= 2);
	expect_text(1, "b");
	expect_pattern(2, MIB);
}

static void copy_log(const char *from, const char *to)
{
	(void)maplog_close(tlog);
	tlog = NULL;
	copy_tree(from, to);
}

/* Opens the log where the n-th page cannot be reached, and those behind it.
 * Whether there was one. */
static bool try_open(int n, int times, bool *opened)
{
	bool reached;

	fault_clear();
	fault_set(CALL_ADVISE, n, times, EFAULT);
	*opened = !maplog_open(store, LOG, MAPLOG_WRITE, &tlog);
	reached = calls_made(CALL_ADVISE) > n;
	fault_clear();
	return reached;
}

/* Its index is read from the copy until then. */
START_TEST(segment_sealed_late_is_cut_when_there_is_space_for_the_mark)
{
	bool longer = false;
	bool opened;

	late_make();
	copy_log(LOG, "before");
	for (int n = 0; try_open(n, 1, &opened); n++) {
		if (opened) {
			expect_late_segment();
			longer |= file_size(log_path(0, "log")) > TRAILER_AT;
		}
		copy_log("before", LOG);
	}
	ck_assert(longer);
	ck_assert_uint_eq(file_size(log_path(0, "log")), 2);
	expect_late_segment();
}
END_TEST

static void truncate_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_batch("a", "b", "c", NULL);
	fault_set(CALL_SYNC_DIR, 0, 1, FAULT_DIE);
	(void)maplog_truncate(tlog, 1);
}

/* Otherwise it would be done again, to what is appended now. */
START_TEST(truncation_that_cannot_be_forgotten_makes_the_log_read_only)
{
	bool failed = false;
	bool opened;

	create_log("segment-size", "1M", "sync", "manual", NULL);
	ck_assert_int_eq(run_child(truncate_and_die), DIED);
	copy_log(LOG, "before");
	for (int n = 0; try_open(n, -1, &opened); n++) {
		if (opened) {
			expect_range(0, 1);
			failed |= status().error == -ENOSPC;
			ck_assert_int_eq(try_append("next"),
					 status().error ? -EROFS : 0);
		}
		copy_log("before", LOG);
	}
	ck_assert(failed);
	append("next");
	reopen_log();
	expect_text(1, "next");
}
END_TEST

static void append_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_batch("a", "b", "c", NULL);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

static void fail_and_die(void)
{
	append_and_die();
	append("d");
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
}

/* All its segments are lost, and there is no room for another one. */
static void lose_all(void (*work)(void))
{
	create_log("segment-size", "1M", "sync", "manual", NULL);
	ck_assert_int_eq(run_child(work), 0);
	ck_assert_int_eq(unlinkat(store, log_path(0, "log"), 0), 0);
	ck_assert_int_eq(unlinkat(store, log_path(0, "idx"), 0), 0);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	open_log(MAPLOG_WRITE);
	expect_range(0, 3);
	ck_assert_int_eq(read_error(1), -EUCLEAN);
	ck_assert_int_eq(try_append("d"), -ENOSPC);
}

static void expect_to_go_on(void)
{
	fault_clear();
	ck_assert_uint_eq(append("d"), 3);
	reopen_log();
	expect_text(3, "d");
}

/* Looped over whether its last sync failed: then it would leave the segment
 * that it ends in. */
START_TEST(log_without_segments_opens)
{
	lose_all(_i ? fail_and_die : append_and_die);
	expect_to_go_on();
}
END_TEST

START_TEST(log_without_segments_is_trimmed)
{
	lose_all(append_and_die);
	ck_assert_int_eq(maplog_trim(tlog, 3), 0);
	expect_range(3, 3);
	expect_to_go_on();
	expect_range(3, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("full");
	TCase *tcase = unit_case(suite, "full");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, batch_that_leaves_no_headroom_is_refused);
	tcase_add_test(tcase,
		       batch_that_the_head_cannot_be_changed_for_is_refused);
	tcase_add_test(tcase,
		       checkpoint_takes_the_space_that_is_reserved_for_entries);
	tcase_add_test(tcase, checkpoint_without_an_active_segment_is_refused);
	tcase_add_test(
		tcase,
		segment_sealed_late_is_cut_when_there_is_space_for_the_mark);
	tcase_add_test(
		tcase,
		truncation_that_cannot_be_forgotten_makes_the_log_read_only);
	tcase_add_loop_test(tcase, log_without_segments_opens, 0, 2);
	tcase_add_test(tcase, log_without_segments_is_trimmed);
	return unit_run_in_memory(suite);
}
