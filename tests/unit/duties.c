/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the keeper does beside the others, done here by the test: the
 * log may have changed since the keeper looked, or does so while it works.
 */
#include <errno.h>
#include <pthread.h>

#include "files.h"
#include "fixture.h"
#include "head.h"
#include "private.h"
#include "sync.h"

/* Counts calls from now on. There is no keeper. */
static void forget(void)
{
	fault_clear();
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
}

static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	forget();
}

static uint64_t checkpointed(void)
{
	struct maplog_checkpoint checkpoint;

	(void)head_checkpoint(tlog->head.page, &checkpoint);
	return checkpoint.durable;
}

START_TEST(checkpoint_holds_what_is_durable)
{
	append_many(2, 10);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	append_many(1, 10);
	ck_assert_int_eq(sync_checkpoint(tlog), 0);
	ck_assert_uint_eq(checkpointed(), 2);
	forget();
	ck_assert_int_eq(sync_checkpoint(tlog), 0);
	ck_assert_int_eq(calls_made(CALL_SYNC), 0);
}
END_TEST

/* What a checkpoint holds is read by its .idx, and that of a segment that is
 * not finished is not durable. */
START_TEST(checkpoint_waits_for_segments_that_are_not_finished)
{
	append_many(2, 10);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	append_many(1, MIB);
	forget();
	ck_assert_int_eq(sync_checkpoint(tlog), 0);
	ck_assert_int_eq(calls_made(CALL_SYNC), 0);
	ck_assert_uint_eq(checkpointed(), 0);
	ck_assert_int_eq(sync_finish(tlog), 0);
	ck_assert_uint_eq(checkpointed(), 2);
}
END_TEST

static void *call_checkpoint(void *ret)
{
	*(int *)ret = sync_checkpoint(tlog);
	return NULL;
}

START_TEST(checkpoint_beside_which_a_segment_ends_is_not_written)
{
	pthread_t thread;
	int ret = -1;

	append_many(2, 10);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	fault_share();
	fault_set(CALL_SYNC, 0, 1, FAULT_WAIT);
	calls_spare(true);
	must(!pthread_create(&thread, NULL, call_checkpoint, &ret));
	calls_spare(false);
	fault_await();
	append_many(1, MIB);
	fault_go_on();
	pthread_join(thread, NULL);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(checkpointed(), 0);
}
END_TEST

/* There is none after a truncation on a full disk. */
START_TEST(checkpoint_without_an_active_segment_is_there_already)
{
	append_many(2, 10);
	fault_set(CALL_RESIZE, 0, -1, ENOSPC);
	ck_assert_int_eq(maplog_truncate(tlog, 1), 0);
	ck_assert_ptr_null(tlog->active);
	fault_set(CALL_SYNC, 0, -1, EIO);
	ck_assert_int_eq(sync_checkpoint(tlog), 0);
	ck_assert_uint_eq(checkpointed(), 1);
	ck_assert_int_eq(status().error, 0);
}
END_TEST

/* The page cache may say of its pages, too, that they are written. */
START_TEST(segment_is_not_finished_after_a_failed_sync)
{
	append_many(2, MIB);
	forget();
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
	ck_assert_int_eq(calls_made(CALL_SYNC), 1);
	ck_assert_int_eq(sync_finish(tlog), -EROFS);
	ck_assert_int_eq(calls_made(CALL_SYNC), 1);
	ck_assert_uint_eq(counters().durable, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("duties");
	TCase *tcase = unit_case(suite, "duties");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, checkpoint_holds_what_is_durable);
	tcase_add_test(tcase,
		       checkpoint_waits_for_segments_that_are_not_finished);
	tcase_add_test(tcase,
		       checkpoint_beside_which_a_segment_ends_is_not_written);
	tcase_add_test(tcase,
		       checkpoint_without_an_active_segment_is_there_already);
	tcase_add_test(tcase, segment_is_not_finished_after_a_failed_sync);
	return unit_run(suite);
}
