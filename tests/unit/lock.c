/* SPDX-License-Identifier: MIT */
/* Tests of one writer at a time, and of becoming it. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "private.h"
#include "writer.h"

static int open_ret(enum maplog_mode mode)
{
	struct maplog *log;
	int ret = maplog_open(store, LOG, mode, &log);

	if (!ret)
		(void)maplog_close(log);
	return ret;
}

static int holder(pid_t *pid)
{
	return maplog_holder(store, LOG, pid);
}

START_TEST(second_writer_is_refused)
{
	make_log(NULL);
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), -EBUSY);
	ck_assert_int_eq(open_ret(MAPLOG_READ), 0);
	ck_assert_int_eq(maplog_remove(store, LOG), -EBUSY);
	append("a");
}
END_TEST

START_TEST(second_writer_in_another_process_is_refused)
{
	create_log(NULL);
	writer_start();
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), -EBUSY);
	ck_assert_int_eq(open_ret(MAPLOG_READ), 0);
	writer_close();
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), 0);
}
END_TEST

START_TEST(lock_goes_with_the_process)
{
	create_log(NULL);
	writer_start();
	writer_kill();
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), 0);
}
END_TEST

START_TEST(holder_is_known_by_its_pid)
{
	pid_t pid = 7;

	create_log(NULL);
	ck_assert_int_eq(holder(&pid), -ESRCH);
	writer_start();
	ck_assert_int_eq(holder(&pid), 0);
	ck_assert_int_eq(pid, writer_pid());
	open_log(MAPLOG_READ);
	ck_assert_int_eq(status().holder, writer_pid());
	ck_assert(status().live);
	ck_assert(!status().writer);
	writer_kill();
	ck_assert_int_eq(holder(&pid), -ESRCH);
	ck_assert(!status().live);
	ck_assert_int_eq(status().holder, 0);
}
END_TEST

START_TEST(holder_of_no_log_is_an_error)
{
	pid_t pid;

	ck_assert_int_eq(holder(&pid), -ENOENT);
	make_file(LOG, "");
	ck_assert_int_eq(holder(&pid), -ENOTDIR);
}
END_TEST

START_TEST(lock_follows_the_directory_when_it_is_renamed)
{
	struct maplog *log;

	make_log(NULL);
	ck_assert_int_eq(renameat(store, LOG, store, "other"), 0);
	ck_assert_int_eq(maplog_open(store, "other", MAPLOG_WRITE, &log),
			 -EBUSY);
	append("a");
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	close_log();
	ck_assert_int_eq(maplog_open(store, "other", MAPLOG_WRITE, &log), 0);
	expect_text_in(log, 0, "a");
	maplog_close(log);
}
END_TEST

START_TEST(system_without_locks_is_an_error)
{
	create_log(NULL);
	fault_set(CALL_LOCK, 0, -1, ENOLCK);
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), -ENOLCK);
}
END_TEST

/* Who only asks holds a shared lock for a moment. */
START_TEST(question_is_not_taken_for_a_writer)
{
	create_log(NULL);
	fault_set(CALL_LOCK, 0, 3, EWOULDBLOCK);
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), 0);
	fault_set(CALL_LOCK, 0, 3, EINTR);
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), 0);
}
END_TEST

START_TEST(reader_becomes_the_writer)
{
	create_log(NULL);
	open_log(MAPLOG_READ);
	ck_assert_int_eq(try_append("no"), -EROFS);
	ck_assert_int_eq(maplog_promote(tlog), 0);
	ck_assert(status().writer);
	append("a");
	ck_assert_int_eq(maplog_promote(tlog), 0);
	ck_assert_int_eq(open_ret(MAPLOG_WRITE), -EBUSY);
	reopen_log();
	expect_text(0, "a");
}
END_TEST

START_TEST(reader_does_not_become_a_second_writer)
{
	create_log(NULL);
	writer_start();
	writer_append("a");
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_promote(tlog), -EBUSY);
	expect_text(0, "a");
	writer_append("b");
	expect_text(1, "b");
	writer_kill();
	ck_assert_int_eq(maplog_promote(tlog), 0);
	append("c");
	expect_text(0, "a");
	expect_text(2, "c");
}
END_TEST

START_TEST(new_writer_goes_by_the_options_of_the_one_before)
{
	struct maplog_options options;

	create_log("sync", "manual", "map-limit", "1G", NULL);
	open_log(MAPLOG_READ);
	writer_start();
	writer_set("sync", "always");
	writer_set("max-entry", "5");
	writer_close();
	ck_assert_int_eq(maplog_promote(tlog), 0);
	maplog_options(tlog, &options);
	ck_assert_int_eq(options.sync, MAPLOG_SYNC_ALWAYS);
	append("four");
	ck_assert_uint_eq(counters().durable, 1);
	ck_assert_int_eq(try_append("seven.."), -EMSGSIZE);
}
END_TEST

