/* SPDX-License-Identifier: MIT */
/* The table of FUSE operations. */
#ifndef MAPLOG_FS_OPS_H
#define MAPLOG_FS_OPS_H

#include "fuse.h"

extern const struct fuse_lowlevel_ops ops;

#endif
