/* SPDX-License-Identifier: MIT */
/* The retainer: a thread that drops old segments, where logs have limits. */
#ifndef MAPLOG_FS_RETAINER_H
#define MAPLOG_FS_RETAINER_H

#include "server.h"

/** retainer_start() - after notify_start(), which it needs */
int retainer_start(struct server *server);

/** retainer_stop() - end the thread, once it has done with a log */
void retainer_stop(struct server *server);

#endif
