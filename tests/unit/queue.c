/* SPDX-License-Identifier: MIT */
/*
 * Tests of what waits while the device works: batches in the queue and calls
 * that change the log, when the sync before them ends well, or fails.
 */
#include <errno.h>
#include <unistd.h>

#include "caller.h"
#include "fixture.h"
#include "private.h"

START_TEST(failed_sync_fails_all_who_wait_for_it)
{
	struct caller first = { .text = "first" };
	struct caller second = { .text = "second" };
	struct caller third = { .at = 0 };

	make_log("sync", "always", NULL);
	caller_hold(&first);
	caller_start(&second, call_append);
	caller_start(&third, call_truncate);
	caller_await(2, 1);
	caller_let_go(EIO);
	ck_assert_int_eq(caller_end(&first), -EIO);
	ck_assert_int_eq(caller_end(&second), -EIO);
	ck_assert_int_eq(caller_end(&third), -EROFS);
}
END_TEST

START_TEST(batch_for_another_index_waits_for_nobody)
{
	struct caller first = { .text = "first" };
	struct caller second = { .text = "second" };
	struct caller stale = { .text = "x", .conditional = true, .at = 7 };
	struct caller right = { .text = "y", .conditional = true, .at = 2 };

	make_log("sync", "always", NULL);
	caller_hold(&first);
	caller_start(&second, call_append);
	caller_await(2, 0);
	caller_start(&stale, call_append);
	caller_await(3, 0);
	caller_start(&right, call_append);
	caller_await(4, 0);
	caller_let_go(0);
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), 0);
	ck_assert_int_eq(caller_end(&stale), -ESTALE);
	ck_assert_int_eq(caller_end(&right), 0);
	expect_text(1, "second");
	expect_text(2, "y");
}
END_TEST

/* There is room for each, if not for both at once. */
START_TEST(batches_that_a_full_disk_has_no_room_for_go_one_by_one)
{
	struct caller first = { .text = "first" };
	struct caller second = { .bytes = 9 * MIB };
	struct caller third = { .bytes = 9 * MIB };

	make_log("sync", "always", "segment-size", "64M", NULL);
	caller_hold(&first);
	caller_start(&second, call_append);
	caller_start(&third, call_append);
	caller_await(3, 0);
	fault_set(CALL_ALLOCATE, 0, 1, ENOSPC);
	caller_let_go(0);
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), 0);
	ck_assert_int_eq(caller_end(&third), 0);
	expect_range(0, 3);
}
END_TEST

/* Segments that are full and not durable, and nobody who sees to it. */
static void make_rolled(int n)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_many((size_t)n, MIB);
	append_many(1, 10);
	ck_assert_uint_eq(counters().durable, 0);
}

START_TEST(batch_behind_a_truncation_that_failed_is_refused)
{
	struct caller first = { .at = 2 };
	struct caller second = { .text = "second" };

	make_rolled(2);
	fault_share();
	fault_set(CALL_SYNC, 0, 1, FAULT_WAIT);
	caller_start(&first, call_truncate);
	fault_await();
	caller_start(&second, call_append);
	caller_await(1, 0);
	caller_let_go(EIO);
	ck_assert_int_eq(caller_end(&first), -EIO);
	ck_assert_int_eq(caller_end(&second), -EROFS);
}
END_TEST

/* Until somebody waits for a sync of another one's to end. */
static void await_sync(void)
{
	while (!__atomic_load_n(&tlog->written.__data.__wrefs,
				__ATOMIC_RELAXED))
		usleep(1000);
}

static void hold_sync(struct caller *first)
{
	fault_share();
	fault_set(CALL_SYNC, 0, 1, FAULT_WAIT);
	caller_start(first, call_sync);
	fault_await();
}

/* Looped over whether the device fails. */
START_TEST(sync_behind_a_sync_is_told_how_that_went)
{
	struct caller first = { .at = 0 };
	struct caller second = { .at = 0 };

	make_log("sync", "manual", NULL);
	append("a");
	hold_sync(&first);
	caller_start(&second, call_sync);
	await_sync();
	caller_let_go(_i ? EIO : 0);
	ck_assert_int_eq(caller_end(&first), _i ? -EIO : 0);
	ck_assert_int_eq(caller_end(&second), _i ? -EROFS : 0);
	ck_assert_uint_eq(second.at, _i ? 0 : 1);
}
END_TEST

