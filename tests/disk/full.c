/* SPDX-License-Identifier: MIT */
/*
 * A log on a disk that is full before each append: a program that is given a
 * directory on a small file system of its own, by scripts/test-filesystems.
 *
 *     full DIRECTORY STEPS space|reflink|quota|inodes
 *
 * What is refused changes nothing, what works is there; truncate, trim and sync
 * work on the full disk, and appends again when there is room. Dies of SIGBUS
 * or of a failed check, else prints what it counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "format.h"
#include "log.h"

#define LOG "log"

/* So much is left for the trace; the rest is taken once and for all. On btrfs
 * a log leaves some of that free, and snapshots keep what was rewritten. */
#define LEFT	   ((uint64_t)24 << 20)
#define LEFT_BTRFS ((uint64_t)80 << 20)

/* Entries are as long as their index says, and up to this. */
#define BYTES_MAX 60000

#define FILES_MAX 200000

/* Times 10 ms. */
#define PATIENCE 3000

/* Steps that do so on the full disk: in 10, in 25. */
#define TRUNCATES 7
#define TRIMS	  24

static int dir = -1;
static struct maplog *tlog;
static unsigned refused;
static unsigned taken;
static unsigned stuck; /* truncations and trims that were refused */

#define require(condition)                                                     \
	do {                                                                   \
		if (!(condition))                                              \
			fail(__LINE__, #condition);                            \
	} while (0)

__attribute__((noreturn)) static void fail(int line, const char *what)
{
	fprintf(stderr, "full.c:%d: not true: %s (%s)\n", line, what,
		strerror(errno));
	exit(1);
}

static size_t bytes_of(uint64_t index)
{
	return 1 + (size_t)(index * 7919 % BYTES_MAX);
}

static const char *content(uint64_t index)
{
	static char bytes[BYTES_MAX];

	memset(bytes, 'a' + (int)(index % 26), sizeof(bytes));
	memcpy(bytes, &index, sizeof(index));
	return bytes;
}

/* ---- A full disk ---- */

static bool is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

static int open_filler(const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			0600);

	require(fd >= 0 || is_full(errno));
	return fd;
}

/* Writes until there is no room for a byte. */
static void fill_with(const char *name)
{
	static const char block[65536] = { 1 };
	int fd = open_filler(name);
	size_t n = sizeof(block);

	while (fd >= 0 && n) {
		ssize_t written = write(fd, block, n);

		require(written >= 0 || is_full(errno));
		if (written <= 0)
			n /= 4;
	}
	if (fd >= 0) {
		/* Blocks that were promised may not be had. */
		(void)fsync(fd);
		close(fd);
	}
}

static void fill_space(void)
{
	fill_with("filler");
	/* What the first one has freed of its reservations. */
	fill_with("filler2");
}

static void free_space(void)
{
	(void)unlinkat(dir, "filler", 0);
	(void)unlinkat(dir, "filler2", 0);
	require(!syncfs(dir));
}

static void take_most(void)
{
	struct statfs fs;
	uint64_t left;
	uint64_t room;
	int fd;

	require(!fstatfs(dir, &fs));
	left = fs.f_type == BTRFS_SUPER_MAGIC ? LEFT_BTRFS : LEFT;
	room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	if (room <= left)
		return;
	fd = open_filler("ballast");
	require(!fallocate(fd, 0, 0, (off_t)(room - left)));
	close(fd);
}

static int files;

static void fill_inodes(void)
{
	for (; files < FILES_MAX; files++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "inode%d", files);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	require(errno == ENOSPC);
}

static void free_inodes(void)
{
	for (int n = 0; n < 4 && files; n++) {
		char name[32];

		snprintf(name, sizeof(name), "inode%d", --files);
		require(!unlinkat(dir, name, 0));
	}
}

/* Shares all blocks of the log with a copy: each rewrite needs new ones. The
 * files of a log on btrfs cannot be cloned one by one, but as a whole. */
static void reflink(void)
{
	struct statfs fs;

	require(!fstatfs(dir, &fs));
	if (fs.f_type == BTRFS_SUPER_MAGIC)
		require(!system("if [ -e copy ]; then btrfs -q subvolume "
				"delete copy; fi; btrfs -q subvolume snapshot "
				". copy"));
	else
		require(!system(
			"rm -rf copy; cp -r --reflink=always log copy"));
}

/* ---- The trace ---- */

static void check_entry(uint64_t index)
{
	static char got[BYTES_MAX];
	struct maplog_info info;

	require(!maplog_read(tlog, index, got, sizeof(got), &info));
	require(info.bytes == bytes_of(index));
	require(!memcmp(got, content(index), bytes_of(index)));
}

static void check_all(uint64_t first, uint64_t next)
{
	struct maplog_counters now;

	maplog_counters(tlog, &now);
	require(now.first == first && now.next == next);
	require(now.durable == next);
	for (uint64_t i = first; i < next; i++)
		check_entry(i);
}

struct trace {
	uint64_t first;
	uint64_t next;
	void (*fill)(void);
	void (*free)(void);
	bool shared; /* with a snapshot, all of it */
	bool opens;  /* on the full disk, too */
};

