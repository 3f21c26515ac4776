/* SPDX-License-Identifier: MIT */
/*
 * Writes logs as inputs for the targets `open` and `open-nocrc`: what the
 * corpus began with. The directory for them is the only argument.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

#define CHUNK 512

static void put_number(FILE *out, uint64_t number, size_t bytes)
{
	require(fwrite(&number, bytes, 1, out) == 1);
}

/* One sector, if there is anything in it. */
static void put_chunk(FILE *out, size_t n, int fd, off_t at)
{
	static const char zeros[CHUNK];
	char bytes[CHUNK];
	ssize_t got = pread(fd, bytes, sizeof(bytes), at);

	require(got >= 0);
	while (got && !bytes[got - 1])
		got--;
	if (!memcmp(bytes, zeros, (size_t)got))
		return;
	put_number(out, n, 1);
	put_number(out, (uint64_t)at, 4);
	put_number(out, (uint64_t)got, 2);
	require(fwrite(bytes, (size_t)got, 1, out) == 1);
}

static void put_file(FILE *out, size_t n)
{
	char path[64];
	struct stat st;
	off_t at = 0;
	int fd;

	snprintf(path, sizeof(path), LOG "/%s", store_name(n));
	fd = openat(store_fd(), path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	require(!fstat(fd, &st));
	put_number(out, n | 1 << 4, 1);
	put_number(out, (uint64_t)st.st_size, 8);
	for (; at < st.st_size; at += CHUNK)
		put_chunk(out, n, fd, at);
	close(fd);
}

static void pack(const char *directory, const char *name)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	out = fopen(path, "we");
	require(out);
	for (size_t n = 0; store_name(n); n++)
		put_file(out, n);
	require(!fclose(out));
}

static void append(struct maplog *log, int n)
{
	struct maplog_entry entries[3] = { { .data = NULL } };
	char text[3][32];

	for (int i = 0; i < n; i++) {
		entries[i].data = text[i];
		entries[i].bytes = (size_t)snprintf(text[i], sizeof(text[i]),
						    "entry %d of %d", i, n);
		entries[i].tag = (uint64_t)i;
	}
	require(!maplog_append(log, entries, (size_t)n, NULL));
}

int main(int argc, char **argv)
{
	struct maplog *log = store_log();
	const char *to = argv[argc - 1];

	require(argc == 2);
	pack(to, "empty");
	append(log, 3);
	pack(to, "one-batch");
	require(!maplog_seal(log, NULL));
	pack(to, "sealed");
	append(log, 1);
	append(log, 2);
	require(!maplog_seal(log, NULL));
	append(log, 3);
	pack(to, "three-segments");
	require(!maplog_truncate(log, 6));
	append(log, 2);
	pack(to, "truncated");
	require(!maplog_trim(log, 3));
	pack(to, "trimmed");
	require(!maplog_truncate(log, 3));
	append(log, 1);
	pack(to, "truncated-more");
	return 0;
}
