/* SPDX-License-Identifier: MIT */
/* Why something could not be done with a log, and what can be done then. */
#ifndef MAPLOG_CLI_EXPLAIN_H
#define MAPLOG_CLI_EXPLAIN_H

#include <stdint.h>

#include "log.h"

/* All of these print one line on stderr and return STATUS_FAILED. */

/** explain_open() - why maplog_open() failed */
int explain_open(const char *path, enum maplog_mode mode, int ret);

/** explain_store() - why store_logs() failed */
int explain_store(const char *store, int ret);

/** explain_change() - why @log, which is still open, could not be changed */
int explain_change(const char *path, struct maplog *log, int ret);

/** explain_close() - why maplog_close() failed */
int explain_close(const char *path, int ret);

/**
 * explain_index() - that an index is not in a log
 * @ret: -ENOENT if it was trimmed, else it is past the end
 */
int explain_index(const char *path, const struct maplog_counters *counters,
		  uint64_t index, int ret);

#endif
