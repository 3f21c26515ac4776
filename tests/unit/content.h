/* SPDX-License-Identifier: MIT */
/* What a file held at one moment: its size, and its pages that are not zero. */
#ifndef UNIT_CONTENT_H
#define UNIT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_PAGE   4096
#define CONTENT_SECTOR 512

struct page {
	uint64_t at; /* offset in the file */
	unsigned char byte[CONTENT_PAGE];
};

struct content {
	uint64_t size;
	struct page *page; /* ascending */
	size_t count;
	size_t room;
};

/** content_load() - what a file holds now */
void content_load(struct content *content, int fd);

/** content_store() - write it into a new, empty file */
void content_store(const struct content *content, int fd);

/**
 * content_tear() - what a power cut may leave of a file
 * @old:  as it was when it was synced last
 * @new:  as it is
 * @toss: of each sector of 512 bytes that differs, and of the size: whether
 *        the new one has reached the disk
 */
void content_tear(struct content *torn, const struct content *old,
		  const struct content *new, bool (*toss)(void));

void content_copy(struct content *to, const struct content *from);

void content_free(struct content *content);

#endif
