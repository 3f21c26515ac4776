/* SPDX-License-Identifier: MIT */
/*
 * The store, and its books: the logs that are open.
 *
 * A log is opened when the daemon starts or when it is first looked up, for
 * writing if no other process has it, else for reading. It stays open until it
 * is removed or the daemon ends.
 */
#ifndef MAPLOG_FS_STORE_H
#define MAPLOG_FS_STORE_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

struct watch;

/* What the retainer saw when it last looked at a log; only it uses this. */
struct retained {
	uint64_t base; /* of the active segment */
	uint64_t bytes;
	uint64_t age;
	bool drop_unread;
	uint64_t due; /* when it looks again, on the monotonic clock */
	int error;
};

struct book {
	struct book *next; /* in the store's list */
	char name[NAME_MAX + 1];
	struct maplog *log; /* NULL if it cannot be opened */
	int dirfd;	    /* its directory, also if it cannot be opened */
	ino_t number;	    /* of that directory */
	dev_t device;
	int error; /* atomic: why it is not open, or not for writing */
	uint32_t holders;
	bool removed;
	struct watch *watch;
	struct retained retained;
	/* Atomic: how far a `verify` has got; both 0 when none runs. */
	uint64_t verified;
	uint64_t to_verify;
};

struct store {
	int dirfd;
	bool read_only;
	struct maplog_options defaults;
	const char *mountpoint;
	unsigned patience;    /* with a daemon that ends, see predecessor.h */
	pthread_mutex_t lock; /* for the list of books, and their names */
	struct book *books;
};

int store_open(struct store *store, const char *path, bool read_only,
	       const struct maplog_options *defaults);

/**
 * store_open_all() - open every log there is, and report what is wrong
 * @mountpoint: where the store is mounted; stays valid
 *
 * Waits for a daemon that was unmounted and still closes them.
 */
void store_open_all(struct store *store, const char *mountpoint);

/** store_close() - close all logs; nobody works on one any more */
void store_close(struct store *store);

/**
 * store_get() - the book of a log, held: book_put() is due
 *
 * Return: 0; -ENOENT if there is no log of this name; -ENOMEM.
 */
int store_get(struct store *store, const char *name, struct book **book);

/** store_create() - make a log that belongs to somebody */
int store_create(struct store *store, const char *name, mode_t mode, uid_t uid,
		 gid_t gid);

/** store_remove() - remove an empty log */
int store_remove(struct store *store, const char *name);

/** store_rename() - give a log another name that is free */
int store_rename(struct store *store, const char *from, const char *to);

/* A log, as the store's directory lists it. */
struct store_entry {
	const char *name;
	ino_t number;  /* of its directory */
	uint64_t next; /* the position behind it */
};

/**
 * store_each() - call a function with every log
 * @from: the position to begin at; 0: the first. Logs that come and go make no
 *        other one be visited twice or not at all
 * @visit: returns 0 to go on
 */
int store_each(struct store *store, uint64_t from,
	       int (*visit)(void *arg, const struct store_entry *entry),
	       void *arg);

void book_hold(struct book *book);
void book_put(struct book *book);

/** book_try() - open a book's log, for writing unless the store is read only;
 * returns an errno of maplog_open()
 */
int book_try(const struct store *store, struct book *book);

/** book_open() - likewise, if it is not open by now, or else for reading; why
 * that is, is kept and reported
 */
void book_open(struct store *store, struct book *book);

/** book_is_shut_for_now() - whether it could not be opened for a reason that
 * may have passed: there were too many files, for example
 */
bool book_is_shut_for_now(const struct book *book);

/** book_is_ours() - whether nobody but this process can change the log */
bool book_is_ours(const struct book *book);

/** book_reading_error() - what is told of an error of reading a log: that its
 * files are damaged, or are no files, is EIO to whoever only wants to read
 */
int book_reading_error(int ret);

/** book_error() - why it is not open, or not for writing; 0 if it is */
int book_error(const struct book *book);

/** book_problem() - what book_error() means, and what to do, in a few words */
const char *book_problem(const struct book *book);

/** book_syncs() - whether an append waits until it is durable */
bool book_syncs(const struct book *book);

/**
 * book_writable() - make sure that a log can be written to
 *
 * Return: 0; -EROFS; -EBUSY if another process writes to it; -EIO.
 */
int book_writable(struct book *book);

#endif
