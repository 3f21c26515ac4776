/* SPDX-License-Identifier: MIT */
/* Base64, as RFC 4648 has it: bytes in JSON that are no text. */
#ifndef MAPLOG_CLI_BASE64_H
#define MAPLOG_CLI_BASE64_H

#include <stdbool.h>

#include "text.h"

void base64_encode(struct text *text, const void *data, size_t bytes);

/** base64_decode() - add what it stands for; false if it is no base64 */
bool base64_decode(struct text *text, const char *from, size_t bytes);

#endif
