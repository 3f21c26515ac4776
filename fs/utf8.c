/* SPDX-License-Identifier: MIT */
/* UTF-8: names of files are bytes, texts for others must be more than that. */
#include "utf8.h"

#include <stdint.h>

static size_t announced(uint8_t first)
{
	if (first < 0x80)
		return first ? 1 : 0;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t utf8_length(const char *text)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t n = announced(bytes[0]);

	for (size_t i = 1; i < n; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Written longer than need be, a surrogate, or past the last one. */
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
	    (bytes[0] == 0xed && bytes[1] >= 0xa0) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
	    (bytes[0] == 0xf4 && bytes[1] >= 0x90))
		return 0;
	return n;
}
