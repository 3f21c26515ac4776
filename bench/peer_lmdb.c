/* SPDX-License-Identifier: MIT */
/*
 * LMDB, with keys that are appended in order and one transaction a batch.
 *
 * Rows named after the flags: no-sync, write-map (also no sync), map-async;
 * "sync" commits durably, "write-map-sync" through the map, "no-meta-sync"
 * may lose the last commit, but nothing before it.
 */
#include <lmdb.h>

#include "harness.h"
#include "peer.h"

static MDB_env *env;
static MDB_dbi dbi;
static MDB_txn *reader;
static MDB_cursor *cursor;
static uint64_t next;

static void check(int ret, const char *what)
{
	if (ret)
		die(what, ret > 0 ? ret : 0);
}

static void begin(unsigned flags, MDB_txn **txn)
{
	check(mdb_txn_begin(env, NULL, flags, txn), "mdb_txn_begin");
}

static void open_env(const struct peer *self, const struct setup *setup)
{
	/* Room is address space only: the file grows as it is filled. */
	size_t room = (size_t)1 << 30;
	MDB_txn *txn;

	room += 3 * setup->n * (setup->size + 64);
	check(mdb_env_create(&env), "mdb_env_create");
	check(mdb_env_set_mapsize(env, room), "mdb_env_set_mapsize");
	check(mdb_env_open(env, setup->dir, self->flags, 0644), "mdb_env_open");
	begin(0, &txn);
	check(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &dbi),
	      "mdb_dbi_open");
	check(mdb_txn_commit(txn), "mdb_txn_commit");
}

static void append(const struct maplog_entry *entries, unsigned n)
{
	MDB_val key = { sizeof(next), &next };
	MDB_cursor *writer;
	MDB_txn *txn;

	begin(0, &txn);
	check(mdb_cursor_open(txn, dbi, &writer), "mdb_cursor_open");
	for (unsigned i = 0; i < n; i++, next++) {
		MDB_val data = { entries[i].bytes, (void *)entries[i].data };

		check(mdb_cursor_put(writer, &key, &data, MDB_APPEND),
		      "mdb_cursor_put");
	}
	mdb_cursor_close(writer);
	check(mdb_txn_commit(txn), "mdb_txn_commit");
}

static void sync_env(void)
{
	check(mdb_env_sync(env, 1), "mdb_env_sync");
}

static void flush(void)
{
	begin(MDB_RDONLY, &reader);
	check(mdb_cursor_open(reader, dbi, &cursor), "mdb_cursor_open");
}

/* A transaction for each look-up, as for any reader that wants to see what
 * is new; renewing it is the fastest way to have one. */
static void read_env(uint64_t index, unsigned n, struct maplog_entry *out)
{
	MDB_val key = { sizeof(index), &index }, data;

	mdb_txn_reset(reader);
	check(mdb_txn_renew(reader), "mdb_txn_renew");
	check(mdb_cursor_renew(reader, cursor), "mdb_cursor_renew");
	for (unsigned i = 0; i < n; i++) {
		check(mdb_cursor_get(cursor, &key, &data,
				     i ? MDB_NEXT : MDB_SET_KEY),
		      "mdb_cursor_get");
		out[i].data = data.mv_data;
		out[i].bytes = data.mv_size;
	}
}

static void close_env(void)
{
	mdb_cursor_close(cursor);
	mdb_txn_abort(reader);
	mdb_env_close(env);
}

#define LMDB(text, how)                                                        \
	{                                                                      \
		.name = text, .flags = how, .open = open_env,                  \
		.append = append, .sync = sync_env, .flush = flush,            \
		.read = read_env, .close = close_env                           \
	}

const struct peer peers[] = {
	LMDB("no-sync", MDB_NOSYNC),
	LMDB("write-map", MDB_WRITEMAP | MDB_NOSYNC),
	LMDB("map-async", MDB_WRITEMAP | MDB_MAPASYNC),
	LMDB("sync", 0),
	LMDB("write-map-sync", MDB_WRITEMAP),
	LMDB("no-meta-sync", MDB_NOMETASYNC),
	{ 0 },
};
