/* SPDX-License-Identifier: MIT */
/*
 * How long it takes until a reader, through the mount, sees what was appended.
 *
 *	bench-publish store=DIR mount=DIR log=NAME via=library|mount
 *		      wait=spin|futex|poll [count=] [gap=]
 *
 * One process appends lines that carry the time, taken before the call, with
 * `gap` microseconds between them, by way of the library or by write(2) to
 * `append` of the mount. Another one, on the other processor, waits: it spins
 * on `next` of the mapped `head`, sleeps on its wake word, or polls `follow`.
 * Then it takes the time and looks at the entry itself in the mapped segment.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <log.h>

#include "harness.h"
#include "histogram.h"

#define LINE 51

enum wait { SPIN, FUTEX, POLL };

static struct {
	const char *store;
	const char *mount;
	const char *log;
	bool library;
	enum wait wait;
	uint64_t count;
	uint64_t gap;
} job;

static struct maplog *log_;
static const struct maplog_head *head;
static const char *segment;
static int append_fd = -1;

static void open_writer(void)
{
	struct maplog_options options;
	char path[PATH_MAX];

	maplog_options_init(&options);
	options.sync = MAPLOG_SYNC_MANUAL;
	snprintf(path, sizeof(path), "%s/%s", job.store, job.log);
	must(maplog_create(AT_FDCWD, path, 0755, &options), "maplog_create");
	if (job.library) {
		must(maplog_open(AT_FDCWD, path, MAPLOG_WRITE, &log_),
		     "maplog_open");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s/append", job.mount, job.log);
	append_fd = (int)must_call(open(path, O_WRONLY), path);
}

static void append(const char *line)
{
	struct maplog_entry entry = { .data = line, .bytes = LINE };

	if (job.library)
		must(maplog_append(log_, &entry, 1, NULL), "maplog_append");
	else if (must_call(write(append_fd, line, LINE), "write") != LINE)
		die("a write came up short", 0);
}

/* The first entry begins the segment that readers map. */
static void append_line(uint64_t index)
{
	char line[LINE + 1];

	snprintf(line, sizeof(line), "%016lx %016lx %16s\n", index, clock_ns(),
		 "");
	append(line);
}

static void write_all(int ready)
{
	char byte;

	must_call(read(ready, &byte, 1), "reading from a pipe");
	for (uint64_t i = 1; i <= job.count; i++) {
		uint64_t until = clock_ns() + job.gap * 1000;

		while (clock_ns() < until)
			;
		append_line(i);
	}
}

static const void *map(const char *name, size_t bytes)
{
	char path[PATH_MAX];
	void *mapped;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", job.mount, job.log, name);
	fd = (int)must_call(open(path, O_RDONLY), path);
	mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		die(path, errno);
	close(fd);
	return mapped;
}

static uint64_t load_next(void)
{
	return __atomic_load_n(&head->next, __ATOMIC_ACQUIRE);
}

static void sleep_on_head(uint64_t seen)
{
	uint32_t wake = __atomic_load_n(&head->wake, __ATOMIC_ACQUIRE);

	if (load_next() == seen)
		syscall(SYS_futex, &head->wake, FUTEX_WAIT, wake, NULL);
}

/* What comes out of `follow` is the entries themselves. */
static void sleep_in_poll(int follow)
{
	struct pollfd wanted = { .fd = follow, .events = POLLIN };
	char lines[64 * LINE];

	must_call(poll(&wanted, 1, -1), "poll");
	must_call(read(follow, lines, sizeof(lines)), "read");
}

static int open_follow(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/follow@1", job.mount, job.log);
	return (int)must_call(open(path, O_RDONLY), path);
}

/* When an entry was appended, as it says itself. */
static uint64_t time_in(uint64_t index)
{
	const char *line = segment + index * LINE;

	if (strtoull(line, NULL, 16) != index || line[LINE - 1] != '\n')
		die("an entry is not what was appended", 0);
	return strtoull(line + 17, NULL, 16);
}

static void watch_all(int ready)
{
	static struct histogram histogram;
	int follow = job.wait == POLL ? open_follow() : -1;
	uint64_t seen = 1;

	must_call(write(ready, "", 1), "writing to a pipe");
	while (seen <= job.count) {
		uint64_t next = load_next(), now = clock_ns();

		if (next == seen && job.wait == FUTEX)
			sleep_on_head(seen);
		else if (next == seen && job.wait == POLL)
			sleep_in_poll(follow);
		/* Time is taken after the look that shows the entry, so what
		 * was there before it is not counted for too little. */
		if (next == seen)
			next = load_next(), now = clock_ns();
		for (; seen < next; seen++)
			histogram_add(&histogram, now - time_in(seen));
	}
	histogram_emit(&histogram, "", "us", 1000);
	histogram_emit_curve(&histogram, "us", 1000);
	fflush(stdout);
}

static void parse(void)
{
	const char *wait = arg_text("wait", "spin");

	job.store = arg_text("store", NULL);
	job.mount = arg_text("mount", NULL);
	job.log = arg_text("log", NULL);
	job.library = !strcmp(arg_text("via", "library"), "library");
	job.wait = !strcmp(wait, "futex")  ? FUTEX
		   : !strcmp(wait, "poll") ? POLL
					   : SPIN;
	job.count = arg_number("count", 10000);
	job.gap = arg_number("gap", 100);
	args_done();
}

int main(int argc, char **argv)
{
	int ready[2], status;
	pid_t reader;

	args_init(argc, argv);
	parse();
	open_writer();
	append_line(0);
	must_call(pipe(ready), "pipe");
	reader = (pid_t)must_call(fork(), "fork");
	if (!reader) {
		pin(1);
		head = map("head", sizeof(*head));
		segment = map("segments/00000000000000000000.log",
			      (job.count + 1) * LINE);
		watch_all(ready[1]);
		_exit(0);
	}
	pin(0);
	write_all(ready[0]);
	must_call(waitpid(reader, &status, 0), "waitpid");
	if (status)
		die("the reader has failed", 0);
	return 0;
}
