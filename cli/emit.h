/* SPDX-License-Identifier: MIT */
/* Entries on standard output: their bytes, or a line about each. */
#ifndef MAPLOG_CLI_EMIT_H
#define MAPLOG_CLI_EMIT_H

#include <stdbool.h>

#include "log.h"

/**
 * emit_view() - write all entries of a view, at once
 * @info: a line about each: index, time, tag and length
 *
 * Return: as output_write().
 */
int emit_view(const struct maplog_view *view, bool info);

#endif