static int append(const struct trace *trace)
{
	const struct maplog_entry entry = {
		.data = content(trace->next),
		.bytes = bytes_of(trace->next),
	};
	uint64_t index;
	int ret = maplog_append(tlog, &entry, 1, &index);

	require(ret || index == trace->next);
	return ret;
}

static void append_on_full(struct trace *trace)
{
	int ret = append(trace);

	require(!ret || is_full(-ret));
	refused += ret != 0;
	taken += !ret;
	trace->next += !ret;
	check_all(trace->first, trace->next);
}

/* A page of the head that a snapshot shares is the one thing that must be had:
 * it shares what the log could give back for that, too. */
static bool works(const struct trace *trace, int ret)
{
	require(!ret || (is_full(-ret) && trace->shared));
	stuck += ret != 0;
	return !ret;
}

static void change_on_full(struct trace *trace, int step)
{
	require(!maplog_sync(tlog, NULL));
	if (step % 10 == TRUNCATES && trace->next > trace->first &&
	    works(trace, maplog_truncate(tlog, trace->next - 1)))
		trace->next--;
	if (step % 25 == TRIMS && trace->next > trace->first + 8 &&
	    works(trace, maplog_trim(tlog, trace->next - 8)))
		trace->first = trace->next - 8;
	check_all(trace->first, trace->next);
}

/* As a writer leaves it whose sync has failed: the next one goes on in a new
 * file. */
static void pretend_failure(void)
{
	const uint32_t state = MAPLOG_FAILED;
	int fd = openat(dir, LOG "/head", O_WRONLY | O_CLOEXEC);

	require(fd >= 0);
	require(pwrite(fd, &state, sizeof(state),
		       offsetof(struct maplog_head, state)) == sizeof(state));
	require(!fsync(fd));
	close(fd);
}

/* Where everything is shared with a copy, a full disk may keep a log from being
 * opened for writing, but then there is room again. */
static void reopen(struct trace *trace, bool failed)
{
	int ret;

	require(!maplog_close(tlog));
	if (failed)
		pretend_failure();
	trace->fill();
	ret = maplog_open(dir, LOG, MAPLOG_WRITE, &tlog);
	if (ret)
		fprintf(stderr, "opening on a full disk: %d\n", ret);
	require(!ret || (is_full(-ret) && !trace->opens));
	if (!ret) {
		append_on_full(trace);
		change_on_full(trace, TRUNCATES);
		change_on_full(trace, TRIMS);
	}
	trace->free();
	for (int n = 0; is_full(-ret) && n < PATIENCE; n++) {
		usleep(10000);
		ret = maplog_open(dir, LOG, MAPLOG_WRITE, &tlog);
	}
	require(!ret);
	check_all(trace->first, trace->next);
}

/* Files that were removed give their space back when the file system has the
 * time for it. */
static void append_with_room(struct trace *trace)
{
	int ret = append(trace);

	for (int n = 0; is_full(-ret) && n < PATIENCE; n++) {
		usleep(10000);
		ret = append(trace);
	}
	errno = -ret;
	require(!ret);
	trace->next++;
}

static void step(struct trace *trace, int n)
{
	trace->fill();
	append_on_full(trace);
	change_on_full(trace, n);
	trace->free();
	append_with_room(trace);
	if (n % 20 == 19)
		reopen(trace, n % 40 == 39);
}

static void open_trace(void)
{
	struct maplog_options options;

	maplog_options_init(&options);
	options.segment_size = (uint64_t)1 << 20;
	require(!maplog_create(dir, LOG, 0700, &options));
	require(!maplog_open(dir, LOG, MAPLOG_WRITE, &tlog));
}

static void fill_reflinked(void)
{
	reflink();
	fill_space();
}

static void choose(struct trace *trace, const char *what)
{
	struct statfs fs;

	require(!fstatfs(dir, &fs));
	trace->fill = fill_space;
	trace->free = free_space;
	trace->opens = !strcmp(what, "space") || !strcmp(what, "inodes");
	if (!strcmp(what, "reflink")) {
		trace->fill = fill_reflinked;
		trace->shared = fs.f_type == BTRFS_SUPER_MAGIC;
	} else if (!strcmp(what, "quota")) {
		trace->shared = true;
	} else if (!strcmp(what, "inodes")) {
		trace->fill = fill_inodes;
		trace->free = free_inodes;
	} else {
		require(!strcmp(what, "space"));
	}
}

int main(int argc, char **argv)
{
	struct trace trace = { .first = 0 };
	int steps;

	require(argc == 4);
	require(!chdir(argv[1]));
	steps = atoi(argv[2]);
	dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(dir >= 0);
	choose(&trace, argv[3]);
	if (strcmp(argv[3], "quota") != 0)
		take_most();
	open_trace();
	for (int n = 0; n < steps; n++)
		step(&trace, n);
	check_all(trace.first, trace.next);
	require(!maplog_close(tlog));
	printf("%s: %d times full: %u appends refused, %u had room, %u "
	       "changes refused, all %" PRIu64 " entries right\n",
	       argv[3], steps, refused, taken, stuck, trace.next - trace.first);
	return 0;
}
