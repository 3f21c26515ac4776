/* SPDX-License-Identifier: MIT */
/* The directory of a log: names of files, and which segments there are. */
#ifndef MAPLOG_DIR_H
#define MAPLOG_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* 20 digits, a dot, the longest suffix ("log.new"), a zero byte. */
#define DIR_NAME_SIZE 32

#define DIR_LOG	      "log"
#define DIR_INDEX     "idx"
#define DIR_TORN      "torn"
#define DIR_READER    "reader"
#define DIR_END	      "end"
#define DIR_LOG_NEW   "log.new"
#define DIR_INDEX_NEW "idx.new"

/* No segment begins behind this entry: so no sum of a base and what a segment
 * can hold is more than a number can. */
#define DIR_BASE_MAX ((uint64_t)INT64_MAX)

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
 * A segment is there when its .log file is, of whatever type that is, or what
 * dir_mark_end() has made. One whose base is above DIR_BASE_MAX is nobody's.
 *
 * Return: 0; -ENOMEM; else the -errno of reading the directory.
 */
int dir_segments(int dirfd, uint64_t **bases, size_t *count);

/** dir_exists() - whether there is a regular file of that base and suffix */
int dir_exists(int dirfd, uint64_t base, const char *suffix, bool *found);

/** dir_is_named() - likewise, of whatever type */
int dir_is_named(int dirfd, uint64_t base, const char *suffix, bool *is);

/**
 * dir_make_way() - rename a directory that stands where a file of ours belongs
 *
 * Whoever put it there finds it as NAME.aside, or NAME.aside.1 and so on.
 * Return: 0, also if there is none; else the -errno of renameat2(2).
 */
int dir_make_way(int dirfd, const char *name);

/** dir_unlink() - remove a file by base and suffix; none there is no error
 *
 * A directory in its place is renamed, see dir_make_way().
 */
int dir_unlink(int dirfd, uint64_t base, const char *suffix);

/**
 * dir_clear() - likewise, for good: before a new file gets that name
 *
 * A power cut could else leave the old file under a name that it shares with
 * one of the new ones.
 */
int dir_clear(int dirfd, uint64_t base, const char *suffix);

/** dir_unlink_segment() - remove both files of a segment */
int dir_unlink_segment(int dirfd, uint64_t base);

/**
 * dir_mark_end() - say that a segment ends where the next one begins
 * @base: of the next one, whether that is there or not
 *
 * Return: 0, also if it is said already; else an -errno of open(2).
 */
int dir_mark_end(int dirfd, uint64_t base, mode_t mode);

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
