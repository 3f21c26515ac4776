/* SPDX-License-Identifier: MIT */
/* How far a long command is: a bar on stderr, if that is a terminal. */
#ifndef MAPLOG_CLI_PROGRESS_H
#define MAPLOG_CLI_PROGRESS_H

#include <stdint.h>

/**
 * progress_begin() - from here on time is counted
 * @what:  one word for what is being done
 * @total: steps, bytes or whatever, 0 if that is not known
 *
 * Nothing is shown before half a second, nor if stderr is no terminal.
 */
void progress_begin(const char *what, uint64_t total);

/** progress_at() - so much is done; cheap enough for every batch */
void progress_at(uint64_t steps, uint64_t bytes, uint64_t entries);

/** progress_clear() - take the bar away, for a message or for good */
void progress_clear(void);

#endif
