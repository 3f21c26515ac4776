/* SPDX-License-Identifier: MIT */
/* Threads that append beside each other, and what they append. */
#include "appenders.h"

#include <string.h>

#include "fixture.h"

struct appender appenders[APPENDERS];

size_t said_size(uint64_t who, uint64_t n)
{
	return 16 + (who * 7 + n * 13) % WORDS * 8;
}

void said_init(struct said *said, uint64_t who, uint64_t n)
{
	said->who = who;
	said->n = n;
	pattern(said->word, sizeof(said->word), who * EACH + n);
}

bool said_is(const void *data, size_t bytes)
{
	struct said found;
	struct said said;

	if (bytes < 16 || bytes > sizeof(found))
		return false;
	memcpy(&found, data, bytes);
	said_init(&said, found.who, found.n);
	return bytes == said_size(found.who, found.n) &&
	       !memcmp(&found, &said, bytes);
}

/* Batches of one, two or three entries. */
static void *append_all(void *arg)
{
	struct appender *appender = arg;
	uint64_t n = 0;

	while (n < EACH && !appender->ret) {
		uint64_t batch = 1 + n % 3;
		struct maplog_entry entries[3];
		struct said said[3];
		uint64_t first;

		batch = batch < EACH - n ? batch : EACH - n;
		for (uint64_t i = 0; i < batch; i++) {
			said_init(&said[i], appender->who, n + i);
			entries[i] = (struct maplog_entry){
				&said[i],
				said_size(appender->who, n + i),
				appender->who,
			};
		}
		appender->ret = maplog_append(tlog, entries, batch, &first);
		for (uint64_t i = 0; i < batch; i++)
			appender->index[n + i] = first + i;
		n += batch;
	}
	return NULL;
}

void appenders_start(void)
{
	for (uint64_t i = 0; i < APPENDERS; i++) {
		appenders[i] = (struct appender){ .who = i };
		ck_assert_int_eq(pthread_create(&appenders[i].thread, NULL,
						append_all, &appenders[i]),
				 0);
	}
}

void appenders_join(void)
{
	for (int i = 0; i < APPENDERS; i++) {
		pthread_join(appenders[i].thread, NULL);
		ck_assert_int_eq(appenders[i].ret, 0);
	}
}
