/* SPDX-License-Identifier: MIT */
/*
 * A peer: something that keeps entries, as append.c drives it.
 *
 * Each peer_*.c is linked with append.c into a program of its own and lists
 * the ways in which it can be set up, each of them a row of the tables. All of
 * them die when something fails. Entries are handed over as liblog takes them;
 * those who need another form make it, which costs them a store an entry.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <log.h>

#ifdef __cplusplus
extern "C" {
#endif

struct setup {
	const char *dir;     /* an empty directory for the peer's files */
	uint64_t n;	     /* entries that will be appended */
	size_t size;	     /* bytes of each */
	unsigned batch;	     /* entries of one append, at most */
	const char *segment; /* size of a segment, where there are any */
};

struct peer {
	const char *name;
	unsigned flags; /* of the peer's own */

	void (*open)(const struct peer *self, const struct setup *setup);

	/* Appends a batch. Durable when it returns, if it is of a peer that
	 * syncs by itself; readable at the latest after `flush`. */
	void (*append)(const struct maplog_entry *entries, unsigned n);

	/* Makes durable what was appended; NULL if that cannot be asked. */
	void (*sync)(void);

	/* Lets all that was appended be read; may be NULL. */
	void (*flush)(void);

	/* Looks @n entries up, at most READ_MAX. What @out points to is valid
	 * until the next call. */
	void (*read)(uint64_t index, unsigned n, struct maplog_entry *out);

	/* The bytes of @n entries in a row, without saying where each ends;
	 * NULL if the peer has no such thing. */
	const void *(*span)(uint64_t index, unsigned n, size_t *bytes);

	/* Goes through all entries in order; returns the sum of their first
	 * bytes and sizes. NULL if the peer has no cursor. */
	uint64_t (*walk)(void);

	void (*close)(void);
};

#define READ_MAX 1000

/* The ways of this program, a name of NULL at the end. */
extern const struct peer peers[];

#ifdef __cplusplus
}
#endif

#endif
