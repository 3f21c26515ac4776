/* SPDX-License-Identifier: MIT */
/*
 * Watches: a thread a log that sleeps until there is something new in it, and
 * tells those who asked. It is started by the first one who asks.
 */
#ifndef MAPLOG_FS_WATCH_H
#define MAPLOG_FS_WATCH_H

#include <stdbool.h>

struct book;
struct watch;

/* Somebody who wants to be told. */
struct watcher {
	struct watcher *next;
	struct watcher **link; /* what points to this one; NULL: not added */
	/* Called by the watch's thread, with its lock held: must not wait for
	 * anything, nor add or remove watchers. */
	void (*tell)(struct watcher *watcher);
};

/** watch_new() - a watch on a book that nobody asked anything yet */
struct watch *watch_new(struct book *book);

/** watch_free() - end the thread; there are no watchers any more */
void watch_free(struct watch *watch);

/** watch_add() - be told from now on, once at once; no memory is no watch */
void watch_add(struct watch *watch, struct watcher *watcher);

/** watch_remove() - after this the watcher is not told any more */
void watch_remove(struct watch *watch, struct watcher *watcher);

#endif
