/* SPDX-License-Identifier: MIT */
/*
 * Tests of memory that runs out: each call of malloc(3) and its like, one
 * after the other, where a log is opened and where a segment begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "private.h"
#include "window.h"

/* As many as there is room for in a table before it grows. */
#define SEGMENTS 8

/* More than find a place. */
#define WINDOWS (16 * WINDOW_SETS * WINDOW_WAYS)

static void append_segments(void)
{
	for (int n = 1; n < SEGMENTS; n++) {
		append_many(1, 10);
		ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	}
	append_many(1, 10);
}

static void append_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_segments();
}

static void make(void)
{
	create_log("segment-size", "1M", "sync", "manual", NULL);
}

/* Opens the log without the n-th piece of memory. Whether there was one. */
static bool try_open(enum maplog_mode mode, int n)
{
	int ret;

	fault_clear();
	fault_set(CALL_NEW, n, 1, ENOMEM);
	ret = maplog_open(store, LOG, mode, &tlog);
	if (calls_made(CALL_NEW) <= n) {
		fault_clear();
		ck_assert_int_eq(ret, 0);
		return false;
	}
	fault_clear();
	ck_assert_int_eq(ret, -ENOMEM);
	tlog = NULL;
	return true;
}

/* Looped over how it is opened. */
START_TEST(log_that_does_not_open_for_want_of_memory_opens_later)
{
	int n = 0;

	ck_assert_int_eq(run_child(append_and_die), 0);
	while (try_open(_i ? MAPLOG_WRITE : MAPLOG_READ, n))
		n++;
	ck_assert_int_gt(n, 5);
	expect_range(0, SEGMENTS);
	expect_patterns(0, SEGMENTS, 10);
}
END_TEST

static void truncate_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_many(4, 10);
	ck_assert_int_eq(maplog_truncate(tlog, 2), 0);
	append_many(2, 20);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

/* Likewise. What was truncated lies behind the end of the segment before: it
 * must not come back because the place of the lost one cannot be held. */
START_TEST(place_of_a_lost_segment_is_held_or_the_log_does_not_open)
{
	int n = 0;

	ck_assert_int_eq(run_child(truncate_and_die), 0);
	ck_assert_int_eq(unlinkat(store, log_path(2, "log"), 0), 0);
	ck_assert_int_eq(unlinkat(store, log_path(2, "idx"), 0), 0);
	while (try_open(_i ? MAPLOG_WRITE : MAPLOG_READ, n))
		n++;
	ck_assert_int_gt(n, 5);
	expect_range(0, 4);
	expect_patterns(0, 2, 10);
	ck_assert_int_eq(read_error(2), -EUCLEAN);
	ck_assert_int_eq(read_error(3), -EUCLEAN);
}
END_TEST

/* Entries that there are. */
static uint64_t next;

/* Seals without the n-th piece of memory. Whether there was one. */
static bool try_seal(int n)
{
	int files = count_files(".log");
	bool reached;
	int ret;

	fault_clear();
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	fault_set(CALL_NEW, n, 1, ENOMEM);
	ret = maplog_seal(tlog, NULL);
	reached = calls_made(CALL_NEW) > n;
	fault_clear();
	ck_assert_int_eq(ret, reached ? -ENOMEM : 0);
	ck_assert_int_eq(count_files(".log"), files + !reached);
	ck_assert_int_eq(status().error, 0);
	expect_range(0, next);
	return reached;
}

static void expect_a_new_segment(void)
{
	ck_assert_uint_eq(append_pattern(10), next);
	ck_assert_uint_eq(segment(next).base, next);
	expect_patterns(0, next + 1, 10);
	reopen_log();
	expect_patterns(0, next + 1, 10);
}

START_TEST(segment_that_the_table_has_no_room_for_is_not_begun)
{
	int n = 0;

	open_log(MAPLOG_WRITE);
	append_segments();
	next = SEGMENTS;
	while (try_seal(n))
		n++;
	/* The segment, the table, and what keeps the one before. */
	ck_assert_int_eq(n, 3);
	expect_a_new_segment();
}
END_TEST

static struct maplog_window *held[WINDOWS];

/* Readers hold windows in each place that there is. */
static void hold_all_places(void)
{
	int fd = openat(store, LOG "/head", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	for (uint64_t i = 0; i < WINDOWS; i++) {
		uint64_t key = window_key(1000 + i, 0, 0);

		ck_assert_int_eq(
			windows_map(&tlog->windows, key, fd, 0, 4096, &held[i]),
			0);
	}
	ck_assert(held[WINDOWS - 1]->single);
	close(fd);
}

static void let_all_go(void)
{
	for (uint64_t i = 0; i < WINDOWS; i++)
		window_put(held[i]);
}

START_TEST(segment_that_finds_no_place_for_its_mappings_is_begun)
{
	int n = 0;

	open_log(MAPLOG_WRITE);
	append_segments();
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(1, 10);
	next = SEGMENTS + 1;
	hold_all_places();
	while (try_seal(n))
		n++;
	/* The segment, and a window for each of its files. */
	ck_assert_int_eq(n, 3);
	let_all_go();
	expect_a_new_segment();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = unit_case(suite, "memory");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_loop_test(
		tcase, log_that_does_not_open_for_want_of_memory_opens_later, 0,
		2);
	tcase_add_loop_test(
		tcase, place_of_a_lost_segment_is_held_or_the_log_does_not_open,
		0, 2);
	tcase_add_test(tcase,
		       segment_that_the_table_has_no_room_for_is_not_begun);
	tcase_add_test(tcase,
		       segment_that_finds_no_place_for_its_mappings_is_begun);
	return unit_run_in_memory(suite);
}
