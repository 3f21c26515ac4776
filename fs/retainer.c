/* SPDX-License-Identifier: MIT */
/* The retainer: a thread that drops old segments, where logs have limits. */
#include "retainer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notify.h"
#include "report.h"
#include "retain.h"

#define SEC UINT64_C(1000000000)

/* How often it looks whether something has changed for a log, and how often it
 * looks at its segments and readers even if not. */
#define TICK  1
#define AGAIN (10 * SEC)

#define STACK_SIZE (256 << 10)

struct retainer {
	struct server *server;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	pthread_t thread;
	bool stopping;
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

/* Whether it is worth while to look: it rolled, it was set, or it is time. */
static bool is_due(struct book *book)
{
	struct retained *seen = &book->retained;
	struct maplog_segment active;
	struct maplog_options options;
	bool due;

	maplog_options(book->log, &options);
	if (!options.retain_bytes && !options.retain_age)
		return false;
	if (maplog_segment(book->log, UINT64_MAX, &active))
		return false;
	due = now() >= seen->due || active.base != seen->base ||
	      options.retain_bytes != seen->bytes ||
	      options.retain_age != seen->age ||
	      options.drop_unread != seen->drop_unread;
	*seen = (struct retained){
		.base = active.base,
		.bytes = options.retain_bytes,
		.age = options.retain_age,
		.drop_unread = options.drop_unread,
		.due = due ? now() + AGAIN : seen->due,
		.error = seen->error,
	};
	/* A limit of a few seconds is to be kept, too. */
	if (due && options.retain_age && options.retain_age < AGAIN)
		seen->due = now() + options.retain_age / 2;
	return due;
}

static void retain(struct server *server, struct book *book)
{
	struct maplog_counters before;
	uint64_t first;
	int ret;

	maplog_counters(book->log, &before);
	ret = maplog_retain(book->log, &first);
	if (ret && ret != book->retained.error)
		report(LOG_ERR, "%s: dropping old segments: %s", book->name,
		       strerror(-ret));
	book->retained.error = ret;
	if (ret || first <= before.first)
		return;
	report(LOG_INFO, "%s: dropped the entries before %" PRIu64, book->name,
	       first);
	notify_gone(server, book, 0, first);
}

/* All books, held, NULL-terminated; NULL without memory. */
static struct book **hold_all(struct store *store)
{
	struct book **books;
	size_t count = 0;

	pthread_mutex_lock(&store->lock);
	for (struct book *book = store->books; book; book = book->next)
		count++;
	books = calloc(count + 1, sizeof(*books));
	count = 0;
	for (struct book *book = store->books; books && book;
	     book = book->next) {
		book_hold(book);
		books[count++] = book;
	}
	pthread_mutex_unlock(&store->lock);
	return books;
}

static void look_at_all(struct server *server)
{
	struct book **books = hold_all(&server->store);

	for (struct book **at = books; at && *at; at++) {
		if ((*at)->log && book_is_ours(*at) && is_due(*at))
			retain(server, *at);
		book_put(*at);
	}
	free(books);
}

/* With the lock held. */
static void sleep_a_tick(struct retainer *retainer)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TICK;
	pthread_cond_timedwait(&retainer->asked, &retainer->lock, &until);
}

static void *run(void *arg)
{
	struct retainer *retainer = arg;

	pthread_mutex_lock(&retainer->lock);
	while (!retainer->stopping) {
		pthread_mutex_unlock(&retainer->lock);
		look_at_all(retainer->server);
		pthread_mutex_lock(&retainer->lock);
		if (!retainer->stopping)
			sleep_a_tick(retainer);
	}
	pthread_mutex_unlock(&retainer->lock);
	return NULL;
}

static int start_thread(struct retainer *retainer)
{
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	ret = pthread_create(&retainer->thread, &attr, run, retainer);
	pthread_attr_destroy(&attr);
	return -ret;
}

static void free_retainer(struct retainer *retainer)
{
	pthread_cond_destroy(&retainer->asked);
	pthread_mutex_destroy(&retainer->lock);
	free(retainer);
}

int retainer_start(struct server *server)
{
	struct retainer *retainer;
	pthread_condattr_t attr;
	int ret;

	if (server->config->read_only)
		return 0;
	retainer = calloc(1, sizeof(*retainer));
	if (!retainer)
		return -ENOMEM;
	retainer->server = server;
	pthread_mutex_init(&retainer->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&retainer->asked, &attr);
	pthread_condattr_destroy(&attr);
	ret = start_thread(retainer);
	if (ret)
		free_retainer(retainer);
	else
		server->retainer = retainer;
	return ret;
}

void retainer_stop(struct server *server)
{
	struct retainer *retainer = server->retainer;

	if (!retainer)
		return;
	pthread_mutex_lock(&retainer->lock);
	retainer->stopping = true;
	pthread_cond_signal(&retainer->asked);
	pthread_mutex_unlock(&retainer->lock);
	pthread_join(retainer->thread, NULL);
	free_retainer(retainer);
}
