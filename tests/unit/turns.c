/* SPDX-License-Identifier: MIT */
/*
 * Tests of what changes while a call waits for its turn: the end of the log,
 * its options, or whether it goes on at all.
 */
#include <errno.h>
#include <pthread.h>

#include "append.h"
#include "caller.h"
#include "fixture.h"
#include "private.h"

/* The test has the log to itself: who comes now waits. */
static void enter(void)
{
	ck_assert_int_eq(append_enter(tlog), 0);
	pthread_mutex_unlock(&tlog->write);
}

static void leave(void)
{
	pthread_mutex_lock(&tlog->write);
	append_leave(tlog);
}

START_TEST(call_that_waits_goes_before_a_batch_that_comes_later)
{
	struct caller first = { .at = 0 };
	struct caller second = { .text = "second" };

	make_log("sync", "manual", NULL);
	append("a");
	enter();
	fault_share();
	fault_set(CALL_AWAIT, 0, 1, FAULT_WAIT);
	caller_start(&first, call_seal);
	fault_await();
	/* It may go on, and has not woken up yet. */
	leave();
	caller_start(&second, call_append);
	caller_await(1, 1);
	fault_go_on();
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), 0);
	ck_assert_uint_eq(first.at, 1);
	expect_text(1, "second");
}
END_TEST

START_TEST(call_that_waits_is_told_when_it_may_go_on)
{
	struct caller first = { .at = 0 };

	make_log("sync", "manual", NULL);
	append("a");
	enter();
	caller_start(&first, call_seal);
	caller_await(0, 1);
	leave();
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_uint_eq(first.at, 1);
}
END_TEST

/* An entry for an index that is not there yet: the log gets there while it
 * waits to overwrite. */
static void queue_overwrite(struct caller *first, struct caller *second)
{
	make_log("sync", "always", NULL);
	enter();
	caller_start(first, call_overwrite);
	caller_await(1, 0);
	caller_start(second, call_append);
	caller_await(2, 0);
}

START_TEST(overwrite_at_what_has_become_the_end_appends)
{
	struct caller first = { .text = "first", .at = 1 };
	struct caller second = { .text = "second" };

	queue_overwrite(&first, &second);
	leave();
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), 0);
	expect_text(0, "second");
	expect_text(1, "first");
	ck_assert_uint_eq(counters().generation, 0);
}
END_TEST

START_TEST(overwrite_behind_a_batch_that_fails_is_refused)
{
	struct caller first = { .text = "first", .at = 1 };
	struct caller second = { .text = "second" };

	queue_overwrite(&first, &second);
	fault_set(CALL_SYNC, 0, -1, EIO);
	leave();
	ck_assert_int_eq(caller_end(&second), -EIO);
	ck_assert_int_eq(caller_end(&first), -EROFS);
}
END_TEST

START_TEST(overwrite_that_is_too_large_by_now_changes_nothing)
{
	struct caller first = { .text = "first", .at = 0 };

	make_log("sync", "always", NULL);
	append("a");
	enter();
	caller_start(&first, call_overwrite);
	caller_await(1, 0);
	tlog->options.max_entry = 4;
	leave();
	ck_assert_int_eq(caller_end(&first), -EMSGSIZE);
	expect_range(0, 1);
	expect_text(0, "a");
	ck_assert_uint_eq(counters().generation, 0);
}
END_TEST

/* What was synced meanwhile is there; what comes behind it is refused. */
START_TEST(segment_that_fails_beside_a_batch_fails_those_behind_it)
{
	struct caller first = { .text = "first" };
	struct caller second = { .text = "second" };

	make_log("segment-size", "1M", "sync", "always", NULL);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_many(1, MIB);
	append_many(1, 10);
	caller_hold(&first);
	caller_start(&second, call_append);
	caller_await(2, 0);
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
	fault_go_on();
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), -EROFS);
	expect_text(2, "first");
	expect_range(0, 3);
}
END_TEST

/* What was enough when it was queued is not when its turn comes. */
START_TEST(batch_that_is_larger_than_segments_are_by_now_is_refused)
{
	struct caller first = { .text = "first" };
	struct caller second = { .bytes = 3 * MIB };

	make_log("sync", "always", "segment-size", "4M", NULL);
	append_many(1, 2 * MIB);
	caller_hold(&first);
	caller_start(&second, call_append);
	caller_await(2, 0);
	tlog->options.segment_size = MIB;
	caller_let_go(0);
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), -EMSGSIZE);
	append("next");
	expect_range(0, 3);
}
END_TEST

/* Two batches were committed together, and both callers were told. */
static void tell_two(void)
{
	struct caller first = { .text = "first" };
	struct caller second = { .text = "second" };

	make_log("sync", "always", NULL);
	enter();
	caller_start(&first, call_append);
	caller_await(1, 0);
	caller_start(&second, call_append);
	caller_await(2, 0);
	leave();
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(caller_end(&second), 0);
}

/* The next one to lead, and whoever comes while it waits for them. */
START_TEST(batches_of_those_who_were_told_share_a_sync)
{
	struct caller caller[3] = { { .text = "a" },
				    { .text = "b" },
				    { .text = "c" } };

	tell_two();
	fault_clear();
	fault_share();
	fault_set(CALL_YIELD, 0, 1, FAULT_WAIT);
	caller_start(&caller[0], call_append);
	fault_await();
	caller_start(&caller[1], call_append);
	caller_await(2, 0);
	caller_start(&caller[2], call_append);
	caller_await(3, 0);
	fault_go_on();
	for (int n = 0; n < 3; n++)
		ck_assert_int_eq(caller_end(&caller[n]), 0);
	ck_assert_int_eq(calls_made(CALL_SYNC), 1);
	expect_range(0, 5);
}
END_TEST

START_TEST(who_leads_waits_for_nobody_while_a_call_waits_for_the_log)
{
	struct caller first = { .at = 0 };
	struct caller second = { .text = "a" };

	tell_two();
	enter();
	caller_start(&first, call_seal);
	caller_await(0, 1);
	caller_start(&second, call_append);
	caller_await(1, 1);
	fault_clear();
	leave();
	ck_assert_int_eq(caller_end(&second), 0);
	ck_assert_int_eq(caller_end(&first), 0);
	ck_assert_int_eq(calls_made(CALL_YIELD), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turns");
	TCase *tcase = unit_case(suite, "turns");

	tcase_add_test(tcase,
		       call_that_waits_goes_before_a_batch_that_comes_later);
	tcase_add_test(tcase, call_that_waits_is_told_when_it_may_go_on);
	tcase_add_test(tcase, overwrite_at_what_has_become_the_end_appends);
	tcase_add_test(tcase, overwrite_behind_a_batch_that_fails_is_refused);
	tcase_add_test(tcase,
		       overwrite_that_is_too_large_by_now_changes_nothing);
	tcase_add_test(tcase,
		       segment_that_fails_beside_a_batch_fails_those_behind_it);
	tcase_add_test(
		tcase,
		batch_that_is_larger_than_segments_are_by_now_is_refused);
	tcase_add_test(tcase, batches_of_those_who_were_told_share_a_sync);
	tcase_add_test(
		tcase,
		who_leads_waits_for_nobody_while_a_call_waits_for_the_log);
	return unit_run(suite);
}
