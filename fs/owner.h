/* SPDX-License-Identifier: MIT */
/* Changing attributes: owner, group and mode of a log are its directory's. */
#ifndef MAPLOG_FS_OWNER_H
#define MAPLOG_FS_OWNER_H

#include "server.h"

/**
 * owner_set() - what setattr asks for
 * @to_set: FUSE_SET_ATTR_ bits
 *
 * The kernel has checked that the caller may. Return: 0; -EPERM for what no
 * one may change; -EROFS for the size of what is read-only; else an errno.
 */
int owner_set(struct server *server, struct node *node, const struct stat *st,
	      int to_set);

#endif