/* Looped over calls that fail while it becomes the writer. */
START_TEST(reader_that_fails_to_become_the_writer_goes_on_reading)
{
	static const enum call calls[] = { CALL_OPEN, CALL_MAP, CALL_SYNC,
					   CALL_READ, CALL_NEW };
	int ret;

	create_log(NULL);
	writer_start();
	writer_append("a");
	writer_kill();
	open_log(MAPLOG_READ);
	fault_set(calls[_i / 6], _i % 6, 1, EIO);
	ret = maplog_promote(tlog);
	fault_clear();
	expect_text(0, "a");
	if (ret) {
		ck_assert_int_eq(try_append("no"), -EROFS);
		ck_assert(!status().writer);
		ck_assert_int_eq(maplog_promote(tlog), 0);
	}
	append("b");
	expect_text(0, "a");
	expect_text(1, "b");
}
END_TEST

static void *promote(void *ret)
{
	*(int *)ret = maplog_promote(tlog);
	return NULL;
}

/* Until somebody waits for the lock. */
static void await_lock(void)
{
	while (__atomic_load_n(&tlog->write.__data.__lock, __ATOMIC_RELAXED) <
	       2)
		usleep(1000);
}

START_TEST(reader_becomes_the_writer_once)
{
	pthread_t thread[2];
	int ret[2] = { -1, -1 };

	create_log(NULL);
	open_log(MAPLOG_READ);
	fault_share();
	fault_set(CALL_SYNC, 0, 1, FAULT_WAIT);
	calls_spare(true);
	must(!pthread_create(&thread[0], NULL, promote, &ret[0]));
	fault_await();
	must(!pthread_create(&thread[1], NULL, promote, &ret[1]));
	calls_spare(false);
	await_lock();
	fault_go_on();
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_int_eq(ret[i], 0);
	}
	ck_assert_uint_eq(tlog->head.page->session, 1);
	append("a");
	expect_text(0, "a");
}
END_TEST

/* After a failed sync it is to go on in a new segment, and there is none. */
START_TEST(reader_that_cannot_leave_the_last_segment_goes_on_reading)
{
	make_log("sync", "manual", NULL);
	append("a");
	fault_set(CALL_SYNC, 0, 1, EIO);
	ck_assert_int_eq(maplog_sync(tlog, NULL), -EIO);
	ck_assert_int_eq(maplog_close(tlog), -EIO);
	tlog = NULL;
	open_log(MAPLOG_READ);
	fault_set(CALL_RESIZE, 0, 1, EIO);
	ck_assert_int_eq(maplog_promote(tlog), -EIO);
	ck_assert(!status().writer);
	ck_assert_int_eq(try_append("no"), -EROFS);
	expect_text(0, "a");
	ck_assert_int_eq(maplog_promote(tlog), 0);
	append("b");
	ck_assert_uint_eq(segment(1).base, 1);
	expect_text(0, "a");
}
END_TEST

START_TEST(snapshots_of_before_are_stale_for_a_new_writer)
{
	struct maplog_snapshot *snapshot;
	struct maplog_view view;

	create_log(NULL);
	writer_start();
	writer_append("a");
	writer_append("b");
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_snapshot_take(tlog, 0, 2, &snapshot), 0);
	writer_overwrite(1, "other");
	writer_close();
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 1, 1, &view), -ESTALE);
	ck_assert_int_eq(maplog_promote(tlog), 0);
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 1, 1, &view), -ESTALE);
	maplog_snapshot_release(snapshot);
	ck_assert_int_eq(maplog_snapshot_take(tlog, 0, 2, &snapshot), 0);
	ck_assert_int_eq(maplog_snapshot_view(snapshot, 1, 1, &view), 0);
	maplog_view_release(&view);
	maplog_snapshot_release(snapshot);
}
END_TEST

static Suite *lock_suite(void)
{
	Suite *suite = suite_create("lock");
	TCase *locking = unit_case(suite, "locking");
	TCase *promoting = unit_case(suite, "promoting");

	tcase_add_test(locking, second_writer_is_refused);
	tcase_add_test(locking, second_writer_in_another_process_is_refused);
	tcase_add_test(locking, lock_goes_with_the_process);
	tcase_add_test(locking, holder_is_known_by_its_pid);
	tcase_add_test(locking, holder_of_no_log_is_an_error);
	tcase_add_test(locking, lock_follows_the_directory_when_it_is_renamed);
	tcase_add_test(locking, system_without_locks_is_an_error);
	tcase_add_test(locking, question_is_not_taken_for_a_writer);
	tcase_add_test(promoting, reader_becomes_the_writer);
	tcase_add_test(promoting, reader_does_not_become_a_second_writer);
	tcase_add_test(promoting,
		       new_writer_goes_by_the_options_of_the_one_before);
	tcase_add_loop_test(
		promoting,
		reader_that_fails_to_become_the_writer_goes_on_reading, 0, 30);
	tcase_add_test(promoting, reader_becomes_the_writer_once);
	tcase_add_test(
		promoting,
		reader_that_cannot_leave_the_last_segment_goes_on_reading);
	tcase_add_test(promoting,
		       snapshots_of_before_are_stale_for_a_new_writer);
	return suite;
}

int main(void)
{
	return unit_run(lock_suite());
}
