/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: what is written to `batch`. A write of whole frames is as many
 * entries, with these bytes and tags, and any other is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(struct maplog *log, uint64_t index, const uint8_t *data,
			const struct maplog_frame *frame)
{
	uint8_t *bytes = malloc(frame->length + 1);
	struct maplog_info info;

	require(bytes);
	require(!maplog_read(log, index, bytes, frame->length, &info));
	require(info.bytes == frame->length && info.tag == frame->tag);
	require(!memcmp(bytes, data, frame->length));
	free(bytes);
}

/* A second opinion of what was taken. Returns how many entries that is. */
static uint64_t check_frames(struct maplog *log, uint64_t first,
			     const uint8_t *data, size_t size)
{
	uint64_t count = 0;
	size_t at = 0;

	while (at < size) {
		struct maplog_frame frame;

		require(size - at >= sizeof(frame));
		memcpy(&frame, data + at, sizeof(frame));
		at += sizeof(frame);
		require(!frame.zero && frame.length <= size - at);
		check_entry(log, first + count, data + at, &frame);
		at += frame.length;
		count++;
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handle *handle = handle_make(&batch_ops);
	bool begun = false;
	const uint8_t *at;
	size_t n;

	while (piece(&data, &size, &at, &n)) {
		uint64_t before = next_index(handle);
		ssize_t ret = handle_write(handle, at, n);
		uint64_t after = next_index(handle);

		require(ret < 0 || ret == (ssize_t)n);
		if (ret < 0 || begun)
			require(ret >= 0 || before == after);
		else if (after > before)
			require(check_frames(handle->book->log, before, at,
					     n) == after - before);
		/* Only one that is as long as they get may go on. */
		begun = ret > 0 && !begun && after == before;
		require(!begun || n + 4096 > MAX_WRITE);
	}
	handle_close(handle);
	return 0;
}
