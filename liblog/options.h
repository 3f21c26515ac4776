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
 * @damaged: out: whether its checksum is wrong: all are at their defaults then
 *
 * What is missing or not understood is left at its default: a log must open
 * whatever became of this file. What cannot be read now is not missing.
 *
 * Return: 0; -ENOMEM; else an -errno of open(2) or pread(2).
 */
int options_load(int dirfd, struct maplog_options *options, bool *damaged);

/**
 * options_parse_time() - "10m" in nanoseconds
 *
 * Return: 0; -EINVAL if it cannot be read; -ERANGE if it is too large.
 */
int options_parse_time(const char *text, uint64_t *nsec);

/** options_store() - write log.ini, durably, all of it or none */
int options_store(int dirfd, const struct maplog_options *options, mode_t mode);

#endif
