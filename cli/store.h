/* SPDX-License-Identifier: MIT */
/* Stores, and the logs in them, by path. */
#ifndef MAPLOG_CLI_STORE_H
#define MAPLOG_CLI_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

/** store_clean_path() - take slashes at the end away, in place */
void store_clean_path(char *path);

/** store_parent() - the directory that @path is in; to be freed */
char *store_parent(const char *path);

/** store_join() - STORE/NAME; to be freed */
char *store_join(const char *store, const char *name);

/** store_is_log() - is that directory a log, be it a damaged one? */
bool store_is_log(const char *path);

/**
 * store_is_mount() - is that path inside of a mount of maplogfs?
 *
 * There the names are those of a store, but the files are not.
 */
bool store_is_mount(const char *path);

/** store_mount() - the mountpoint that @path is in, to be freed; or NULL */
char *store_mount(const char *path);

/** store_head() - a copy of the log's page `head`; false if it has none */
bool store_head(const char *path, struct maplog_head *head);

/**
 * store_logs() - names of the logs in a store, sorted
 * @names: out: to be given to store_free()
 *
 * Return: 0, or an -errno of opendir(3) or readdir(3).
 */
int store_logs(const char *store, char ***names, size_t *count);

/** store_free() - free what store_logs() has returned */
void store_free(char **names, size_t count);

/**
 * store_open() - open the log at @path; says what went wrong if it cannot
 *
 * Through a mount it can be read, where the store is to be found, too.
 *
 * Also says what recovery had to do. Return: the log, or NULL.
 */
struct maplog *store_open(const char *path, enum maplog_mode mode);

#endif
