/* SPDX-License-Identifier: MIT */
/* Awake: a thread that keeps the other processor from falling asleep. */
#ifndef MAPLOG_FS_AWAKE_H
#define MAPLOG_FS_AWAKE_H

#include <stdbool.h>
#include <stdint.h>

struct awake {
	bool helps; /* on this machine */
	/* All of these atomic. */
	uint32_t role;	 /* of the thread that stays awake */
	uint32_t client; /* whose request was the last one */
	uint32_t row;	 /* how many of it came in a row */
	uint64_t last;	 /* when the last request was done */
};

void awake_init(struct awake *awake);

/**
 * awake_stay() - by a thread that is done with a request, before it waits
 * @client: whose request it was, or 0
 * @now:    when it was done
 * @turns:  changes when any thread takes a request, or is done with one
 *
 * Returns at once if requests do not follow each other closely, there is more
 * than one client, or another thread stays awake. Else it stays, but lets
 * others run, until that changes.
 */
void awake_stay(struct awake *awake, uint32_t client, uint64_t now,
		const uint32_t *turns);

#endif
