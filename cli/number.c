/* SPDX-License-Identifier: MIT */
/* Numbers as people write them: digits, and nothing else. */
#include "number.h"

#include <stddef.h>

const char *number_scan(const char *text, uint64_t *number)
{
	const char *at = text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return NULL;
	}
	if (at == text)
		return NULL;
	*number = value;
	return at;
}

bool number_parse(const char *text, uint64_t *number)
{
	uint64_t value;
	const char *end = number_scan(text, &value);

	if (!end || *end)
		return false;
	*number = value;
	return true;
}
