/* SPDX-License-Identifier: MIT */
/*
 * Threads that append single entries, each durable when its call returns.
 *
 *	bench-group dir=DIR threads= [ms=] [size=]
 *
 * Runs for so many milliseconds, then checks that every entry is there once.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include <log.h>

#include "harness.h"
#include "histogram.h"

#define THREADS_MAX 256

static struct maplog *log_;
static uint64_t end, size;
static bool go;

struct worker {
	pthread_t thread;
	uint64_t number;
	uint64_t appended;
	struct histogram *histogram;
};

/* What a worker appends says whose it is: its payload is of its number. */
static void *work(void *arg)
{
	struct worker *worker = arg;
	struct maplog_entry entry = {
		.data = payload(worker->number),
		.bytes = size,
		.tag = worker->number,
	};
	uint64_t begin;

	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		sched_yield();
	while ((begin = clock_ns()) < end) {
		must(maplog_append(log_, &entry, 1, NULL), "maplog_append");
		histogram_add(worker->histogram, clock_ns() - begin);
		worker->appended++;
	}
	return NULL;
}

/* Every entry must be its worker's, and each worker must have all of its. */
static void check(struct worker *workers, uint64_t n)
{
	struct maplog_view view;
	struct maplog_info info;
	const void *data;

	for (uint64_t index = 0; index < n; index += view.count) {
		must(maplog_view(log_, index, UINT32_MAX, &view), "view");
		for (uint32_t i = 0; i < view.count; i++) {
			must(maplog_view_entry(&view, i, &data, &info),
			     "maplog_view_entry");
			payload_check(info.tag, data, info.bytes);
			workers[info.tag].appended--;
		}
		maplog_view_release(&view);
	}
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	static struct histogram all;
	struct maplog_counters counters;
	uint64_t threads, ms, begin, spent;
	int dir;

	args_init(argc, argv);
	dir = (int)must_call(
		open(arg_text("dir", NULL), O_DIRECTORY | O_RDONLY), "open");
	threads = arg_number("threads", 1);
	ms = arg_number("ms", 1000);
	size = arg_number("size", 51);
	args_done();
	if (!threads || threads > THREADS_MAX)
		die("so many threads make no sense", 0);

	payload_init(size);
	must(maplog_create(dir, "log", 0755, NULL), "maplog_create");
	must(maplog_open(dir, "log", MAPLOG_WRITE, &log_), "maplog_open");
	for (uint64_t i = 0; i < threads; i++) {
		workers[i].number = i;
		workers[i].histogram = must_alloc(sizeof(struct histogram));
		must(-pthread_create(&workers[i].thread, NULL, work,
				     &workers[i]),
		     "pthread_create");
	}
	begin = clock_ns();
	end = begin + ms * 1000000;
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	for (uint64_t i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		histogram_merge(&all, workers[i].histogram);
	}
	spent = clock_ns() - begin;
	maplog_counters(log_, &counters);
	if (counters.next != all.n || counters.durable != all.n)
		die("entries are missing, or are not durable", 0);
	check(workers, counters.next);
	for (uint64_t i = 0; i < threads; i++)
		if (workers[i].appended)
			die("an entry is missing or is there twice", 0);
	emit("rate", "entries/s", (double)all.n * 1e9 / (double)spent);
	histogram_emit(&all, "", "us", 1000);
	must(maplog_close(log_), "maplog_close");
	return 0;
}
