/* SPDX-License-Identifier: MIT */
/*
 * An image: a small store in memory, as it was and as damage has left it. It
 * knows of each entry whether its bytes are what they were, and so what is to
 * be served of the log.
 */
#ifndef UNIT_IMAGE_H
#define UNIT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR ((uint64_t)512)

/* Files of the store, in the order in which they are numbered. */
enum image_file {
	FILE_HEAD,
	FILE_INI,
	FILE_LOG0, /* sealed */
	FILE_IDX0,
	FILE_LOG1, /* ended by a truncation: longer than its payload */
	FILE_IDX1,
	FILE_LOG2, /* active */
	FILE_IDX2,
	FILES
};

/* How the writer has left it. */
enum ending {
	ENDING_CLOSED,
	ENDING_KILLED,	 /* kill -9: the mark is in the head's counters */
	ENDING_POWER,	 /* a power cut after an idle second: only in the
			  * checkpoint */
	ENDING_NO_INDEX, /* a power cut that the mark has outlived, and what
			  * was in the active segment's .idx has not */
	ENDINGS
};

/** image_make() - make the log, take the image; the log is closed then */
void image_make(enum ending ending);

/* Where the payload of an entry is. */
struct image_place {
	enum image_file log; /* its .idx is the next one */
	uint64_t rel;	     /* counted from the segment's first */
	uint64_t start;
	uint64_t end;
};

struct image_place image_place(uint64_t index);

/* One past the last entry. */
uint64_t image_next(void);

const char *image_path(enum image_file file);

/** image_bytes() - a file as it was, or as the damage is to leave it */
const uint8_t *image_bytes(enum image_file file);
uint8_t *image_now(enum image_file file);
uint64_t image_size(enum image_file file);

/** image_earlier() - a file as it was some entries before */
const uint8_t *image_earlier(enum image_file file);

/** image_holds() - whether there is anything in a sector of a file */
bool image_holds(enum image_file file, uint64_t sector);

/** image_write() - bring a change of image_now() to the file itself */
void image_write(enum image_file file, uint64_t from, uint64_t to);

/** image_cut() - cut a file short */
void image_cut(enum image_file file, uint64_t size);

/** image_lose() - what was in a file is not there any more */
void image_lose(enum image_file file);

/** image_undo() - undo the change to a file, of which nothing else changed */
void image_undo(enum image_file file, uint64_t from, uint64_t to);

/** image_restore() - make the whole log anew, whatever became of it */
void image_restore(void);

/**
 * image_check() - open the log, and check all that is served
 * @writer: as the writer, who appends, closes and looks again
 *
 * What has all its bytes is served; what has not is not, and gives -EBADMSG
 * or -EUCLEAN; where one of two records is left, either is right.
 */
void image_check(bool writer);

#endif
