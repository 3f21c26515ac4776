/* SPDX-License-Identifier: MIT */
/* What state a log is in, as one word. */
#ifndef MAPLOG_CLI_STATE_H
#define MAPLOG_CLI_STATE_H

#include "log.h"

/**
 * state_name() - closed, live, recovering or crashed
 * @status: of the log, as just taken
 */
const char *state_name(struct maplog *log, const struct maplog_status *status);

#endif
