/* SPDX-License-Identifier: MIT */
/* The directory of a log: names of files, and which segments there are. */
#ifndef MAPLOG_DIR_H
#define MAPLOG_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 20 digits, a dot, the longest suffix ("log.new"), a zero byte. */
#define DIR_NAME_SIZE 32

#define DIR_LOG	      "log"
#define DIR_INDEX     "idx"
#define DIR_TORN      "torn"
#define DIR_READER    "reader"
#define DIR_LOG_NEW   "log.new"
#define DIR_INDEX_NEW "idx.new"

/** dir_name() - "00000000000000000042.log" for 42 and DIR_LOG */
void dir_name(char name[DIR_NAME_SIZE], uint64_t base, const char *suffix);

/**
 * dir_parse() - the reverse of dir_name()
 *
 * Return: whether @name is that of a file with @suffix; then *base is set.
 */
bool dir_parse(const char *name, const char *suffix, uint64_t *base);

/**
 * dir_segments() - the bases of all segments, in ascending order
 * @dirfd: the log's directory
 * @bases: out: to be freed by the caller; NULL if there are none
 * @count: out: how many
 *
 * A segment is there when its .log file is, of whatever type that is.
 *
 * Return: 0; -ENOMEM; else the -errno of reading the directory.
 */
int dir_segments(int dirfd, uint64_t **bases, size_t *count);

/** dir_exists() - whether there is a regular file of that base and suffix */
int dir_exists(int dirfd, uint64_t base, const char *suffix, bool *found);

/** dir_unlink() - remove a file by base and suffix; none there is no error */
int dir_unlink(int dirfd, uint64_t base, const char *suffix);

/** dir_unlink_segment() - remove both files of a segment */
int dir_unlink_segment(int dirfd, uint64_t base);

/** dir_is_reader_name() - whether a named reader may have a name of @n bytes */
bool dir_is_reader_name(const char *name, size_t n);

/** dir_is_reader() - whether a file is that of a named reader */
bool dir_is_reader(const char *name);

/**
 * dir_each() - call a function with every name but "." and ".."
 * @visit: returns 0 to go on; anything else ends the walk and is returned
 *
 * Return: 0, what @visit returned, or the -errno of reading the directory.
 */
int dir_each(int dirfd, int (*visit)(void *arg, const char *name), void *arg);

#endif
