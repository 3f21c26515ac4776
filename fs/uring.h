/* SPDX-License-Identifier: MIT */
/*
 * FUSE over io_uring: the kernel hands requests to threads of libfuse, one a
 * processor, in place of our loop.
 *
 * Option io_uring, off by default: a request that came this way cannot be
 * interrupted, closes may be overtaken, and it is young code.
 */
#ifndef MAPLOG_FS_URING_H
#define MAPLOG_FS_URING_H

#include <stdbool.h>

#include "fuse.h"

/** uring_missing() - why requests cannot come this way; NULL: nothing is known
 * against it
 */
const char *uring_missing(void);

/** uring_brought() - whether a request did */
bool uring_brought(fuse_req_t req);

#endif
