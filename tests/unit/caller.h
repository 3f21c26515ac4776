/* SPDX-License-Identifier: MIT */
/* Callers: calls in threads of their own, to be held and let go. */
#ifndef UNIT_CALLER_H
#define UNIT_CALLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A call in a thread of its own. */
struct caller {
	pthread_t thread;
	const char *text;
	size_t bytes; /* of an entry, if there is no text */
	bool conditional;
	uint64_t at; /* the index; out: what it says */
	int ret;
};

/* What it may call. */
void *call_append(void *arg);
void *call_overwrite(void *arg);
void *call_seal(void *arg);
void *call_sync(void *arg);
void *call_truncate(void *arg);

void caller_start(struct caller *caller, void *(*call)(void *arg));

/** caller_end() - what its call has returned, when it has */
int caller_end(struct caller *caller);

/** caller_await() - until so many batches are in the queue, and so many calls
 * wait for it
 */
void caller_await(size_t batches, unsigned entering);

/** caller_hold() - start one that appends; its batch is on its way to the
 * device, and stays there
 */
void caller_hold(struct caller *first);

/** caller_let_go() - the device fails from now on, or not */
void caller_let_go(int error);

#endif
