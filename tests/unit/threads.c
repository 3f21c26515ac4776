/* SPDX-License-Identifier: MIT */
/* Tests of many threads on one log: appenders, readers, and truncation. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

#define APPENDERS 8
#define READERS	  4
#define EACH	  200
#define WORDS	  64

/* What an entry says of itself: who appended it, as which of its own. */
struct said {
	uint64_t who;
	uint64_t n;
	uint64_t word[WORDS];
};

struct appender {
	pthread_t thread;
	uint64_t who;
	uint64_t index[EACH];
	int ret;
};

static struct appender appenders[APPENDERS];
static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static size_t size_of(uint64_t who, uint64_t n)
{
	return 16 + (who * 7 + n * 13) % WORDS * 8;
}

static void say(struct said *said, uint64_t who, uint64_t n)
{
	said->who = who;
	said->n = n;
	pattern(said->word, sizeof(said->word), who * EACH + n);
}

static bool is_said(const void *data, size_t bytes)
{
	struct said found;
	struct said said;

	if (bytes < 16 || bytes > sizeof(found))
		return false;
	memcpy(&found, data, bytes);
	say(&said, found.who, found.n);
	return bytes == size_of(found.who, found.n) &&
	       !memcmp(&found, &said, bytes);
}

/* Batches of one, two or three entries. */
static void *append_all(void *arg)
{
	struct appender *appender = arg;
	uint64_t n = 0;

	while (n < EACH && !appender->ret) {
		uint64_t batch = 1 + n % 3;
		struct maplog_entry entries[3];
		struct said said[3];
		uint64_t first;

		batch = batch < EACH - n ? batch : EACH - n;
		for (uint64_t i = 0; i < batch; i++) {
			say(&said[i], appender->who, n + i);
			entries[i] = (struct maplog_entry){
				&said[i],
				size_of(appender->who, n + i),
				appender->who,
			};
		}
		appender->ret = maplog_append(tlog, entries, batch, &first);
		for (uint64_t i = 0; i < batch; i++)
			appender->index[n + i] = first + i;
		n += batch;
	}
	return NULL;
}

static void start_appenders(void)
{
	for (uint64_t i = 0; i < APPENDERS; i++) {
		appenders[i] = (struct appender){ .who = i };
		ck_assert_int_eq(pthread_create(&appenders[i].thread, NULL,
						append_all, &appenders[i]),
				 0);
	}
}

static void join_appenders(void)
{
	for (int i = 0; i < APPENDERS; i++) {
		pthread_join(appenders[i].thread, NULL);
		ck_assert_int_eq(appenders[i].ret, 0);
	}
}

static void expect_said(uint64_t index, uint64_t who, uint64_t n)
{
	struct maplog_info info;
	struct said found;

	ck_assert_int_eq(maplog_read(tlog, index, &found, sizeof(found), &info),
			 0);
	ck_assert_uint_eq(info.tag, who);
	ck_assert_uint_eq(found.who, who);
	ck_assert_uint_eq(found.n, n);
	ck_assert(is_said(&found, info.bytes));
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
	start_appenders();
	join_appenders();
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
		else if (!is_said(data, info.bytes))
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
	start_appenders();
	join_appenders();
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
	const struct maplog_entry entry = { &said, size_of(0, n), 0 };

	say(&said, 0, n);
	ck_assert_int_eq(maplog_append(tlog, &entry, 1, NULL), 0);
}

static void overwrite_said(uint64_t index, uint64_t n)
{
	struct said said;
	const struct maplog_entry entry = { &said, size_of(0, n), 0 };

	say(&said, 0, n);
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

static void *read_snapshot(void *arg)
{
	struct reader *reader = arg;
	uint64_t first = counters().first;
	struct maplog_snapshot *snapshot;
	uint64_t index = first;

	if (maplog_snapshot_take(tlog, first, first + 10, &snapshot)) {
		reader->wrong = "take";
		return NULL;
	}
	while (!reader->wrong && !stopped()) {
		struct maplog_view view;
		int ret = maplog_snapshot_view(snapshot, index, 7, &view);

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
	start_readers(readers, read_snapshot);
	usleep(20000);
	come_and_go(50);
	join_readers(readers);
}
END_TEST

static Suite *threads_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *appending = unit_case(suite, "appending");
	TCase *reading = unit_case(suite, "reading");

	tcase_add_loop_test(
		appending, entries_of_concurrent_appenders_are_all_there, 0, 3);
	tcase_add_loop_test(appending, concurrent_appenders_roll_segments, 0,
			    3);
	tcase_add_loop_test(appending,
			    append_at_gives_each_index_to_one_of_many, 0, 3);
	tcase_add_loop_test(
		reading, readers_beside_appenders_see_each_entry_whole, 0, 3);
	tcase_add_test(reading,
		       readers_beside_truncation_and_trim_see_whole_entries);
	tcase_add_test(reading, status_beside_truncation_makes_sense);
	tcase_add_test(reading,
		       snapshots_beside_truncation_and_trim_stay_readable);
	return suite;
}

int main(void)
{
	return unit_run(threads_suite());
}
