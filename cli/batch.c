/* SPDX-License-Identifier: MIT */
/* A batch of entries to be appended, and the input that it is cut from. */
#include "batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

#define SIZE_FIRST  ((size_t)2 << 20)
#define ROOM_LEAST  ((size_t)64 << 10)
#define COUNT_FIRST 1024

bool batch_is_full(const struct batch *batch)
{
	return batch->size - (batch->used - batch->start) < ROOM_LEAST;
}

static void move_to_front(struct batch *batch)
{
	size_t start = batch->start;

	memmove(batch->buffer, batch->buffer + start, batch->used - start);
	batch->start = 0;
	batch->begun -= start;
	batch->scanned -= start;
	batch->used -= start;
}

static void grow(struct batch *batch)
{
	size_t size = batch->size ? batch->size * 2 : SIZE_FIRST;
	char *grown = realloc(batch->buffer, size);

	if (!grown)
		error_no_memory();
	batch->buffer = grown;
	batch->size = size;
}

char *batch_room(struct batch *batch, size_t *bytes)
{
	if (batch->size - batch->used < ROOM_LEAST && batch->start)
		move_to_front(batch);
	if (batch_is_full(batch))
		grow(batch);
	*bytes = batch->size - batch->used;
	return batch->buffer + batch->used;
}

void batch_read(struct batch *batch, size_t bytes)
{
	assert(bytes <= batch->size - batch->used);

	batch->used += bytes;
}

size_t batch_line(struct batch *batch)
{
	const char *from = batch->buffer + batch->scanned;
	const char *newline;

	if (batch->scanned == batch->used)
		return 0;
	newline = memchr(from, '\n', batch->used - batch->scanned);
	if (!newline) {
		batch->scanned = batch->used;
		return 0;
	}
	return (size_t)(newline + 1 - (batch->buffer + batch->begun));
}

size_t batch_rest(const struct batch *batch)
{
	return batch->used - batch->begun;
}

size_t batch_bytes(const struct batch *batch)
{
	return batch->begun - batch->start;
}

void batch_add(struct batch *batch, size_t bytes, uint64_t tag)
{
	assert(bytes <= batch_rest(batch));

	if (batch->count == batch->room) {
		size_t room = batch->room ? batch->room * 2 : COUNT_FIRST;
		struct maplog_entry *grown =
			reallocarray(batch->entries, room, sizeof(*grown));

		if (!grown)
			error_no_memory();
		batch->entries = grown;
		batch->room = room;
	}
	batch->entries[batch->count++] = (struct maplog_entry){
		.bytes = bytes,
		.tag = tag,
	};
	batch->begun += bytes;
	batch->scanned = batch->begun;
}

const struct maplog_entry *batch_entries(struct batch *batch)
{
	const char *at = batch->buffer + batch->start;

	/* Not earlier: the buffer moves when it grows. */
	for (size_t i = 0; i < batch->count; i++) {
		batch->entries[i].data = at;
		at += batch->entries[i].bytes;
	}
	return batch->entries;
}

void batch_clear(struct batch *batch)
{
	batch->start = batch->begun;
	batch->count = 0;
}

void batch_free(struct batch *batch)
{
	free(batch->buffer);
	free(batch->entries);
}
