/* SPDX-License-Identifier: MIT */
/* Peeks: a few bytes of a segment's file, copied rather than mapped. */
#include "peek.h"

#include <assert.h>

/* From this time on a window is mapped. Copying so often takes about as long
 * as mapping once. */
#define FREQUENT 4

void peeks_destroy(struct peeks *peeks)
{
	for (int file = 0; file < 2; file++) {
		if (peeks->last[file].window)
			window_put(peeks->last[file].window);
	}
}

bool peek_is_frequent(struct peeks *peeks, uint64_t key)
{
	size_t n = window_hash(key);

	assert(n < PEEK_KEYS);

	if (!key)
		return false;
	if (peeks->wanted[n].key != key) {
		peeks->wanted[n].key = key;
		peeks->wanted[n].times = 0;
	}
	return ++peeks->wanted[n].times >= FREQUENT;
}

int peek(struct peeks *peeks, uint64_t id, enum maplog_file file, int fd,
	 uint64_t offset, size_t bytes, struct maplog_window **window)
{
	int ret;

	assert(id && bytes);
	assert(bytes <= PEEK_MAX);

	ret = window_copy(fd, offset, bytes, window);
	if (ret)
		return ret;
	if (peeks->last[file].window)
		window_put(peeks->last[file].window);
	window_hold(*window);
	peeks->last[file].id = id;
	peeks->last[file].window = *window;
	return 0;
}

struct maplog_window *peek_again(struct peeks *peeks, uint64_t id,
				 enum maplog_file file, uint64_t offset,
				 size_t bytes)
{
	struct maplog_window *window = peeks->last[file].window;

	if (!window || peeks->last[file].id != id || offset < window->offset ||
	    offset + bytes > window_end(window))
		return NULL;
	window_hold(window);
	return window;
}
