/* SPDX-License-Identifier: MIT */
/* The text of the status files. */
#ifndef MAPLOG_FS_STATUS_H
#define MAPLOG_FS_STATUS_H

#include "server.h"

/**
 * status_of_book() - `key: value` lines on one log
 * @text: out: to be freed by the caller
 */
int status_of_book(struct server *server, struct book *book, char **text,
		   size_t *size);

/** status_of_server() - likewise, on the mount */
int status_of_server(struct server *server, char **text, size_t *size);

#endif
