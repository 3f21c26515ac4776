/* SPDX-License-Identifier: MIT */
/*
 * SQLite with a write-ahead log, prepared statements, one transaction a batch.
 *
 * Rows are named after PRAGMA synchronous: with "full" a commit is durable,
 * with "normal" it is after the next checkpoint, with "off" some time later.
 */
#include <sqlite3.h>
#include <stdio.h>

#include "harness.h"
#include "peer.h"

static sqlite3 *db;
static sqlite3_stmt *begin, *insert, *commit, *from;
static sqlite3_int64 next;
static char *copy;
static size_t size;

static const char *const levels[] = { "OFF", "NORMAL", "FULL" };

static void check(int ret, int wanted, const char *what)
{
	if (ret == wanted)
		return;
	fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
	die(what, 0);
}

static void run(const char *sql)
{
	check(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, sql);
}

static void prepare(const char *sql, sqlite3_stmt **statement)
{
	check(sqlite3_prepare_v2(db, sql, -1, statement, NULL), SQLITE_OK, sql);
}

static void step(sqlite3_stmt *statement)
{
	check(sqlite3_step(statement), SQLITE_DONE, "sqlite3_step");
	check(sqlite3_reset(statement), SQLITE_OK, "sqlite3_reset");
}

static void open_db(const struct peer *self, const struct setup *setup)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s/db", setup->dir);
	check(sqlite3_open(text, &db), SQLITE_OK, "sqlite3_open");
	/* Nobody else comes in: saves it the locks of every transaction. */
	run("PRAGMA locking_mode=EXCLUSIVE");
	run("PRAGMA journal_mode=WAL");
	snprintf(text, sizeof(text), "PRAGMA synchronous=%s",
		 levels[self->flags]);
	run(text);
	run("CREATE TABLE log(i INTEGER PRIMARY KEY, data BLOB)");
	prepare("BEGIN", &begin);
	prepare("COMMIT", &commit);
	prepare("INSERT INTO log VALUES(?, ?)", &insert);
	prepare("SELECT data FROM log WHERE i >= ? LIMIT ?", &from);
	size = setup->size;
	copy = must_alloc(READ_MAX * size);
}

static void append(const struct maplog_entry *entries, unsigned n)
{
	step(begin);
	for (unsigned i = 0; i < n; i++) {
		sqlite3_bind_int64(insert, 1, next++);
		sqlite3_bind_blob(insert, 2, entries[i].data,
				  (int)entries[i].bytes, SQLITE_STATIC);
		step(insert);
	}
	step(commit);
}

/* A row is valid until the next step, so what is looked at is copied. */
static void read_db(uint64_t index, unsigned n, struct maplog_entry *out)
{
	sqlite3_bind_int64(from, 1, (sqlite3_int64)index);
	sqlite3_bind_int(from, 2, (int)n);
	for (unsigned i = 0; i < n; i++) {
		check(sqlite3_step(from), SQLITE_ROW, "sqlite3_step");
		out[i].bytes = (size_t)sqlite3_column_bytes(from, 0);
		out[i].data = copy + i * size;
		if (out[i].bytes > size)
			die("a row is too long", 0);
		memcpy(copy + i * size, sqlite3_column_blob(from, 0),
		       out[i].bytes);
	}
	check(sqlite3_reset(from), SQLITE_OK, "sqlite3_reset");
}

static void close_db(void)
{
	sqlite3_finalize(begin);
	sqlite3_finalize(insert);
	sqlite3_finalize(commit);
	sqlite3_finalize(from);
	check(sqlite3_close(db), SQLITE_OK, "sqlite3_close");
}

#define SQLITE(text, level)                                                    \
	{                                                                      \
		.name = text, .flags = level, .open = open_db,                 \
		.append = append, .read = read_db, .close = close_db           \
	}

const struct peer peers[] = {
	SQLITE("off", 0),
	SQLITE("normal", 1),
	SQLITE("full", 2),
	{ 0 },
};
