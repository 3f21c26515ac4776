/* SPDX-License-Identifier: MIT */
/* Mounting: the mount point, what a crash left on it, and the session. */
#ifndef MAPLOG_FS_MOUNT_H
#define MAPLOG_FS_MOUNT_H

#include "server.h"

/**
 * mount_start() - mount, and greet the kernel
 *
 * A mount that a daemon left behind when it died is detached first. The first
 * request, with which both sides agree on what they can, is answered.
 *
 * Return: 0; else what is wrong was reported.
 */
int mount_start(struct server *server);

/** mount_read_ahead() - fewer and larger reads of ranges, where that is
 * allowed; once requests are answered
 */
void mount_read_ahead(const struct server *server);

/** mount_end() - unmount if it still is mounted, and end the session */
void mount_end(struct server *server);

#endif