/* The device tells of its error once, to whoever asks first. */
START_TEST(batch_beside_a_sync_of_another_policy_that_fails_is_refused)
{
	struct caller first = { .at = 0 };
	struct caller second = { .text = "second" };

	make_log("sync", "manual", NULL);
	append("a");
	hold_sync(&first);
	tlog->options.sync = MAPLOG_SYNC_ALWAYS;
	caller_start(&second, call_append);
	await_sync();
	fault_set(CALL_SYNC, 0, 1, EIO);
	fault_go_on();
	ck_assert_int_eq(caller_end(&first), -EIO);
	ck_assert_int_eq(caller_end(&second), -EROFS);
}
END_TEST

START_TEST(segment_that_cannot_be_finished_fails_the_sync)
{
	make_rolled(2);
	fault_set(CALL_SYNC, 0, -1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EROFS);
}
END_TEST

/* After an idle second the keeper writes a checkpoint. */
START_TEST(checkpoint_that_cannot_be_written_stops_the_log)
{
	make_log("sync", "always", NULL);
	append("a");
	fault_set(CALL_SYNC, 0, -1, EIO);
	while (!status().error)
		usleep(10000);
	ck_assert_int_eq(try_append("b"), -EROFS);
	expect_text(0, "a");
}
END_TEST

START_TEST(only_the_writer_syncs)
{
	make_log(NULL);
	append("a");
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EROFS);
}
END_TEST

START_TEST(what_another_policy_left_is_durable_before_the_next_batch)
{
	make_rolled(2);
	tlog->options.sync = MAPLOG_SYNC_ALWAYS;
	append("next");
	ck_assert_uint_eq(counters().durable, 4);
}
END_TEST

START_TEST(what_another_policy_left_and_cannot_be_synced_stops_the_log)
{
	make_rolled(2);
	tlog->options.sync = MAPLOG_SYNC_ALWAYS;
	fault_set(CALL_SYNC, 0, -1, EIO);
	ck_assert_int_eq(try_append("next"), -EIO);
	ck_assert_int_eq(try_append("next"), -EROFS);
	expect_range(0, 3);
}
END_TEST

START_TEST(too_many_segments_that_cannot_be_synced_stop_the_log)
{
	static char zeros[MIB];
	const struct maplog_entry entry = { zeros, sizeof(zeros), 0 };

	make_rolled(4);
	fault_set(CALL_SYNC, 0, -1, EIO);
	ck_assert_int_eq(maplog_append(tlog, &entry, 1, NULL), -EIO);
	ck_assert_int_eq(try_append("next"), -EROFS);
	expect_range(0, 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tcase = unit_case(suite, "queue");

	tcase_add_test(tcase, failed_sync_fails_all_who_wait_for_it);
	tcase_add_test(tcase, batch_behind_a_truncation_that_failed_is_refused);
	tcase_add_test(tcase, batch_for_another_index_waits_for_nobody);
	tcase_add_test(tcase,
		       batches_that_a_full_disk_has_no_room_for_go_one_by_one);
	tcase_add_test(
		tcase,
		what_another_policy_left_is_durable_before_the_next_batch);
	tcase_add_test(
		tcase,
		what_another_policy_left_and_cannot_be_synced_stops_the_log);
	tcase_add_test(tcase,
		       too_many_segments_that_cannot_be_synced_stop_the_log);
	tcase_add_loop_test(tcase, sync_behind_a_sync_is_told_how_that_went, 0,
			    2);
	tcase_add_test(
		tcase,
		batch_beside_a_sync_of_another_policy_that_fails_is_refused);
	tcase_add_test(tcase, segment_that_cannot_be_finished_fails_the_sync);
	tcase_add_test(tcase, checkpoint_that_cannot_be_written_stops_the_log);
	tcase_add_test(tcase, only_the_writer_syncs);
	return unit_run(suite);
}
