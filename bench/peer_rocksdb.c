/* SPDX-License-Identifier: MIT */
/*
 * RocksDB with 8-byte big-endian keys, one WriteBatch an append, uncompressed.
 *
 * "wal" writes its log and does not sync it; "sync" does, each batch; "flush"
 * leaves it in its own buffer until it is told to write and sync it; "no-wal"
 * loses what is in memory when the process ends, so it is no log at all.
 */
#include <rocksdb/c.h>
#include <stdio.h>

#include "harness.h"
#include "peer.h"

enum {
	NO_WAL = 1 << 0,
	SYNC = 1 << 1,
	FLUSH = 1 << 2,
};

static rocksdb_t *db;
static rocksdb_options_t *options;
static rocksdb_writeoptions_t *writing;
static rocksdb_readoptions_t *reading;
static rocksdb_writebatch_t *batch;
static rocksdb_iterator_t *iterator;
static uint64_t next;
static char *copy;
static size_t size;

static void check(char *error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "rocksdb: %s\n", error);
	die(what, 0);
}

static void open_db(const struct peer *self, const struct setup *setup)
{
	char *error = NULL;

	options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_set_compression(options, rocksdb_no_compression);
	rocksdb_options_set_manual_wal_flush(options, !!(self->flags & FLUSH));
	writing = rocksdb_writeoptions_create();
	rocksdb_writeoptions_disable_WAL(writing, self->flags & NO_WAL);
	rocksdb_writeoptions_set_sync(writing, !!(self->flags & SYNC));
	reading = rocksdb_readoptions_create();
	batch = rocksdb_writebatch_create();
	db = rocksdb_open(options, setup->dir, &error);
	check(error, "rocksdb_open");
	size = setup->size;
	copy = must_alloc(READ_MAX * size);
}

static void append(const struct maplog_entry *entries, unsigned n)
{
	char *error = NULL;

	rocksdb_writebatch_clear(batch);
	for (unsigned i = 0; i < n; i++) {
		uint64_t key = __builtin_bswap64(next++);

		rocksdb_writebatch_put(batch, (char *)&key, sizeof(key),
				       entries[i].data, entries[i].bytes);
	}
	rocksdb_write(db, writing, batch, &error);
	check(error, "rocksdb_write");
}

static void sync_db(void)
{
	char *error = NULL;

	rocksdb_flush_wal(db, 1, &error);
	check(error, "rocksdb_flush_wal");
}

static void flush(void)
{
	iterator = rocksdb_create_iterator(db, reading);
}

/* What an iterator points to is valid until it moves, so it is copied. */
static void read_db(uint64_t index, unsigned n, struct maplog_entry *out)
{
	uint64_t key = __builtin_bswap64(index);
	const char *value;

	rocksdb_iter_seek(iterator, (char *)&key, sizeof(key));
	for (unsigned i = 0; i < n; i++) {
		if (!rocksdb_iter_valid(iterator))
			die("the iterator has ended", 0);
		value = rocksdb_iter_value(iterator, &out[i].bytes);
		if (out[i].bytes > size)
			die("a value is too long", 0);
		out[i].data = memcpy(copy + i * size, value, out[i].bytes);
		rocksdb_iter_next(iterator);
	}
}

static void close_db(void)
{
	rocksdb_iter_destroy(iterator);
	rocksdb_writebatch_destroy(batch);
	rocksdb_close(db);
	rocksdb_readoptions_destroy(reading);
	rocksdb_writeoptions_destroy(writing);
	rocksdb_options_destroy(options);
}

#define ROCKSDB(text, how)                                                     \
	{                                                                      \
		.name = text, .flags = how, .open = open_db, .append = append, \
		.sync = sync_db, .flush = flush, .read = read_db,              \
		.close = close_db                                              \
	}

const struct peer peers[] = {
	ROCKSDB("wal", 0),
	ROCKSDB("no-wal", NO_WAL),
	ROCKSDB("sync", SYNC),
	ROCKSDB("flush", FLUSH),
	{ 0 },
};
