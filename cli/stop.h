/* SPDX-License-Identifier: MIT */
/* SIGINT, SIGTERM and SIGHUP as a request: to stop at the next good place. */
#ifndef MAPLOG_CLI_STOP_H
#define MAPLOG_CLI_STOP_H

#include <stdbool.h>

/** stop_catch() - from here on these signals wait until they are asked for */
void stop_catch(void);

/** stop_at_once() - from here on these signals end the process in order */
void stop_at_once(void);

/** stop_interrupt() - from here on they end what waits, with EINTR */
void stop_interrupt(void);

/** stop_asked() - has one come? */
bool stop_asked(void);

/**
 * stop_poll() - wait until a file can be read, or a signal comes
 * @wait: or else only look
 *
 * Return: 1 if it can be read; 0 if not yet; -EINTR if a signal came; else
 * an -errno of ppoll(2).
 */
int stop_poll(int fd, bool wait);

#endif
