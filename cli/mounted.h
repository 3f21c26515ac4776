/* SPDX-License-Identifier: MIT */
/* Logs that are reached through a mount of maplogfs. */
#ifndef MAPLOG_CLI_MOUNTED_H
#define MAPLOG_CLI_MOUNTED_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

/**
 * mounted_store() - the path in the store of what is in a mount
 *
 * Return: to be freed; NULL if the mount does not say it, or it is not there:
 * the mount may be another machine's or container's.
 */
char *mounted_store(const char *path);

/**
 * mounted_path() - where to look for what is at @path: behind a mount if it is
 * in one and that can be found; to be freed
 */
char *mounted_path(const char *path);

/** mounted_value() - a value in the status file of a log; false if none */
bool mounted_value(const char *path, const char *key, char *value, size_t size);

/** mounted_options() - the options of a log, as that file tells them */
void mounted_options(const char *path, struct maplog_options *options);

/**
 * mounted_command() - have the control file of a log do something
 * @reply: out: what it says, ends with a zero byte
 *
 * Return: 0, or the -errno of the command.
 */
int mounted_command(const char *path, const char *command, char *reply,
		    size_t size);

/** mounted_tell() - likewise: prints the reply, on stderr if it is an error;
 * returns an enum command_status
 */
int mounted_tell(const char *path, const char *command);

#endif
