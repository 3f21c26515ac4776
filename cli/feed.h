/* SPDX-License-Identifier: MIT */
/* Feeds: input that is cut into entries, as lines, JSON or frames. */
#ifndef MAPLOG_CLI_FEED_H
#define MAPLOG_CLI_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "text.h"

enum feed_form {
	FEED_LINES,
	FEED_JSON,
	FEED_FRAMES, /* struct maplog_frame and the bytes */
};

struct feed {
	/* Set by the caller, the rest to zero. */
	enum feed_form form;
	const char *name;
	int fd;
	uint64_t limit; /* bytes of an entry at most */

	struct text input;
	size_t at; /* what is before it was cut off */
	size_t scanned;
	bool ended;
	uint64_t count;	  /* entries so far */
	uint64_t bytes;	  /* read so far */
	struct text data; /* of an entry that does not lie in the input */
};

/* One entry; @data is valid until the next call. */
struct feed_entry {
	const void *data;
	size_t bytes;
	uint64_t tag;
};

/** feed_form() - a form by its name; exits if there is none */
enum feed_form feed_form(const struct args *args, const char *name);

/** feed_cut() - the next entry of what was read
 *
 * Return: 1; 0 if there is none yet; -EINVAL after a message.
 */
int feed_cut(struct feed *feed, struct feed_entry *entry);

/** feed_read() - read more, once; sets ended at the end
 *
 * Return: 0; an -errno of read(2), which is not told.
 */
int feed_read(struct feed *feed);

void feed_free(struct feed *feed);

#endif
