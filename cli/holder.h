/* SPDX-License-Identifier: MIT */
/* The process that has a log open for writing, and whether it is about to end.
 */
#ifndef MAPLOG_CLI_HOLDER_H
#define MAPLOG_CLI_HOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct holder {
	pid_t pid;     /* 0 if it is not known */
	char name[64]; /* of its program; empty if it is not known */
	bool gone;     /* nobody writes to it any more */
	bool ends;     /* it closes the log, or is a daemon without a mount */
	bool serves;   /* it is a daemon, and the store is mounted */
};

/** holder_find() - who writes to the log at @path */
void holder_find(const char *path, struct holder *holder);

/**
 * holder_wait() - wait a moment for a log that somebody else writes
 * @since: 0 the first time; when that was, on the monotonic clock
 *
 * Return: whether to try again. For half a minute if the writer ends, else for
 * a second; not if it serves a mount of the store.
 */
bool holder_wait(const char *path, uint64_t *since);

#endif
