/* SPDX-License-Identifier: MIT */
/*
 * A plain file, entry after entry: what the kernel's file calls can do.
 *
 * There is no index: entries of one size are found by multiplication. So a
 * row here is a bound of what files can do and not a log. Rows with "sync"
 * make every batch durable; "+ records" also writes 24 bytes an entry to
 * another place of the file, as maplog does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness.h"
#include "peer.h"

enum {
	WRITE = 1 << 0,	   /* one write() an entry */
	WRITEV = 1 << 1,   /* one writev() a batch */
	PWRITE = 1 << 2,   /* gathered, one pwrite() a batch */
	STREAM = 1 << 3,   /* fwrite() */
	ALLOCATE = 1 << 4, /* fallocate() all of it before */
	SYNC = 1 << 5,	   /* fdatasync() each batch */
	RECORDS = 1 << 6,
};

#define RECORD 24

static unsigned flags;
static size_t size;
static uint64_t offset, records_at, records_base;
static int fd;
static FILE *stream;
static char *gathered;
static struct iovec *vector;

static void open_file(const struct peer *self, const struct setup *setup)
{
	int dir =
		(int)must_call(open(setup->dir, O_DIRECTORY | O_PATH), "open");
	uint64_t bytes = setup->n * (setup->size + RECORD);

	flags = self->flags;
	size = setup->size;
	records_base = setup->n * setup->size;
	fd = (int)must_call(openat(dir, "log", O_RDWR | O_CREAT, 0644), "open");
	if (flags & ALLOCATE)
		must_call(fallocate(fd, 0, 0, (off_t)bytes), "fallocate");
	if (flags & SYNC)
		must_call(fsync(fd), "fsync");
	if (flags & STREAM)
		stream = fdopen(dup(fd), "w");
	vector = must_alloc(setup->batch * sizeof(*vector));
	bytes = setup->batch * size;
	bytes = bytes > READ_MAX * size ? bytes : READ_MAX * size;
	gathered = must_alloc(bytes);
}

static void write_each(const struct maplog_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		must_call(write(fd, entries[i].data, entries[i].bytes),
			  "write");
}

static void write_vector(const struct maplog_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		vector[i].iov_base = (void *)entries[i].data;
		vector[i].iov_len = entries[i].bytes;
	}
	must_call(writev(fd, vector, (int)n), "writev");
}

static void write_gathered(const struct maplog_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memcpy(gathered + i * size, entries[i].data, size);
	must_call(pwrite(fd, gathered, n * size, (off_t)offset), "pwrite");
}

static void write_records(unsigned n)
{
	off_t at = (off_t)(records_base + records_at);

	must_call(pwrite(fd, payload(records_at), n * RECORD, at), "pwrite");
	records_at += n * RECORD;
}

static void write_stream(const struct maplog_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fwrite(entries[i].data, entries[i].bytes, 1, stream) != 1)
			die("fwrite", 0);
}

static void sync_file(void)
{
	must_call(fdatasync(fd), "fdatasync");
}

static void append(const struct maplog_entry *entries, unsigned n)
{
	if (flags & WRITE)
		write_each(entries, n);
	else if (flags & WRITEV)
		write_vector(entries, n);
	else if (flags & STREAM)
		write_stream(entries, n);
	else
		write_gathered(entries, n);
	if (flags & RECORDS)
		write_records(n);
	offset += n * size;
	if (flags & SYNC)
		sync_file();
}

static void flush(void)
{
	if (stream && fflush(stream))
		die("fflush", 0);
}

static const void *span(uint64_t index, unsigned n, size_t *bytes)
{
	off_t at = (off_t)(index * size);

	*bytes = (size_t)must_call(pread(fd, gathered, n * size, at), "pread");
	return gathered;
}

static void read_file(uint64_t index, unsigned n, struct maplog_entry *out)
{
	size_t bytes;

	span(index, n, &bytes);
	for (unsigned i = 0; i < n; i++) {
		out[i].data = gathered + i * size;
		out[i].bytes = size;
	}
}

static void close_file(void)
{
	if (stream)
		fclose(stream);
	close(fd);
}

#define FILE_PEER(text, how)                                                   \
	{                                                                      \
		.name = text, .flags = how, .open = open_file,                 \
		.append = append, .sync = sync_file, .flush = flush,           \
		.read = read_file, .span = span, .close = close_file           \
	}

const struct peer peers[] = {
	FILE_PEER("write", WRITE),
	FILE_PEER("writev", WRITEV),
	FILE_PEER("fwrite", STREAM),
	FILE_PEER("pwrite", PWRITE),
	FILE_PEER("pwrite-allocated", PWRITE | ALLOCATE),
	FILE_PEER("pwrite-growing-sync", PWRITE | SYNC),
	FILE_PEER("pwrite-allocated-sync", PWRITE | ALLOCATE | SYNC),
	FILE_PEER("pwrite-records-sync", PWRITE | ALLOCATE | RECORDS | SYNC),
	{ 0 },
};
