/* SPDX-License-Identifier: MIT */
/* Patterns: how a person wants each entry to be written, --format. */
#include "pattern.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "jsonline.h"
#include "table.h"

static const char letters[] = "itnglcpxqj%";
static const char escapes[] = "nt0\\";
static const char escaped[] = "\n\t\0\\";

const char *pattern_fault(const char *pattern)
{
	for (const char *at = pattern; *at; at++) {
		if (*at != '%' && *at != '\\')
			continue;
		if (!at[1] || !strchr(*at == '%' ? letters : escapes, at[1]))
			return at;
		at++;
	}
	return NULL;
}

static void add_value(struct text *text, char letter, const struct shown *shown)
{
	const struct maplog_info *info = &shown->info;
	char time[TEXT_TIME_SIZE];

	switch (letter) {
	case 'i':
		text_print(text, "%" PRIu64, info->index);
		break;
	case 't':
		text_print(text, "%s", text_time(info->time, time));
		break;
	case 'n':
		text_print(text, "%" PRIu64, info->time);
		break;
	case 'g':
		text_print(text, "%" PRIu64, info->tag);
		break;
	case 'l':
		text_print(text, "%" PRIu64, info->bytes);
		break;
	case 'c':
		text_print(text, "%08" PRIx32, shown->crc);
		break;
	case 'p':
		text_add(text, shown->data, info->bytes);
		break;
	case 'x':
		text_hex(text, shown->data, info->bytes);
		break;
	case 'q':
		text_quote(text, shown->data, info->bytes);
		break;
	case 'j':
		jsonline_add(text, shown);
		break;
	default:
		assert(letter == '%');
		text_add(text, "%", 1);
	}
}

void pattern_add(struct text *text, const char *pattern,
		 const struct shown *shown)
{
	while (*pattern) {
		size_t plain = strcspn(pattern, "%\\");

		text_add(text, pattern, plain);
		pattern += plain;
		if (*pattern == '%')
			add_value(text, pattern[1], shown);
		else if (*pattern)
			text_add(text,
				 escaped + (strchr(escapes, pattern[1]) -
					    escapes),
				 1);
		pattern += *pattern ? 2 : 0;
	}
}
