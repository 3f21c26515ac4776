/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: what is written to `control`, in pieces. Replies are lines of
 * text, and the last one tells whether the write was refused.
 */
#include <string.h>

#include "handles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_replies(const char *text, bool refused)
{
	const char *last = text;
	const char *newline;

	require(!refused || *text);
	while ((newline = strchr(text, '\n'))) {
		require(!strncmp(text, "ok", 2) ||
			!strncmp(text, "error E", 7));
		last = text;
		text = newline + 1;
	}
	require(!*text);
	require(!*last || refused == !strncmp(last, "error", 5));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handle *handle = handle_make(&control_ops);
	const uint8_t *at;
	size_t n;

	while (piece(&data, &size, &at, &n)) {
		bool refused = handle_write(handle, at, n) < 0;

		check_replies(handle_read(handle), refused);
	}
	handle_close(handle);
	return 0;
}
