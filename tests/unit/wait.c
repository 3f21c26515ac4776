/* SPDX-License-Identifier: MIT */
/* Tests of waiting for something new. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "writer.h"

/* Milliseconds that only what hangs takes. */
#define LONG 60000

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void make(void)
{
	make_log("sync", "manual", NULL);
	append("a");
}

static void *append_later(void *arg)
{
	(void)arg;
	usleep(50000);
	append("later");
	return NULL;
}

static void *truncate_later(void *arg)
{
	(void)arg;
	usleep(50000);
	ck_assert_int_eq(maplog_truncate(tlog, 0), 0);
	return NULL;
}

/* In two steps, so that the second is not the first after a pause. */
static void *append_twice_later(void *arg)
{
	(void)arg;
	usleep(50000);
	append("later");
	append("and more");
	return NULL;
}

static int wait_beside(void *(*run)(void *), uint64_t next, int timeout)
{
	pthread_t thread;
	int ret;

	pthread_create(&thread, NULL, run, NULL);
	ret = maplog_wait(tlog, next, 0, timeout);
	pthread_join(thread, NULL);
	return ret;
}

START_TEST(what_is_there_is_not_waited_for)
{
	ck_assert_int_eq(maplog_wait(tlog, 0, 0, -1), 0);
	ck_assert_int_eq(maplog_wait(tlog, 0, 0, 0), 0);
}
END_TEST

START_TEST(another_generation_is_not_waited_for)
{
	ck_assert_int_eq(maplog_wait(tlog, 1, 7, -1), 0);
}
END_TEST

START_TEST(wait_ends_in_time)
{
	long begin = now();

	ck_assert_int_eq(maplog_wait(tlog, 1, 0, 0), -ETIMEDOUT);
	ck_assert_int_eq(maplog_wait(tlog, 1, 0, 60), -ETIMEDOUT);
	ck_assert_int_ge(now() - begin, 60);
	ck_assert_int_lt(now() - begin, LONG);
}
END_TEST

START_TEST(append_ends_a_wait)
{
	ck_assert_int_eq(wait_beside(append_later, 1, -1), 0);
}
END_TEST

/* Wakes that come too soon after another are left to the keeper. */
START_TEST(append_soon_after_another_ends_a_wait)
{
	ck_assert_int_eq(wait_beside(append_twice_later, 2, LONG), 0);
	expect_range(0, 3);
}
END_TEST

START_TEST(truncation_ends_a_wait)
{
	ck_assert_int_eq(wait_beside(truncate_later, 1, -1), 0);
}
END_TEST

START_TEST(wait_for_more_than_comes_goes_on_until_its_time)
{
	long begin = now();

	ck_assert_int_eq(wait_beside(append_later, 5, 200), -ETIMEDOUT);
	ck_assert_int_ge(now() - begin, 200);
}
END_TEST

static void nothing(int signal)
{
	(void)signal;
}

static void *interrupt_later(void *arg)
{
	const pthread_t *thread = arg;

	usleep(50000);
	pthread_kill(*thread, SIGUSR1);
	return NULL;
}

START_TEST(signal_ends_a_wait)
{
	const struct sigaction action = { .sa_handler = nothing };
	pthread_t self = pthread_self();
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, interrupt_later, &self);
	ck_assert_int_eq(maplog_wait(tlog, 1, 0, LONG), -EINTR);
	pthread_join(thread, NULL);
}
END_TEST

static void *tell_later(void *arg)
{
	(void)arg;
	usleep(50000);
	writer_append("later");
	return NULL;
}

START_TEST(append_in_another_process_ends_a_wait)
{
	close_log();
	writer_start();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(wait_beside(tell_later, 1, LONG), 0);
	expect_text(1, "later");
	writer_close();
}
END_TEST

static void *recover_later(void *arg)
{
	(void)arg;
	usleep(50000);
	writer_start();
	writer_append("later");
	return NULL;
}

START_TEST(writer_that_comes_to_a_crashed_log_ends_a_wait)
{
	close_log();
	writer_start();
	writer_kill();
	open_log(MAPLOG_READ);
	expect_range(0, 1);
	ck_assert_int_eq(wait_beside(recover_later, 1, LONG), 0);
	expect_text(1, "later");
	writer_close();
}
END_TEST

static Suite *wait_suite(void)
{
	Suite *suite = suite_create("wait");
	TCase *tcase = unit_case(suite, "wait");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, what_is_there_is_not_waited_for);
	tcase_add_test(tcase, another_generation_is_not_waited_for);
	tcase_add_test(tcase, wait_ends_in_time);
	tcase_add_test(tcase, append_ends_a_wait);
	tcase_add_test(tcase, append_soon_after_another_ends_a_wait);
	tcase_add_test(tcase, truncation_ends_a_wait);
	tcase_add_test(tcase, wait_for_more_than_comes_goes_on_until_its_time);
	tcase_add_test(tcase, signal_ends_a_wait);
	tcase_add_test(tcase, append_in_another_process_ends_a_wait);
	tcase_add_test(tcase, writer_that_comes_to_a_crashed_log_ends_a_wait);
	return suite;
}

int main(void)
{
	return unit_run(wait_suite());
}
