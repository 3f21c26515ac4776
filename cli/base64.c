/* SPDX-License-Identifier: MIT */
/* Base64, as RFC 4648 has it: bytes in JSON that are no text. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text *text, const void *data, size_t bytes)
{
	const uint8_t *from = data;
	char *to = text_room(text, (bytes + 2) / 3 * 4);

	for (size_t i = 0; i < bytes; i += 3) {
		uint32_t bits = (uint32_t)from[i] << 16;

		if (i + 1 < bytes)
			bits |= (uint32_t)from[i + 1] << 8;
		if (i + 2 < bytes)
			bits |= from[i + 2];
		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = i + 1 < bytes ? digits[bits >> 6 & 63] : '=';
		*to++ = i + 2 < bytes ? digits[bits & 63] : '=';
	}
}

/* The six bits of each of four digits; false if one is none. */
static bool take(const char *from, uint32_t *bits)
{
	*bits = 0;
	for (int i = 0; i < 4; i++) {
		const char *digit = from[i] ? strchr(digits, from[i]) : NULL;

		if (!digit)
			return false;
		*bits = *bits << 6 | (uint32_t)(digit - digits);
	}
	return true;
}

bool base64_decode(struct text *text, const char *from, size_t bytes)
{
	if (bytes % 4)
		return false;
	for (size_t i = 0; i < bytes; i += 4) {
		char four[4];
		uint8_t three[3];
		size_t n = 3;
		uint32_t bits;

		memcpy(four, from + i, 4);
		/* Only at the end it is filled up. */
		for (; i + 4 == bytes && n > 1 && four[n] == '='; n--)
			four[n] = 'A';
		if (!take(four, &bits))
			return false;
		three[0] = (uint8_t)(bits >> 16);
		three[1] = (uint8_t)(bits >> 8);
		three[2] = (uint8_t)bits;
		text_add(text, three, n);
	}
	return true;
}
