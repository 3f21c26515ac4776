/* SPDX-License-Identifier: MIT */
/* Text that grows: what is written, before it is. */
#ifndef MAPLOG_CLI_TEXT_H
#define MAPLOG_CLI_TEXT_H

#include <stddef.h>

/* All zero to begin with; to be given to text_free(). */
struct text {
	char *data; /* no zero byte behind it */
	size_t used;
	size_t size;
};

/** text_room() - where @bytes more can be put; text_add() without the bytes */
char *text_room(struct text *text, size_t bytes);

void text_add(struct text *text, const void *data, size_t bytes);

/** text_print() - add what printf(3) would write */
__attribute__((format(printf, 2, 3))) void text_print(struct text *text,
						      const char *format, ...);

/** text_hex() - add two digits for each byte */
void text_hex(struct text *text, const void *data, size_t bytes);

/** text_quote() - add bytes as a string in quotes, with escapes as C has them
 */
void text_quote(struct text *text, const void *data, size_t bytes);

void text_free(struct text *text);

#endif
