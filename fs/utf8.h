/* SPDX-License-Identifier: MIT */
/* UTF-8: names of files are bytes, texts for others must be more than that. */
#ifndef MAPLOG_FS_UTF8_H
#define MAPLOG_FS_UTF8_H

#include <stddef.h>

/**
 * utf8_length() - the bytes of the character that a text begins with
 *
 * Return: 1 to 4, or 0 if there is none.
 */
size_t utf8_length(const char *text);

#endif
