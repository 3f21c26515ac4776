/* SPDX-License-Identifier: MIT */
/* Looking up names. */
#ifndef MAPLOG_FS_LOOKUP_H
#define MAPLOG_FS_LOOKUP_H

#include "server.h"

/**
 * lookup() - what a name in a directory stands for
 * @entry: out: as for fuse_reply_entry(); counts as a lookup
 *
 * Return: 0; -ENOENT; -ENAMETOOLONG; -EIO if it is damaged; -ENOMEM.
 */
int lookup(struct server *server, struct node *parent, const char *name,
	   struct fuse_entry_param *entry);

#endif
