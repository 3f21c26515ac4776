/* SPDX-License-Identifier: MIT */
/* Books: logs that are open, or could not be opened. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "predecessor.h"
#include "report.h"
#include "store.h"
#include "watch.h"

void book_hold(struct book *book)
{
	__atomic_fetch_add(&book->holders, 1, __ATOMIC_RELAXED);
}

static void free_book(struct book *book)
{
	int ret;

	watch_free(book->watch);
	ret = maplog_close(book->log);
	/* A log that was removed has nothing to be put in order. */
	if (ret && !book->removed)
		report(LOG_ERR, "%s: closing: %s", book->name, strerror(-ret));
	if (book->dirfd >= 0)
		close(book->dirfd);
	free(book);
}

void book_put(struct book *book)
{
	uint32_t before =
		__atomic_fetch_sub(&book->holders, 1, __ATOMIC_ACQ_REL);

	assert(before);
	if (before == 1)
		free_book(book);
}

static void report_recovery(const struct book *book)
{
	const struct maplog_recovery *recovery;
	struct maplog_status status;

	(void)maplog_status(book->log, &status);
	recovery = &status.recovery;
	if (recovery->head)
		report(LOG_WARNING, "%s: head was damaged and is rebuilt",
		       book->name);
	if (recovery->options)
		report(LOG_WARNING,
		       "%s: log.ini is damaged, all options are at their "
		       "defaults",
		       book->name);
	if (recovery->truncation)
		report(LOG_NOTICE, "%s: finished an interrupted truncation",
		       book->name);
	if (recovery->torn_bytes)
		report(LOG_WARNING,
		       "%s: cut a torn tail at entry %" PRIu64 ", %" PRIu64
		       " bytes are kept in a .torn file",
		       book->name, recovery->torn_index, recovery->torn_bytes);
	if (recovery->damaged)
		report(LOG_ERR, "%s: %" PRIu64 " damaged entries", book->name,
		       recovery->damaged);
}

static enum maplog_mode mode_of(const struct store *store)
{
	return store->read_only ? MAPLOG_READ : MAPLOG_WRITE;
}

int book_try(const struct store *store, struct book *book)
{
	return maplog_open(book->dirfd, ".", mode_of(store), &book->log);
}

/* Whoever has it may be about to end. */
static int try_long(struct store *store, struct book *book)
{
	int ret;

	do
		ret = book_try(store, book);
	while (ret == -EBUSY &&
	       predecessor_keeps(book->dirfd, store->mountpoint,
				 &store->patience));
	return ret;
}

void book_open(struct store *store, struct book *book)
{
	bool writing = !store->read_only;
	int ret = book->log ? 0 : try_long(store, book);

	if (!ret && writing) {
		report_recovery(book);
		return;
	}
	book->error = ret ? ret : -EROFS;
	if (!ret)
		return;
	if (ret != -EBUSY)
		report(LOG_ERR, "%s: %s", book->name, book_problem(book));
	if (writing && maplog_open(book->dirfd, ".", MAPLOG_READ, &book->log))
		book->log = NULL;
}

bool book_is_shut_for_now(const struct book *book)
{
	const int error = book_error(book);

	return !book->log && error != -EUCLEAN && error != -ENOTSUP;
}

int book_reading_error(int ret)
{
	switch (ret) {
	case -EUCLEAN:
	case -EBADMSG:
	case -ELOOP:
		return -EIO;
	default:
		return ret;
	}
}

int book_error(const struct book *book)
{
	return __atomic_load_n(&book->error, __ATOMIC_SEQ_CST);
}

const char *book_problem(const struct book *book)
{
	const int error = book_error(book);

	switch (error) {
	case -EUCLEAN:
		return "its files are damaged: 'maplog verify' says more";
	case -ENOTSUP:
		return "is of another version of the format";
	default:
		return strerror(-error);
	}
}

bool book_is_ours(const struct book *book)
{
	return !book_error(book);
}

bool book_syncs(const struct book *book)
{
	struct maplog_options options;

	if (!book->log)
		return false;
	maplog_options(book->log, &options);
	return options.sync == MAPLOG_SYNC_ALWAYS;
}

int book_writable(struct book *book)
{
	int ret;

	if (!book->log)
		return -EIO;
	ret = maplog_promote(book->log);
	if (!ret && __atomic_exchange_n(&book->error, 0, __ATOMIC_SEQ_CST)) {
		report(LOG_NOTICE, "%s: its writer is gone, now it is ours",
		       book->name);
		report_recovery(book);
	}
	return ret;
}
