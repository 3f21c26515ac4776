/* SPDX-License-Identifier: MIT */
/* When a thread of the daemon stays awake, and that it never does for long. */
#include "../../fs/awake.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#define AT_ONCE	  0
#define LONG_NSEC 1000000
#define REQUESTS  20

/* The part of the role that says whether a thread has it. */
#define TAKEN 3

static struct awake awake;
static const uint32_t turns;

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void set_up(void)
{
	awake = (struct awake){ .helps = true };
}

/* Requests of so many clients in turn, with @gap between them. */
static void request(uint32_t clients, uint64_t gap)
{
	for (uint32_t i = 0; i < REQUESTS; i++)
		awake_stay(&awake, 1 + i % clients, clock_ns() + i * gap,
			   &turns);
}

START_TEST(one_client_that_goes_on_has_a_thread_stay)
{
	request(1, AT_ONCE);
	ck_assert_uint_ne(awake.role, 0);
}
END_TEST

START_TEST(a_thread_leaves_when_no_request_follows)
{
	request(1, AT_ONCE);
	ck_assert_uint_eq(awake.role & TAKEN, 0);
}
END_TEST

START_TEST(nobody_stays_for_more_than_one_client)
{
	request(2, AT_ONCE);
	ck_assert_uint_eq(awake.role, 0);
}
END_TEST

START_TEST(nobody_stays_for_requests_with_time_between_them)
{
	request(1, LONG_NSEC);
	ck_assert_uint_eq(awake.role, 0);
}
END_TEST

START_TEST(nobody_stays_where_it_does_not_help)
{
	awake.helps = false;
	request(1, AT_ONCE);
	ck_assert_uint_eq(awake.role, 0);
}
END_TEST

START_TEST(only_one_thread_stays)
{
	awake.role = 1;
	request(1, AT_ONCE);
	ck_assert_uint_eq(awake.role, 1);
}
END_TEST

static Suite *awake_suite(void)
{
	Suite *suite = suite_create("awake");
	TCase *tcase = tcase_create("awake");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, one_client_that_goes_on_has_a_thread_stay);
	tcase_add_test(tcase, a_thread_leaves_when_no_request_follows);
	tcase_add_test(tcase, nobody_stays_for_more_than_one_client);
	tcase_add_test(tcase, nobody_stays_for_requests_with_time_between_them);
	tcase_add_test(tcase, nobody_stays_where_it_does_not_help);
	tcase_add_test(tcase, only_one_thread_stays);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(awake_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
