/* SPDX-License-Identifier: MIT */
/*
 * Threads that append beside each other, and entries that say of themselves
 * who appended them.
 */
#ifndef UNIT_APPENDERS_H
#define UNIT_APPENDERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APPENDERS 8
#define EACH	  200
#define WORDS	  64

/* What an entry says of itself: who appended it, as which of its own. */
struct said {
	uint64_t who;
	uint64_t n;
	uint64_t word[WORDS];
};

/** said_size() - how much of it is appended */
size_t said_size(uint64_t who, uint64_t n);

void said_init(struct said *said, uint64_t who, uint64_t n);

/** said_is() - whether some bytes are such an entry, whole */
bool said_is(const void *data, size_t bytes);

struct appender {
	pthread_t thread;
	uint64_t who;
	uint64_t index[EACH]; /* out: where its entries are */
	int ret;
};

extern struct appender appenders[APPENDERS];

/** appenders_start() - let each append EACH entries, in batches of 1 to 3 */
void appenders_start(void);

/** appenders_join() - wait for them; none may have failed */
void appenders_join(void);

#endif
