/* SPDX-License-Identifier: MIT */
/* Text that grows: what is written, before it is. */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

char *text_room(struct text *text, size_t bytes)
{
	char *room;

	if (text->size - text->used < bytes) {
		size_t size = text->size ? text->size * 2 : 4096;
		char *grown;

		while (size - text->used < bytes)
			size *= 2;
		grown = realloc(text->data, size);
		if (!grown)
			error_no_memory();
		text->data = grown;
		text->size = size;
	}
	room = text->data + text->used;
	text->used += bytes;
	return room;
}

void text_add(struct text *text, const void *data, size_t bytes)
{
	if (bytes)
		memcpy(text_room(text, bytes), data, bytes);
}

void text_print(struct text *text, const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n > 0)
		text_add(text, line,
			 (size_t)n < sizeof(line) ? (size_t)n
						  : sizeof(line) - 1);
}

void text_hex(struct text *text, const void *data, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = data;
	char *to = text_room(text, 2 * bytes);

	for (size_t i = 0; i < bytes; i++) {
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 15];
	}
}

static void quote(struct text *text, uint8_t byte)
{
	static const char named[] = "\n\t\r\\\"";
	static const char letters[] = "ntr\\\"";
	const char *found = byte ? strchr(named, byte) : NULL;

	if (found)
		text_print(text, "\\%c", letters[found - named]);
	else if (byte < ' ' || byte > '~')
		text_print(text, "\\x%02x", byte);
	else
		text_add(text, &byte, 1);
}

void text_quote(struct text *text, const void *data, size_t bytes)
{
	const uint8_t *from = data;

	text_add(text, "\"", 1);
	for (size_t i = 0; i < bytes; i++)
		quote(text, from[i]);
	text_add(text, "\"", 1);
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ .data = NULL };
}
