/* SPDX-License-Identifier: MIT */
/* Tests of many threads that append to one log. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "appenders.h"
#include "fixture.h"

static void expect_said(uint64_t index, uint64_t who, uint64_t n)
{
	struct maplog_info info;
	struct said found;

	ck_assert_int_eq(maplog_read(tlog, index, &found, sizeof(found), &info),
			 0);
	ck_assert_uint_eq(info.tag, who);
	ck_assert_uint_eq(found.who, who);
	ck_assert_uint_eq(found.n, n);
	ck_assert(said_is(&found, info.bytes));
}

/* All that was acknowledged is there, where it was said to be. */
static void expect_all_said(void)
{
	for (uint64_t i = 0; i < APPENDERS; i++) {
		for (uint64_t n = 0; n < EACH; n++)
			expect_said(appenders[i].index[n], i, n);
	}
}

static const char *const policies[] = { "always", "interval=1ms", "manual" };

START_TEST(entries_of_concurrent_appenders_are_all_there)
{
	make_log("sync", policies[_i], NULL);
	appenders_start();
	appenders_join();
	expect_range(0, APPENDERS * EACH);
	expect_all_said();
	reopen_log();
	expect_range(0, APPENDERS * EACH);
	expect_all_said();
}
END_TEST

/* Larger than a segment together: they roll meanwhile. */
static void *append_large(void *arg)
{
	char *data = malloc(100 << 10);
	int *ret = arg;

	for (int i = 0; i < 20 && !*ret; i++) {
		struct maplog_entry entry = { data, 100 << 10, 0 };

		pattern(data, entry.bytes, (uint64_t)i);
		*ret = maplog_append(tlog, &entry, 1, NULL);
	}
	free(data);
	return NULL;
}

START_TEST(concurrent_appenders_roll_segments)
{
	pthread_t threads[APPENDERS];
	int ret[APPENDERS] = { 0 };

	make_log("sync", policies[_i], "segment-size", "1M", NULL);
	for (int i = 0; i < APPENDERS; i++)
		pthread_create(&threads[i], NULL, append_large, &ret[i]);
	for (int i = 0; i < APPENDERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(ret[i], 0);
	}
	expect_range(0, APPENDERS * 20);
	reopen_log();
	for (uint64_t i = 0; i < APPENDERS * 20; i++)
		ck_assert_int_eq(read_error(i), 0);
}
END_TEST

static bool enough; /* atomic */

static void *append_until_enough(void *arg)
{
	const struct maplog_entry entry = { "x", 1, 0 };
	int *ret = arg;

	while (!*ret && !__atomic_load_n(&enough, __ATOMIC_RELAXED))
		*ret = maplog_append(tlog, &entry, 1, NULL);
	return NULL;
}

/* There is always somebody in the queue who could go first. */
START_TEST(seal_gets_its_turn_while_others_append_without_end)
{
	pthread_t threads[APPENDERS];
	int ret[APPENDERS] = { 0 };

	make_log("sync", policies[_i], NULL);
	enough = false;
	for (int i = 0; i < APPENDERS; i++)
		pthread_create(&threads[i], NULL, append_until_enough, &ret[i]);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	for (int i = 0; i < APPENDERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(ret[i], 0);
	}
}
END_TEST

struct counter {
	pthread_t thread;
	uint64_t appended;
	int ret;
};

/* Appends its index, if it gets it. */
static void *append_where_told(void *arg)
{
	struct counter *counter = arg;

	while (!counter->ret) {
		uint64_t next = counters().next;
		const struct maplog_entry entry = { &next, sizeof(next), 0 };
		int ret;

		if (next >= 1000)
			break;
		ret = maplog_append_at(tlog, next, &entry, 1);
		if (!ret)
			counter->appended++;
		else if (ret != -ESTALE)
			counter->ret = ret;
	}
	return NULL;
}

START_TEST(append_at_gives_each_index_to_one_of_many)
{
	struct counter racers[APPENDERS] = { { .ret = 0 } };
	uint64_t sum = 0;

	make_log("sync", policies[_i], NULL);
	for (int i = 0; i < APPENDERS; i++)
		pthread_create(&racers[i].thread, NULL, append_where_told,
			       &racers[i]);
	for (int i = 0; i < APPENDERS; i++) {
		pthread_join(racers[i].thread, NULL);
		ck_assert_int_eq(racers[i].ret, 0);
		sum += racers[i].appended;
	}
	ck_assert_uint_eq(sum, counters().next);
	for (uint64_t i = 0; i < counters().next; i++) {
		uint64_t value;

		ck_assert_int_eq(maplog_read(tlog, i, &value, 8, NULL), 0);
		ck_assert_uint_eq(value, i);
	}
}
END_TEST

static Suite *threads_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *tcase = unit_case(suite, "appending");

	tcase_add_loop_test(
		tcase, entries_of_concurrent_appenders_are_all_there, 0, 3);
	tcase_add_loop_test(tcase, concurrent_appenders_roll_segments, 0, 3);
	tcase_add_loop_test(tcase,
			    seal_gets_its_turn_while_others_append_without_end,
			    0, 3);
	tcase_add_loop_test(tcase, append_at_gives_each_index_to_one_of_many, 0,
			    3);
	return suite;
}

int main(void)
{
	return unit_run(threads_suite());
}
