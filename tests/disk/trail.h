/* SPDX-License-Identifier: MIT */
/*
 * The trail of a logging disk: everything that reached it, in order, as
 * logdisk.c writes it down and replay.c reads it.
 */
#ifndef DISK_TRAIL_H
#define DISK_TRAIL_H

#include <stddef.h>
#include <stdint.h>

enum trail_what {
	TRAIL_WRITE, /* of the bytes that follow */
	TRAIL_ZERO,  /* a discard, or zeros: nothing follows */
	TRAIL_FLUSH, /* all that came before stays */
	TRAIL_MARK,  /* a text of the program that uses the disk follows */
};

/* What a record begins with. */
struct trail_record {
	uint32_t what;
	uint32_t bytes;
	uint64_t offset;
};

/* The file as it is read. */
struct trail {
	struct trail_step {
		struct trail_record record;
		const uint8_t *data;
	} * step;
	size_t steps;
	uint8_t *file;
};

/** trail_load() - read the trail there is, to be given to trail_free() */
void trail_load(struct trail *trail, int fd);

void trail_free(struct trail *trail);

/** trail_number() - what number a mark has behind a word
 *
 * Return: -1 if the step is no such mark.
 */
int trail_number(const struct trail_step *step, const char *word);

#endif
