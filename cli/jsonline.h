/* SPDX-License-Identifier: MIT */
/* Entries as JSON, one object a line. */
#ifndef MAPLOG_CLI_JSONLINE_H
#define MAPLOG_CLI_JSONLINE_H

#include <stdint.h>

#include "pattern.h"
#include "text.h"

/**
 * jsonline_add() - add an object for an entry, without a newline
 *
 * Its bytes are the string `data` if they are UTF-8, else `base64`.
 */
void jsonline_add(struct text *text, const struct shown *shown);

/** jsonline_string() - add a string in quotes; what is not UTF-8 as '?' */
void jsonline_string(struct text *text, const void *data, size_t bytes);

/**
 * jsonline_parse() - read an entry to be appended
 * @line: an object with `data` or `base64`, and perhaps `tag`; other keys are
 *        passed over
 * @text: out: its bytes are added
 *
 * Return: NULL, or what is wrong with it.
 */
const char *jsonline_parse(const char *line, size_t bytes, struct text *text,
			   uint64_t *tag);

#endif
