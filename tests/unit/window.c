/* SPDX-License-Identifier: MIT */
/* Tests of windows: holding, the limit, and who goes first. */
#include "window.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

#define PAGE  4096
#define LIMIT (4 * PAGE)
#define PAGES 600

static struct windows *windows;
static int fd;

static void make(void)
{
	char page[PAGE];

	windows = calloc(1, sizeof(*windows));
	ck_assert_int_eq(windows_init(windows, LIMIT), 0);
	make_file("file", "");
	fd = open_file("file");
	/* Every page begins with its number. */
	for (uint64_t i = 0; i < PAGES; i++) {
		pattern(page, sizeof(page), i);
		memcpy(page, &i, sizeof(i));
		write_file("file", i * PAGE, page, sizeof(page));
	}
}

static void destroy(void)
{
	windows_destroy(windows);
	free(windows);
	close(fd);
}

static uint64_t key(uint64_t n)
{
	return window_key(1, 0, n);
}

static int try_map(uint64_t n, struct maplog_window **window)
{
	return windows_map(windows, key(n), fd, n * PAGE, PAGE, window);
}

static struct maplog_window *map(uint64_t n)
{
	struct maplog_window *window;

	ck_assert_int_eq(try_map(n, &window), 0);
	return window;
}

static void use(uint64_t n)
{
	window_put(map(n));
}

static bool is_mapped(uint64_t n)
{
	struct maplog_window *window = windows_find(windows, key(n));

	if (window)
		window_put(window);
	return window;
}

static uint64_t number(const struct maplog_window *window)
{
	uint64_t n;

	memcpy(&n, window->data, sizeof(n));
	return n;
}

START_TEST(window_is_found_by_its_key)
{
	struct maplog_window *window = map(3);

	ck_assert_uint_eq(number(window), 3);
	ck_assert_uint_eq(window->offset, 3 * PAGE);
	ck_assert_uint_eq(window_end(window), 4 * PAGE);
	ck_assert_ptr_eq(windows_find(windows, key(3)), window);
	ck_assert_ptr_null(windows_find(windows, key(4)));
	ck_assert_ptr_null(windows_find(windows, window_key(1, 1, 3)));
	ck_assert_ptr_null(windows_find(windows, window_key(2, 0, 3)));
	window_put(window);
	window_put(window);
}
END_TEST

START_TEST(window_stays_when_it_is_given_back)
{
	use(1);
	ck_assert(is_mapped(1));
	ck_assert_uint_eq(windows_mapped(windows), PAGE);
}
END_TEST

START_TEST(limit_is_kept)
{
	for (uint64_t n = 0; n < 100; n++) {
		use(n);
		ck_assert_uint_le(windows_mapped(windows), LIMIT);
	}
	ck_assert_uint_eq(windows_mapped(windows), LIMIT);
}
END_TEST

START_TEST(least_used_window_goes_first)
{
	for (uint64_t n = 0; n < 4; n++)
		use(n);
	/* The clock goes on with each window that is mapped. */
	use(10);
	ck_assert(!is_mapped(0));
	ck_assert(is_mapped(1));
	use(11);
	ck_assert(is_mapped(1));
	ck_assert(!is_mapped(2));
}
END_TEST

START_TEST(held_window_never_goes)
{
	struct maplog_window *held = map(0);

	for (uint64_t n = 1; n < 50; n++)
		use(n);
	ck_assert(is_mapped(0));
	ck_assert_uint_eq(number(held), 0);
	window_put(held);
}
END_TEST

START_TEST(no_room_beside_held_windows_is_an_error)
{
	struct maplog_window *held[4];
	struct maplog_window *window;

	for (uint64_t n = 0; n < 4; n++)
		held[n] = map(n);
	ck_assert_int_eq(try_map(4, &window), -ENOBUFS);
	window_put(held[2]);
	ck_assert_int_eq(try_map(4, &window), 0);
	ck_assert(!is_mapped(2));
	window_put(window);
	window_put(held[0]);
	window_put(held[1]);
	window_put(held[3]);
}
END_TEST

START_TEST(one_window_may_be_larger_than_the_limit)
{
	struct maplog_window *small = map(0);
	struct maplog_window *large;
	struct maplog_window *other;

	ck_assert_int_eq(
		windows_map(windows, key(100), fd, 0, LIMIT + PAGE, &large), 0);
	ck_assert_int_eq(
		windows_map(windows, key(101), fd, 0, LIMIT + PAGE, &other),
		-ENOBUFS);
	window_put(large);
	ck_assert_int_eq(
		windows_map(windows, key(101), fd, 0, LIMIT + PAGE, &other), 0);
	window_put(other);
	window_put(small);
	use(1);
	ck_assert_uint_le(windows_mapped(windows), LIMIT);
}
END_TEST

START_TEST(window_without_a_key_goes_with_its_holder)
{
	struct maplog_window *window;

	ck_assert_int_eq(windows_map(windows, 0, fd, 0, PAGE, &window), 0);
	ck_assert_uint_eq(windows_mapped(windows), PAGE);
	window_put(window);
	ck_assert_uint_eq(windows_mapped(windows), 0);
}
END_TEST

/* More windows than there are places for: some have none. */
START_TEST(more_windows_are_held_than_there_are_places)
{
	struct maplog_window *held[PAGES];

	windows_limit(windows, PAGES * PAGE);
	for (uint64_t n = 0; n < PAGES; n++)
		held[n] = map(n);
	for (uint64_t n = 0; n < PAGES; n++)
		ck_assert_uint_eq(number(held[n]), n);
	for (uint64_t n = 0; n < PAGES; n++)
		window_put(held[n]);
	windows_limit(windows, LIMIT);
	ck_assert_uint_le(windows_mapped(windows), LIMIT);
}
END_TEST

