/* SPDX-License-Identifier: MIT */
/*
 * Threads that look entries up at random, ten at a time, in one log.
 *
 *	bench-readers dir=DIR threads= [n=] [size=] [ms=] [writer=1]
 *
 * Fills a log with n entries first. With writer=1 another thread goes on
 * appending meanwhile, ten at a time.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <log.h>

#include "harness.h"

#define THREADS_MAX 256
#define BATCH	    10

static struct maplog *log_;
static uint64_t n, size, end;
static bool go;

struct reader {
	pthread_t thread;
	uint64_t state;
	uint64_t calls;
};

static void append(uint64_t index)
{
	struct maplog_entry batch[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = (struct maplog_entry){ .data = payload(index + i),
						  .bytes = size };
	must(maplog_append(log_, batch, BATCH, NULL), "maplog_append");
}

static void wait_to_go(void)
{
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void *write_on(void *arg)
{
	uint64_t *index = arg;

	wait_to_go();
	while (clock_ns() < end)
		for (unsigned i = 0; i < 100; i++, *index += BATCH)
			append(*index);
	return NULL;
}

static void look_up(uint64_t index)
{
	struct maplog_view view;

	must(maplog_view(log_, index, BATCH, &view), "maplog_view");
	/* The first bytes: as much as tells one entry from another. */
	payload_check(index, view.data, 8);
	maplog_view_release(&view);
}

static void *read_on(void *arg)
{
	struct reader *reader = arg;

	wait_to_go();
	while (clock_ns() < end) {
		for (unsigned i = 0; i < 100; i++)
			look_up(random_below(&reader->state, n - BATCH));
		reader->calls += 100;
	}
	return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	must(-pthread_create(thread, NULL, run, arg), "pthread_create");
}

static void fill_log(const char *path)
{
	struct maplog_options options;
	int dir = (int)must_call(open(path, O_DIRECTORY | O_RDONLY), "open");

	maplog_options_init(&options);
	options.sync = MAPLOG_SYNC_MANUAL;
	must(maplog_create(dir, "log", 0755, &options), "maplog_create");
	must(maplog_open(dir, "log", MAPLOG_WRITE, &log_), "maplog_open");
	for (uint64_t i = 0; i < n; i += BATCH)
		append(i);
}

int main(int argc, char **argv)
{
	static struct reader readers[THREADS_MAX];
	uint64_t threads, ms, calls = 0, begin, written, spent;
	pthread_t writing;
	const char *dir;
	bool writer;

	args_init(argc, argv);
	dir = arg_text("dir", NULL);
	threads = arg_number("threads", 1);
	n = arg_number("n", 1000000);
	size = arg_number("size", 51);
	ms = arg_number("ms", 500);
	writer = arg_number("writer", 0);
	args_done();
	if (threads > THREADS_MAX || n < 2 * BATCH || n % BATCH)
		die("these sizes make no sense", 0);

	payload_init(size);
	fill_log(dir);
	written = n;
	for (uint64_t i = 0; i < threads; i++) {
		readers[i].state = i;
		start(&readers[i].thread, read_on, &readers[i]);
	}
	if (writer)
		start(&writing, write_on, &written);
	begin = clock_ns();
	end = begin + ms * 1000000;
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	for (uint64_t i = 0; i < threads; i++) {
		pthread_join(readers[i].thread, NULL);
		calls += readers[i].calls;
	}
	if (writer)
		pthread_join(writing, NULL);
	spent = clock_ns() - begin;
	emit("views of 10", "M/s", (double)calls * 1000 / (double)spent);
	if (writer)
		emit("appended", "M entries/s",
		     (double)(written - n) * 1000 / (double)spent);
	must(maplog_close(log_), "maplog_close");
	return 0;
}
