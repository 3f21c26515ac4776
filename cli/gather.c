/* SPDX-License-Identifier: MIT */
/* Gathering entries, to append them in batches. */
#include "gather.h"

#include <stdlib.h>

#include "error.h"

#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_COUNT 10000

bool gather_is_full(const struct gather *gather, size_t bytes, uint64_t limit)
{
	if (limit > BATCH_BYTES)
		limit = BATCH_BYTES;
	return gather->count && (gather->count == BATCH_COUNT ||
				 gather->data.used + bytes > limit);
}

void gather_add(struct gather *gather, const void *data, size_t bytes,
		uint64_t tag)
{
	if (gather->count == gather->room) {
		size_t room = gather->room ? gather->room * 2 : 1024;
		struct maplog_entry *grown = reallocarray(
			gather->entries, room, sizeof(*gather->entries));

		if (!grown)
			error_no_memory();
		gather->entries = grown;
		gather->room = room;
	}
	gather->entries[gather->count++] = (struct maplog_entry){
		.bytes = bytes,
		.tag = tag,
	};
	text_add(&gather->data, data, bytes);
}

const struct maplog_entry *gather_entries(struct gather *gather)
{
	const char *at = gather->data.data;

	for (size_t i = 0; i < gather->count; i++) {
		gather->entries[i].data = at;
		at += gather->entries[i].bytes;
	}
	return gather->entries;
}

void gather_clear(struct gather *gather)
{
	gather->count = 0;
	gather->data.used = 0;
}

void gather_free(struct gather *gather)
{
	text_free(&gather->data);
	free(gather->entries);
}
