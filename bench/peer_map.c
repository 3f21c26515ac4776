/* SPDX-License-Identifier: MIT */
/*
 * A mapped file, entry after entry: what the memory and the processor can do.
 *
 * As in peer_file.c there is no index. "prefaulted" pays for its page faults
 * before the clock starts and is the physical limit: a memcpy, or with "crc" a
 * memcpy and a CRC-32C by ISA-L. "null" does nothing at all: what the bench
 * itself costs.
 */
#include <fcntl.h>
#include <isa-l.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "peer.h"

enum {
	ALLOCATE = 1 << 0,
	PREFAULT = 1 << 1,
	CRC = 1 << 2,
	SYNC = 1 << 3,
};

static unsigned flags;
static size_t size;
static uint64_t offset, bytes_all;
static char *map;
static int fd;
static uint32_t crc;

static void open_map(const struct peer *self, const struct setup *setup)
{
	int dir =
		(int)must_call(open(setup->dir, O_DIRECTORY | O_PATH), "open");

	flags = self->flags;
	size = setup->size;
	bytes_all = setup->n * size;
	fd = (int)must_call(openat(dir, "log", O_RDWR | O_CREAT, 0644), "open");
	if (flags & ALLOCATE)
		must_call(fallocate(fd, 0, 0, (off_t)bytes_all), "fallocate");
	else
		must_call(ftruncate(fd, (off_t)bytes_all), "ftruncate");
	if (flags & SYNC)
		must_call(fsync(fd), "fsync");
	map = mmap(NULL, bytes_all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap", 0);
	if (flags & PREFAULT)
		must_call(madvise(map, bytes_all, MADV_POPULATE_WRITE),
			  "madvise");
}

static void sync_map(void)
{
	must_call(fdatasync(fd), "fdatasync");
}

static void append(const struct maplog_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		memcpy(map + offset, entries[i].data, entries[i].bytes);
		offset += entries[i].bytes;
		if (flags & CRC)
			crc ^= crc32_iscsi((unsigned char *)entries[i].data,
					   (int)entries[i].bytes, 0xffffffff);
	}
	if (flags & SYNC)
		sync_map();
}

static void append_nothing(const struct maplog_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		keep((uint64_t)entries[i].data);
}

/* What `append_nothing` has not kept is looked up where it comes from. */
static void read_nothing(uint64_t index, unsigned n, struct maplog_entry *out)
{
	for (unsigned i = 0; i < n; i++) {
		out[i].data = payload(index + i);
		out[i].bytes = size;
	}
}

static void flush(void)
{
	keep(crc);
}

static const void *span(uint64_t index, unsigned n, size_t *bytes)
{
	*bytes = n * size;
	return map + index * size;
}

static void read_map(uint64_t index, unsigned n, struct maplog_entry *out)
{
	for (unsigned i = 0; i < n; i++) {
		out[i].data = map + (index + i) * size;
		out[i].bytes = size;
	}
}

static void close_map(void)
{
	munmap(map, bytes_all);
	close(fd);
}

#define MAP(text, how)                                                         \
	{                                                                      \
		.name = text, .flags = how, .open = open_map,                  \
		.append = append, .sync = sync_map, .flush = flush,            \
		.read = read_map, .span = span, .close = close_map             \
	}

const struct peer peers[] = {
	{ .name = "null",
	  .open = open_map,
	  .append = append_nothing,
	  .read = read_nothing,
	  .close = close_map },
	MAP("sparse", 0),
	MAP("allocated", ALLOCATE),
	MAP("prefaulted", ALLOCATE | PREFAULT),
	MAP("prefaulted-crc", ALLOCATE | PREFAULT | CRC),
	MAP("allocated-sync", ALLOCATE | SYNC),
	{ 0 },
};
