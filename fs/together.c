/* SPDX-License-Identifier: MIT */
/* Together: the same work on many things, by some threads at once. */
#include "together.h"

#include <pthread.h>

#define THREADS_MAX 64

struct job {
	void (*work)(void *arg, size_t i);
	void *arg;
	size_t count;
	size_t next; /* atomic */
};

static void *run(void *arg)
{
	struct job *job = arg;
	size_t i;

	while ((i = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED)) <
	       job->count)
		job->work(job->arg, i);
	return NULL;
}

void together(size_t count, unsigned threads, void (*work)(void *arg, size_t i),
	      void *arg)
{
	struct job job = { .work = work, .arg = arg, .count = count };
	pthread_t helpers[THREADS_MAX];
	unsigned started = 0;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	while (started + 1 < threads && started + 1 < count &&
	       !pthread_create(&helpers[started], NULL, run, &job))
		started++;
	run(&job);
	while (started)
		pthread_join(helpers[--started], NULL);
}
