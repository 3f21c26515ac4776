/* SPDX-License-Identifier: MIT */
/* A batch of entries to be appended, and the input that it is cut from. */
#ifndef MAPLOG_CLI_BATCH_H
#define MAPLOG_CLI_BATCH_H

#include <stddef.h>

#include "log.h"

/*
 * The buffer of the input, from the batch on:
 *
 *   | entry | entry | begun ...      | room |
 *   ^ start         ^ begun ^ scanned  ^ used ^ size
 *
 * All zero to begin with; to be given to batch_free().
 */
struct batch {
	char *buffer;
	size_t size;
	size_t start;	/* of the first entry */
	size_t begun;	/* one past the last: what is not yet an entry */
	size_t scanned; /* what is before it was looked at, and is no newline */
	size_t used;	/* one past what was read */
	struct maplog_entry *entries; /* data is set by batch_entries() */
	size_t count;
	size_t room; /* of entries */
};

/** batch_room() - where to read to, and how much at most: 64 KiB or more */
char *batch_room(struct batch *batch, size_t *bytes);

/** batch_is_full() - would batch_room() have to take more memory? */
bool batch_is_full(const struct batch *batch);

/** batch_read() - so many bytes were read to batch_room() */
void batch_read(struct batch *batch, size_t bytes);

/** batch_line() - bytes of the next whole line, 0 if there is none yet */
size_t batch_line(struct batch *batch);

/** batch_rest() - bytes that are not yet an entry */
size_t batch_rest(const struct batch *batch);

/** batch_bytes() - bytes of all entries */
size_t batch_bytes(const struct batch *batch);

/** batch_add() - make an entry of so many bytes of the rest */
void batch_add(struct batch *batch, size_t bytes, uint64_t tag);

/** batch_entries() - the entries, as maplog_append() takes them */
const struct maplog_entry *batch_entries(struct batch *batch);

/** batch_clear() - begin a new batch with the rest */
void batch_clear(struct batch *batch);

void batch_free(struct batch *batch);

#endif
