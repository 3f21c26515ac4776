/* SPDX-License-Identifier: MIT */
/*
 * Listing directories.
 *
 * A position is where to go on, not how many came before: entries that come
 * and go meanwhile make no other one appear twice or not at all.
 */
#ifndef MAPLOG_FS_LIST_H
#define MAPLOG_FS_LIST_H

#include "server.h"

/** list_read() - answer a readdir request */
void list_read(struct server *server, fuse_req_t req, struct node *directory,
	       size_t size, off_t position);

#endif
