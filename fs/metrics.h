/* SPDX-License-Identifier: MIT */
/* The text of .maplog/metrics, as OpenMetrics has it. */
#ifndef MAPLOG_FS_METRICS_H
#define MAPLOG_FS_METRICS_H

#include "server.h"

/**
 * metrics_of_server() - everything that is counted, of all logs
 * @text: out: to be freed by the caller
 */
int metrics_of_server(struct server *server, char **text, size_t *size);

#endif