START_TEST(adopted_window_does_not_count_until_it_is_said)
{
	struct maplog_window *window;
	void *at = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert_int_eq(windows_adopt(windows, key(0), at, 8 * PAGE, &window),
			 0);
	ck_assert_uint_eq(windows_mapped(windows), 0);
	for (uint64_t n = 1; n < 9; n++)
		use(n);
	ck_assert(is_mapped(0));
	windows_count(window);
	window_put(window);
	windows_limit(windows, LIMIT);
	ck_assert(!is_mapped(0));
	ck_assert_uint_le(windows_mapped(windows), LIMIT);
}
END_TEST

START_TEST(lower_limit_unmaps_what_is_not_held)
{
	struct maplog_window *held = map(0);

	use(1);
	use(2);
	windows_limit(windows, 0);
	ck_assert_uint_eq(windows_mapped(windows), PAGE);
	ck_assert_uint_eq(number(held), 0);
	window_put(held);
}
END_TEST

START_TEST(forgotten_windows_go_as_soon_as_nobody_holds_them)
{
	struct maplog_window *held = map(0);

	use(1);
	windows_forget(windows, 1);
	ck_assert(!is_mapped(0));
	ck_assert(!is_mapped(1));
	ck_assert_uint_eq(windows_mapped(windows), PAGE);
	ck_assert_uint_eq(number(held), 0);
	window_put(held);
	ck_assert_uint_eq(windows_mapped(windows), 0);
}
END_TEST

START_TEST(only_windows_of_that_segment_are_forgotten)
{
	use(0);
	windows_forget(windows, 2);
	ck_assert(is_mapped(0));
}
END_TEST

START_TEST(failed_mapping_changes_nothing)
{
	struct maplog_window *window;

	fault_set(CALL_MAP, 0, 1, ENOMEM);
	ck_assert_int_eq(try_map(0, &window), -ENOMEM);
	fault_clear();
	fault_set(CALL_NEW, 0, 1, ENOMEM);
	ck_assert_int_eq(windows_map(windows, 0, fd, 0, PAGE, &window),
			 -ENOMEM);
	fault_clear();
	ck_assert_uint_eq(windows_mapped(windows), 0);
	use(0);
}
END_TEST

static void *use_many(void *arg)
{
	uint64_t random = (uint64_t)(uintptr_t)arg + 1;
	const char *wrong = NULL;

	for (int i = 0; i < 5000 && !wrong; i++) {
		struct maplog_window *window;
		uint64_t n;

		random = random * 6364136223846793005U + 1442695040888963407U;
		n = (random >> 33) % 12;
		window = windows_find(windows, key(n));
		if (!window && try_map(n, &window))
			continue;
		if (number(window) != n)
			wrong = "another window";
		if (random >> 40 & 1)
			windows_forget(windows, 1 + (random >> 50 & 1));
		window_put(window);
	}
	return (void *)wrong;
}

START_TEST(threads_find_what_they_look_for)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use_many, (void *)i);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
}
END_TEST

static bool stop;
static uint64_t looks; /* how often that thread has come and gone */

static void *look_for_0(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		(void)is_mapped(0);
		__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void let_it_look_again(void)
{
	uint64_t before = __atomic_load_n(&looks, __ATOMIC_RELAXED);

	while (__atomic_load_n(&looks, __ATOMIC_RELAXED) < before + 2)
		sched_yield();
}

START_TEST(window_forgotten_while_it_is_found_goes)
{
	pthread_t thread;

	stop = false;
	pthread_create(&thread, NULL, look_for_0, NULL);
	for (int i = 0; i < 3000; i++) {
		use(0);
		windows_forget(windows, 1);
		let_it_look_again();
		ck_assert_uint_eq(windows_mapped(windows), 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}
END_TEST

static Suite *window_suite(void)
{
	Suite *suite = suite_create("window");
	TCase *tcase = unit_case(suite, "window");

	tcase_add_checked_fixture(tcase, make, destroy);
	tcase_add_test(tcase, window_is_found_by_its_key);
	tcase_add_test(tcase, window_stays_when_it_is_given_back);
	tcase_add_test(tcase, limit_is_kept);
	tcase_add_test(tcase, least_used_window_goes_first);
	tcase_add_test(tcase, held_window_never_goes);
	tcase_add_test(tcase, no_room_beside_held_windows_is_an_error);
	tcase_add_test(tcase, one_window_may_be_larger_than_the_limit);
	tcase_add_test(tcase, window_without_a_key_goes_with_its_holder);
	tcase_add_test(tcase, more_windows_are_held_than_there_are_places);
	tcase_add_test(tcase, adopted_window_does_not_count_until_it_is_said);
	tcase_add_test(tcase, lower_limit_unmaps_what_is_not_held);
	tcase_add_test(tcase,
		       forgotten_windows_go_as_soon_as_nobody_holds_them);
	tcase_add_test(tcase, only_windows_of_that_segment_are_forgotten);
	tcase_add_test(tcase, failed_mapping_changes_nothing);
	tcase_add_test(tcase, threads_find_what_they_look_for);
	tcase_add_test(tcase, window_forgotten_while_it_is_found_goes);
	return suite;
}

int main(void)
{
	return unit_run(window_suite());
}
