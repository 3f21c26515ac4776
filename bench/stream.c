/* SPDX-License-Identifier: MIT */
/*
 * Large write(2) calls of many entries to `append` or `batch` of a mount.
 *
 *	bench-stream file=PATH as=lines|frames [entry=] [write=] [n=]
 *
 * Only the writes are timed. The entries are payload, so that bench-compare can
 * check them; the last byte of a line is its newline.
 */
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "peer.h"

static size_t entry;
static bool frames;

static unsigned char *put(unsigned char *at, uint64_t index)
{
	struct maplog_frame frame = { .length = (uint32_t)entry };

	if (frames) {
		memcpy(at, &frame, sizeof(frame));
		at += sizeof(frame);
	}
	memcpy(at, payload(index), entry);
	if (!frames)
		at[entry - 1] = '\n';
	return at + entry;
}

int main(int argc, char **argv)
{
	uint64_t n, per_write, spent = 0, bytes = 0;
	unsigned char *buffer;
	size_t write_size;
	int fd;

	args_init(argc, argv);
	fd = (int)must_call(open(arg_text("file", NULL), O_WRONLY), "open");
	frames = !strcmp(arg_text("as", "frames"), "frames");
	entry = arg_number("entry", 1024);
	write_size = arg_number("write", 1 << 20);
	n = arg_number("n", 100000);
	args_done();

	payload_init(entry);
	/* Aligned to pages: else the kernel makes two requests of a write. */
	buffer = must_alloc(write_size);
	per_write = write_size /
		    (entry + (frames ? sizeof(struct maplog_frame) : 0));
	for (uint64_t index = 0; index < n;) {
		unsigned char *at = buffer;
		uint64_t begin;

		for (uint64_t i = 0; i < per_write && index < n; i++)
			at = put(at, index++);
		begin = clock_ns();
		if (must_call(write(fd, buffer, (size_t)(at - buffer)),
			      "write") != at - buffer)
			die("a write came up short", 0);
		spent += clock_ns() - begin;
		bytes += (uint64_t)(at - buffer);
	}
	must_call(close(fd), "close");
	emit("write", "MB/s", (double)(n * entry) * 1000 / (double)spent);
	emit("append", "ns/entry", (double)spent / (double)n);
	return 0;
}
