/* SPDX-License-Identifier: MIT */
/* libfuse's low-level API, in the version that all of fs/ is written for. */
#ifndef MAPLOG_FS_FUSE_H
#define MAPLOG_FS_FUSE_H

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 17)
#include <fuse_lowlevel.h>

#endif
