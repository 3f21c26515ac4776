/* SPDX-License-Identifier: MIT */
/* Numbers as people write them: digits, and nothing else. */
#ifndef MAPLOG_CLI_NUMBER_H
#define MAPLOG_CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * number_scan() - read digits
 *
 * Return: what stands behind them; NULL if there is none, or too large a
 * number.
 */
const char *number_scan(const char *text, uint64_t *number);

/** number_parse() - read a number that is all of @text; false if it is not */
bool number_parse(const char *text, uint64_t *number);

#endif
