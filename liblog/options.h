/* SPDX-License-Identifier: MIT */
/* Options of a log as text, and the file log.ini that keeps them. */
#ifndef MAPLOG_OPTIONS_H
#define MAPLOG_OPTIONS_H

#include "log.h"

/* Payload room of a segment, so that every part of a file begins on a page
 * whatever its size: segment-size rounded up to this. */
#define OPTIONS_ALIGN ((uint64_t)64 << 10)

#define OPTIONS_NAME "log.ini"

/**
 * options_load() - read log.ini
 *
 * What is missing or cannot be read is left at its default: a log must open
 * whatever became of this file.
 *
 * Return: 0; -ENOMEM; -EIO.
 */
int options_load(int dirfd, struct maplog_options *options);

/**
 * options_parse_time() - "10m" in nanoseconds
 *
 * Return: 0; -EINVAL if it cannot be read; -ERANGE if it is too large.
 */
int options_parse_time(const char *text, uint64_t *nsec);

/** options_store() - write log.ini, durably, all of it or none */
int options_store(int dirfd, const struct maplog_options *options, mode_t mode);

#endif
