/* SPDX-License-Identifier: MIT */
/* Tests of the table of segments, and of readers beside its changes. */
#include "table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "fixture.h"

static struct table table;
static struct row row;
static uint64_t bound;

static void put(uint64_t base, uint64_t id)
{
	ck_assert_int_eq(table_reserve(&table, 1), 0);
	table_begin(&table);
	table_put(&table, &(struct row){ .base = base, .id = id });
	table_end(&table);
}

/* 0, 10, 20 and so on, with ids from 1. */
static void fill(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		put(i * 10, i + 1);
}

static void destroy(void)
{
	table_destroy(&table);
	table = (struct table){ .version = 0 };
}

START_TEST(empty_table_has_nothing)
{
	ck_assert(!table_find(&table, 0, &row, &bound));
	ck_assert(!table_find(&table, UINT64_MAX, &row, &bound));
	ck_assert(!table_after(&table, 0, &row, &bound));
}
END_TEST

static void *version_of(void *version)
{
	*(uint64_t *)version = table_version(&table);
	return NULL;
}

START_TEST(reader_lets_others_run_while_the_table_changes)
{
	uint64_t version = 1;
	pthread_t thread;

	fault_share();
	fault_set(CALL_YIELD, 0, 1, FAULT_WAIT);
	table_begin(&table);
	calls_spare(true);
	must(!pthread_create(&thread, NULL, version_of, &version));
	calls_spare(false);
	fault_await();
	table_end(&table);
	fault_go_on();
	pthread_join(thread, NULL);
	ck_assert_uint_eq(version, 2);
}
END_TEST

START_TEST(find_is_the_last_row_at_or_before)
{
	fill(5);
	for (uint64_t index = 0; index < 40; index++) {
		ck_assert(table_find(&table, index, &row, &bound));
		ck_assert_uint_eq(row.base, index / 10 * 10);
		ck_assert_uint_eq(bound, row.base + 10);
	}
	ck_assert(table_find(&table, UINT64_MAX, &row, &bound));
	ck_assert_uint_eq(row.id, 5);
	ck_assert_uint_eq(bound, UINT64_MAX);
}
END_TEST

START_TEST(find_before_the_first_row_is_nothing)
{
	put(100, 1);
	ck_assert(!table_find(&table, 99, &row, &bound));
	ck_assert(table_find(&table, 100, &row, &bound));
}
END_TEST

START_TEST(after_is_the_first_row_at_or_behind)
{
	fill(5);
	for (uint64_t index = 0; index <= 40; index++) {
		ck_assert(table_after(&table, index, &row, &bound));
		ck_assert_uint_eq(row.base, (index + 9) / 10 * 10);
	}
	ck_assert(!table_after(&table, 41, &row, &bound));
}
END_TEST

START_TEST(put_replaces_a_row_of_the_same_base)
{
	fill(3);
	put(10, 77);
	ck_assert_uint_eq(table.count, 3);
	ck_assert(table_find(&table, 15, &row, &bound));
	ck_assert_uint_eq(row.id, 77);
}
END_TEST

START_TEST(cut_removes_from_a_base_on)
{
	fill(5);
	table_begin(&table);
	table_cut(&table, (uint64_t)_i);
	table_end(&table);
	ck_assert_uint_eq(table.count, ((uint64_t)_i + 9) / 10);
}
END_TEST

START_TEST(drop_removes_from_the_beginning)
{
	fill(5);
	table_begin(&table);
	table_drop(&table, (size_t)_i);
	table_end(&table);
	ck_assert_uint_eq(table.count, 5 - (uint64_t)_i);
	if (_i == 5)
		return;
	ck_assert(table_after(&table, 0, &row, &bound));
	ck_assert_uint_eq(row.base, (uint64_t)_i * 10);
}
END_TEST

START_TEST(change_is_noticed)
{
	uint64_t version = table_version(&table);

	ck_assert(!table_changed(&table, version));
	fill(1);
	ck_assert(table_changed(&table, version));
}
END_TEST

START_TEST(no_memory_leaves_the_table)
{
	fill(8);
	fault_set(CALL_NEW, _i, 1, ENOMEM);
	ck_assert_int_eq(table_reserve(&table, 1), -ENOMEM);
	fault_clear();
	ck_assert_uint_eq(table.count, 8);
	put(80, 9);
	ck_assert(table_find(&table, 80, &row, &bound));
}
END_TEST

static bool stop;

/* Rows come and go; what a reader believes to have seen must be a row that
 * was there: its id is its base and what it was moved by. */
static void *change(void *arg)
{
	(void)arg;
	for (uint64_t i = 1; i < 20000; i++) {
		table_reserve(&table, 1);
		table_begin(&table);
		if (i % 50 == 0)
			table_drop(&table, table.count / 2);
		if (i % 77 == 0)
			table_cut(&table, i * 10 - 50);
		table_put(&table, &(struct row){ .base = i * 10,
						 .id = i * 10 + 1,
						 .whole = i });
		table_end(&table);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(reader_sees_whole_rows_beside_changes)
{
	pthread_t thread;

	pthread_create(&thread, NULL, change, NULL);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		uint64_t version = table_version(&table);
		bool found = table_find(&table, UINT64_MAX, &row, &bound);

		if (!found || table_changed(&table, version))
			continue;
		ck_assert_uint_eq(row.id, row.base + 1);
		ck_assert_uint_eq(row.whole, row.base / 10);
		ck_assert_uint_eq(bound, UINT64_MAX);
	}
	pthread_join(thread, NULL);
}
END_TEST

static Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, NULL, destroy);
	tcase_add_test(tcase, empty_table_has_nothing);
	tcase_add_test(tcase, reader_lets_others_run_while_the_table_changes);
	tcase_add_test(tcase, find_is_the_last_row_at_or_before);
	tcase_add_test(tcase, find_before_the_first_row_is_nothing);
	tcase_add_test(tcase, after_is_the_first_row_at_or_behind);
	tcase_add_test(tcase, put_replaces_a_row_of_the_same_base);
	tcase_add_loop_test(tcase, cut_removes_from_a_base_on, 0, 45);
	tcase_add_loop_test(tcase, drop_removes_from_the_beginning, 0, 6);
	tcase_add_test(tcase, change_is_noticed);
	tcase_add_loop_test(tcase, no_memory_leaves_the_table, 0, 2);
	tcase_add_test(tcase, reader_sees_whole_rows_beside_changes);
	return suite;
}

int main(void)
{
	return unit_run(table_suite());
}
