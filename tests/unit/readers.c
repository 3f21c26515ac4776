/* SPDX-License-Identifier: MIT */
/* Tests of threads that read beside appending, truncation and trim. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "appenders.h"
#include "fixture.h"

#define READERS 4

static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static const char *const policies[] = { "always", "interval=1ms", "manual" };

/* The first thing that a reader found to be wrong. */
struct reader {
	pthread_t thread;
	const char *wrong;
	int ret;
	uint64_t seen;
};

static void check_view(struct reader *reader, const struct maplog_view *view)
{
	for (uint32_t n = 0; n < view->count; n++) {
		struct maplog_info info;
		const void *data;

		reader->ret = maplog_view_entry(view, n, &data, &info);
		if (reader->ret)
			reader->wrong = "entry";
		else if (!said_is(data, info.bytes))
			reader->wrong = "bytes";
		reader->seen++;
	}
	if (maplog_view_check(tlog, view, NULL))
		reader->wrong = "checksum";
}

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	uint64_t index = 0;

	while (!reader->wrong) {
		struct maplog_view view;
		int ret = maplog_view(tlog, index, 100, &view);

		if (ret == -ENODATA && stopped())
			break;
		if (ret == -ENODATA) {
			ret = maplog_wait(tlog, index, 0, 10);
			if (ret && ret != -ETIMEDOUT)
				reader->wrong = "wait";
			continue;
		}
		if (ret) {
			reader->ret = ret;
			reader->wrong = "view";
			break;
		}
		check_view(reader, &view);
		index += view.count;
		maplog_view_release(&view);
	}
	return NULL;
}

static void start_readers(struct reader readers[READERS], void *(*run)(void *))
{
	stop = false;
	for (int i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .wrong = NULL };
		pthread_create(&readers[i].thread, NULL, run, &readers[i]);
	}
}

static void join_readers(struct reader readers[READERS])
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		ck_assert_msg(!readers[i].wrong, "%s: %s", readers[i].wrong,
			      strerror(-readers[i].ret));
	}
}

START_TEST(readers_beside_appenders_see_each_entry_whole)
{
	struct reader readers[READERS];

	make_log("sync", policies[_i], NULL);
	start_readers(readers, read_all);
	appenders_start();
	appenders_join();
	join_readers(readers);
	for (int i = 0; i < READERS; i++)
		ck_assert_uint_eq(readers[i].seen, APPENDERS * EACH);
}
END_TEST

/* Reads whatever there is, while it comes and goes. */
static void *read_any(void *arg)
{
	struct reader *reader = arg;
	uint64_t random = (uint64_t)(uintptr_t)reader;

	while (!reader->wrong && !stopped()) {
		struct maplog_counters now = counters();
		uint64_t range = now.next - now.first + 2;
		struct maplog_view view;
		int ret;

		random = random * 6364136223846793005U + 1442695040888963407U;
		ret = maplog_view(tlog, now.first + (random >> 33) % range, 5,
				  &view);
		if (ret == -ENODATA || ret == -ENOENT)
			continue;
		if (ret) {
			reader->ret = ret;
			reader->wrong = "view";
			break;
		}
		check_view(reader, &view);
		maplog_view_release(&view);
	}
	return NULL;
}

static void append_said(uint64_t n)
{
	struct said said;
	const struct maplog_entry entry = { &said, said_size(0, n), 0 };

	said_init(&said, 0, n);
	ck_assert_int_eq(maplog_append(tlog, &entry, 1, NULL), 0);
}

static void overwrite_said(uint64_t index, uint64_t n)
{
	struct said said;
	const struct maplog_entry entry = { &said, said_size(0, n), 0 };

	said_init(&said, 0, n);
	ck_assert_int_eq(maplog_overwrite(tlog, index, &entry, 1), 0);
}

/* Appends, and now and then takes away at both ends. */
static void come_and_go(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		struct maplog_counters now;

		for (int n = 0; n < 20; n++)
			append_said((uint64_t)(i * 20 + n));
		now = counters();
		switch (i % 5) {
		case 0:
			ck_assert_int_eq(maplog_truncate(tlog, now.next - 7),
					 0);
			break;
		case 1:
			overwrite_said(now.next - 3, (uint64_t)i);
			break;
		case 2:
			ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
			break;
		case 3:
			ck_assert_int_eq(maplog_trim(tlog, now.first + 10), 0);
			break;
		default:
			ck_assert_int_eq(maplog_truncate(tlog, now.first), 0);
		}
	}
}

START_TEST(readers_beside_truncation_and_trim_see_whole_entries)
{
	struct reader readers[READERS];

	make_log("sync", "manual", "segment-size", "1M", NULL);
	start_readers(readers, read_any);
	come_and_go(100);
	join_readers(readers);
}
END_TEST

static void *look_at_status(void *arg)
{
	struct reader *reader = arg;

	while (!reader->wrong && !stopped()) {
		struct maplog_counters now;
		struct maplog_status status;

		maplog_counters(tlog, &now);
		if (now.first > now.next || now.durable > now.next)
			reader->wrong = "counters";
		reader->ret = maplog_status(tlog, &status);
		if (reader->ret)
			reader->wrong = "status";
		else if (status.bytes > 100 * MIB || status.segments > 1000)
			reader->wrong = "numbers";
	}
	return NULL;
}

START_TEST(status_beside_truncation_makes_sense)
{
	struct reader readers[READERS];

	make_log("sync", "manual", "segment-size", "1M", NULL);
	start_readers(readers, look_at_status);
	come_and_go(50);
	join_readers(readers);
}
END_TEST

static pthread_barrier_t taken;

static void *read_snapshot(void *arg)
{
	struct reader *reader = arg;
	uint64_t first = counters().first;
	struct maplog_snapshot *snapshot;
	uint64_t index = first;
	int ret;

	ret = maplog_snapshot_take(tlog, first, first + 10, &snapshot);
	pthread_barrier_wait(&taken);
	if (ret) {
		reader->ret = ret;
		reader->wrong = "take";
		return NULL;
	}
	while (!reader->wrong && !stopped()) {
		struct maplog_view view;

		ret = maplog_snapshot_view(snapshot, index, 7, &view);
		if (ret) {
			reader->ret = ret;
			reader->wrong = "view";
			break;
		}
		check_view(reader, &view);
		index += view.count;
		if (index == first + 10)
			index = first;
		maplog_view_release(&view);
	}
	maplog_snapshot_release(snapshot);
	return NULL;
}

START_TEST(snapshots_beside_truncation_and_trim_stay_readable)
{
	struct reader readers[READERS];

	make_log("sync", "manual", "segment-size", "1M", NULL);
	for (uint64_t n = 0; n < 20; n++)
		append_said(n);
	pthread_barrier_init(&taken, NULL, READERS + 1);
	start_readers(readers, read_snapshot);
	pthread_barrier_wait(&taken);
	come_and_go(50);
	join_readers(readers);
	pthread_barrier_destroy(&taken);
}
END_TEST

static Suite *readers_suite(void)
{
	Suite *suite = suite_create("readers");
	TCase *tcase = unit_case(suite, "reading");

	tcase_add_loop_test(
		tcase, readers_beside_appenders_see_each_entry_whole, 0, 3);
	tcase_add_test(tcase,
		       readers_beside_truncation_and_trim_see_whole_entries);
	tcase_add_test(tcase, status_beside_truncation_makes_sense);
	tcase_add_test(tcase,
		       snapshots_beside_truncation_and_trim_stay_readable);
	return suite;
}

int main(void)
{
	return unit_run(readers_suite());
}
