/* SPDX-License-Identifier: MIT */
/* Watches: a thread a log that sleeps until there is something new in it. */
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "report.h"
#include "store.h"

/* How long it sleeps at most: should the signal to end come too early, and
 * until it sees what ends no sleep. */
#define SLEEP_MSEC 500

#define STACK_SIZE (256 << 10)

struct watch {
	struct book *book;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct watcher *watchers;
	struct maplog_counters seen; /* what the watchers were told of */
	pthread_t thread;
	bool started;
	bool stopping;
};

struct watch *watch_new(struct book *book)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->book = book;
	pthread_mutex_init(&watch->lock, NULL);
	pthread_cond_init(&watch->changed, NULL);
	return watch;
}

static void tell_all(struct watch *watch)
{
	struct watcher *next;

	for (struct watcher *w = watch->watchers; w; w = next) {
		next = w->next;
		w->tell(w);
	}
}

static bool is_same(const struct maplog_counters *a,
		    const struct maplog_counters *b)
{
	return a->generation == b->generation && a->first == b->first &&
	       a->next == b->next && a->durable == b->durable;
}

/* With the lock, which is released while there is nothing to tell. What comes
 * when a sleep has just timed out is news as well, and so is what ends no
 * sleep: a trim, a sync. */
static void wait_and_tell(struct watch *watch)
{
	const struct maplog_counters seen = watch->seen;
	struct maplog *log = watch->book->log;

	pthread_mutex_unlock(&watch->lock);
	(void)maplog_wait(log, seen.next, seen.generation, SLEEP_MSEC);
	pthread_mutex_lock(&watch->lock);
	maplog_counters(log, &watch->seen);
	if (!is_same(&watch->seen, &seen))
		tell_all(watch);
}

static void *run(void *arg)
{
	struct watch *watch = arg;

	pthread_mutex_lock(&watch->lock);
	while (!watch->stopping) {
		if (watch->watchers)
			wait_and_tell(watch);
		else
			pthread_cond_wait(&watch->changed, &watch->lock);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

/* With the lock held. All signals but the one that ends a sleep are the main
 * thread's. */
static void start(struct watch *watch)
{
	pthread_attr_t attr;

	if (watch->started || !watch->book->log)
		return;
	/* Now, not when the thread comes to it: what is new by then is news. */
	maplog_counters(watch->book->log, &watch->seen);
	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	watch->started = !pthread_create(&watch->thread, &attr, run, watch);
	pthread_attr_destroy(&attr);
	if (!watch->started)
		report(LOG_ERR, "%s: no thread to watch it", watch->book->name);
}

void watch_add(struct watch *watch, struct watcher *watcher)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watcher->next = watch->watchers;
	watcher->link = &watch->watchers;
	if (watcher->next)
		watcher->next->link = &watcher->next;
	watch->watchers = watcher;
	start(watch);
	pthread_cond_signal(&watch->changed);
	/* What came before it was added is news to it, too. */
	watcher->tell(watcher);
	pthread_mutex_unlock(&watch->lock);
}

void watch_remove(struct watch *watch, struct watcher *watcher)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	/* Its neighbours change that, too. */
	if (watcher->link) {
		*watcher->link = watcher->next;
		if (watcher->next)
			watcher->next->link = watcher->link;
		watcher->link = NULL;
	}
	pthread_mutex_unlock(&watch->lock);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->stopping = true;
	pthread_cond_signal(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
	if (watch->started) {
		pthread_kill(watch->thread, SIGUSR1);
		pthread_join(watch->thread, NULL);
	}
	pthread_cond_destroy(&watch->changed);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}
