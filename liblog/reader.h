/* SPDX-License-Identifier: MIT */
/* Named readers: their positions, kept with the log. */
#ifndef MAPLOG_READER_H
#define MAPLOG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "position.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A name has up to so many letters, digits, dots, dashes and underscores; it
 * begins with a letter or digit. */
#define MAPLOG_READER_NAME_MAX 64

struct maplog_reader;

/**
 * maplog_reader_is_name() - whether a reader can be called so
 *
 * Return: true if it can.
 */
bool maplog_reader_is_name(const char *name);

/**
 * maplog_reader_open() - be the reader of that name
 * @log:    open for reading or writing; the caller may write to its directory
 * @start:  where a new one begins
 * @reader: out: to be given to maplog_reader_close(), before the log is closed
 *
 * Return: 0; -EBUSY if another process is this reader; -EINVAL if the name
 * cannot be one; -EUCLEAN if its file is damaged or of another log; else an
 * -errno of open(2) or write(2).
 */
int maplog_reader_open(struct maplog *log, const char *name, uint64_t start,
		       struct maplog_reader **reader);

/** maplog_reader_position() - where it has got to */
void maplog_reader_position(const struct maplog_reader *reader,
			    struct maplog_position *position);

/**
 * maplog_reader_store() - remember a position
 *
 * Survives kill -9 when it returns, and a power cut after the next
 * maplog_reader_sync(). Cheap: one write of 64 bytes.
 *
 * Return: 0, or an -errno of write(2).
 */
int maplog_reader_store(struct maplog_reader *reader,
			const struct maplog_position *position);

/**
 * maplog_reader_sync() - make the position durable
 *
 * Return: 0, or an -errno of fdatasync(2).
 */
int maplog_reader_sync(struct maplog_reader *reader);

/**
 * maplog_reader_close() - make the position durable, and close
 *
 * NULL is allowed.
 *
 * Return: 0, or an -errno of fdatasync(2); it is closed either way.
 */
int maplog_reader_close(struct maplog_reader *reader);

/**
 * maplog_reader_forget() - remove what is kept of a reader
 *
 * Return: 0; -ENOENT if there is none; -EBUSY if a process is this reader;
 * -EINVAL if the name cannot be one; else an -errno of unlink(2).
 */
int maplog_reader_forget(struct maplog *log, const char *name);

struct maplog_reader_info {
	char name[MAPLOG_READER_NAME_MAX + 1];
	uint64_t next; /* all below was read; 0 if its file is damaged */
};

/**
 * maplog_reader_list() - all named readers of a log, by name
 * @list: out: to be freed by the caller; NULL if there are none
 *
 * Return: 0; -ENOMEM without memory; else an -errno of reading the directory.
 */
int maplog_reader_list(struct maplog *log, struct maplog_reader_info **list,
		       size_t *count);

#ifdef __cplusplus
}
#endif

#endif
