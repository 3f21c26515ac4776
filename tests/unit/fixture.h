/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: a private store, one log in it, and short words
 * for what is done with it. Everything here fails the test when it fails.
 */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "calls.h"
#include "log.h"

#define MIB ((size_t)1 << 20)

/* For what is done very often: ck_assert() writes down where it was. */
#define must(what)                                                             \
	do {                                                                   \
		if (!(what))                                                   \
			ck_abort_msg("%s:%d: %s: %s", __FILE__, __LINE__,      \
				     #what, strerror(errno));                  \
	} while (0)

/* The name of the log that tests have in their store. */
#define LOG "log"

extern int store;	    /* the store: an empty directory for each test */
extern struct maplog *tlog; /* the log, if it is open */

/** unit_run() - run a suite whose tests have a store each
 *
 * Return: the exit status of the program.
 */
int unit_run(Suite *suite);

/** unit_run_in_memory() - likewise, for very many stores: without syncs, and
 * on a tmpfs if there is one
 */
int unit_run_in_memory(Suite *suite);

/** unit_case() - a test case with a store for each of its tests */
TCase *unit_case(Suite *suite, const char *name);

/** store_path() - where the store is; for what has no *at() call */
const char *store_path(void);

/** make_log() - create and open the log with options: key, value, ..., NULL */
void make_log(const char *key, ...);

/** create_log() - likewise, but leave it closed */
void create_log(const char *key, ...);

/** remove_log() - remove the log, if it is there, so that it can be made anew
 */
void remove_log(void);

void open_log(enum maplog_mode mode);
void close_log(void);
void reopen_log(void);

/** pattern() - bytes that differ from place to place, and are never zero */
void pattern(void *buffer, size_t bytes, uint64_t seed);

/* Appending: each returns the index of what it appended. */
uint64_t append(const char *text);
uint64_t append_to(struct maplog *log, const char *text);
uint64_t append_batch(const char *text, ...); /* ends with NULL */
uint64_t append_pattern(size_t bytes);	      /* seeded with its index */
void append_many(size_t n, size_t bytes);

/** try_append() - what maplog_append() says to one entry of a text */
int try_append(const char *text);

/** overwrite() - truncate and append a text as one step */
void overwrite(uint64_t index, const char *text);

/* Whether an entry is what it should be, and has the right checksum. */
void expect_text(uint64_t index, const char *text);
void expect_text_in(struct maplog *log, uint64_t index, const char *text);
void expect_pattern(uint64_t index, size_t bytes);
void expect_patterns(uint64_t first, uint64_t next, size_t bytes);

/** read_error() - what maplog_read() says to an index */
int read_error(uint64_t index);

struct maplog_counters counters(void);
void expect_range(uint64_t first, uint64_t next);

/** status() - maplog_status() that works */
struct maplog_status status(void);

/** segment() - maplog_segment() that works */
struct maplog_segment segment(uint64_t index);

/** run_child() - run a function in another process, with its store
 *
 * It ends without closing anything, as by kill -9.
 * Return: its exit status: 0, or DIED.
 */
int run_child(void (*work)(void));

#endif
