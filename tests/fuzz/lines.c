/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: what is written to `append`. The entries, one behind the other,
 * are what was taken, cut behind every newline.
 */
#include <stdlib.h>
#include <string.h>

#include "handles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct maplog *log, const uint8_t *taken, size_t size)
{
	struct maplog_counters now;
	uint8_t line[4096];
	size_t at = 0;

	maplog_counters(log, &now);
	for (uint64_t i = 0; i < now.next; i++) {
		const uint8_t *end = memchr(taken + at, '\n', size - at);
		size_t n = end ? (size_t)(end + 1 - taken) - at : size - at;
		struct maplog_info info;

		require(!maplog_read(log, i, line, sizeof(line), &info));
		require(info.bytes == n && !memcmp(line, taken + at, n));
		at += n;
	}
	require(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handle *handle = handle_make(&lines_ops);
	struct maplog *log = handle->book->log;
	uint8_t *taken = malloc(size + 1);
	bool refused = false;
	size_t total = 0;
	const uint8_t *at;
	size_t n;

	require(taken);
	while (piece(&data, &size, &at, &n)) {
		ssize_t ret = handle_write(handle, at, n);

		if (ret > 0)
			memcpy(taken + total, at, (size_t)ret);
		total += ret > 0 ? (size_t)ret : 0;
		/* A line that is too long: what of it was taken is dropped. */
		refused |= n && ret != (ssize_t)n;
	}
	handle_close(handle);
	if (!refused)
		check_lines(log, taken, total);
	free(taken);
	return 0;
}
