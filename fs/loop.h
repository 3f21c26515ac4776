/* SPDX-License-Identifier: MIT */
/*
 * The loop: threads that take requests from the kernel and work on them.
 *
 * One thread leads: it takes a request and works on it before another one may
 * take the next. To wake another one for each request would take longer than
 * most of them do. The lead is given away before a request that may take long,
 * if more of them wait, and lost if a request takes more than a millisecond.
 *
 * A request that closes a file is worked on before the next is taken: what the
 * close appended is there for whoever looks after it.
 */
#ifndef MAPLOG_FS_LOOP_H
#define MAPLOG_FS_LOOP_H

#include "server.h"

struct loop;

/** loop_start() - start the threads; a signal ends none of them */
int loop_start(struct server *server, struct loop **loop);

/**
 * loop_wait() - wait until the mount is gone, or a signal asks to end
 *
 * Signals that do are those that main() has blocked.
 */
void loop_wait(struct loop *loop);

/**
 * loop_give_way() - let another thread take requests while this one works
 *
 * For handlers, before they do what may take long. Nothing in other threads.
 */
void loop_give_way(void);

/** loop_stop() - end the threads; no request is worked on afterwards */
void loop_stop(struct loop *loop);

#endif
