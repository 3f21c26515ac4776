/* SPDX-License-Identifier: MIT */
/*
 * The store format, version 1: what a reader of the files needs to know.
 *
 *   STORE/orders/                      one directory a log
 *     head                             struct maplog_head: one page
 *     log.ini                          options of the log, text
 *     00000000000000000000.log         a segment: payload of its entries
 *     00000000000000000000.idx         its index: one record an entry
 *     00000000000000000042.torn        what a recovery cut off at entry 42
 *     worker1.reader                   struct maplog_bookmark of a named reader
 *
 * All numbers are little-endian and all offsets are in bytes. A segment is
 * named by the index of its first entry, in 20 digits, and ends where the next
 * one begins. Only the last segment is active, all others are sealed.
 *
 * The payload of a sealed segment is its .log file, entry after entry with
 * nothing between them; record i of the .idx file belongs to entry base + i:
 *
 *   .log  | entry 0 | entry 1 |   entry 2   | ... |
 *                   ^         ^             ^
 *   .idx  | end ----'  | end -'    | end ---'   | ...     24 bytes each
 *
 * Either file may be longer than this: a truncation never shortens a file that
 * somebody may have mapped. What lies behind the entries of a segment is no
 * part of the log.
 *
 * While a segment is active, its .log file has room behind the payload for a
 * copy of the index, so that one fdatasync of one file makes a batch durable:
 *
 *   0              payload_size                   end of file - 4096
 *   | payload ->   | struct maplog_record ->      | struct maplog_trailer |
 *   |              | one an entry, then zeros     | twice, 2048 apart     |
 *
 * The .idx file of an active segment is derived from that copy. It holds the
 * same records, then zeros. Sealing makes the .idx durable, then cuts both
 * files to what they hold.
 *
 * How to follow a log through mapped files, without any system call: map
 * `head`; load `next` with acquire order; read records and payload of entries
 * below it; load `generation` again: if it changed, entries were truncated and
 * what was read may be of the past, so look the segments up anew.
 */
#ifndef MAPLOG_FORMAT_H
#define MAPLOG_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "maplog's files are mapped as they are and little-endian"
#endif

#define MAPLOG_FORMAT_VERSION 1
#define MAPLOG_HEAD_SIZE      4096
#define MAPLOG_HEAD_MAGIC     "MAPLOG\r\n"
#define MAPLOG_TRAILER_SIZE   4096
#define MAPLOG_TRAILER_MAGIC  "MAPLOGAC"

/* Second copy of the trailer, so that one bad sector does not lose it. */
#define MAPLOG_TRAILER_COPY 2048

/*
 * One entry, in an .idx file or in the copy behind an active payload.
 *
 *    0        4        8                16               24
 *    | end    | crc    | time           | tag            |
 *
 * The entry's payload is the bytes from the `end` of the record before (0 for
 * the first of a segment) up to its own `end`. A record of zeros is no entry:
 * `time` of an entry is never 0.
 *
 * `crc` is CRC-32C (Castagnoli: polynomial 0x1edc6f41 reflected, initial value
 * and final XOR 0xffffffff) over, in this order: the 16 bytes of the log's
 * uuid, the entry's index as u64, then `time`, `tag` and `end` as they stand
 * in the record, then the payload.
 *
 * `time` is in nanoseconds since 1970-01-01 UTC and never less than that of
 * the entry before. Its top bit is set when the batch goes on: the entries of
 * a batch are the run that ends with the first record without that bit, and
 * after a crash either all of them are there or none.
 */
struct maplog_record {
	uint32_t end;
	uint32_t crc;
	uint64_t time;
	uint64_t tag;
};

#define MAPLOG_TIME_MORE (UINT64_C(1) << 63)

static_assert(sizeof(struct maplog_record) == 24, "fixed on disk");
static_assert(offsetof(struct maplog_record, crc) == 4, "fixed on disk");
static_assert(offsetof(struct maplog_record, time) == 8, "fixed on disk");
static_assert(offsetof(struct maplog_record, tag) == 16, "fixed on disk");

/*
 * A checkpoint: what recovery trusts, once its checksum has proven it. Two of
 * them are written in turn and made durable before the next one is begun; the
 * valid one with the higher sequence counts.
 *
 *    0                8                16               24
 *    | sequence       | durable        | first          | generation     |
 *    32               40               48               56       60
 *    | truncate_to    | flags          | zero           | zero   | crc   |
 *
 * `crc` is CRC-32C over the log's uuid and the 60 bytes before it.
 */
struct maplog_checkpoint {
	uint64_t sequence;    /* 1, 2, ...: 0 marks an empty slot */
	uint64_t durable;     /* all entries below survive a power cut */
	uint64_t first;	      /* the lowest entry that was not trimmed */
	uint64_t generation;  /* truncations so far */
	uint64_t truncate_to; /* with MAPLOG_TRUNCATING: entries >= this go */
	uint64_t flags;
	uint64_t zero0;
	uint32_t zero1;
	uint32_t crc;
};

/* A truncation was decided but is perhaps not finished: recovery finishes. */
#define MAPLOG_TRUNCATING (UINT64_C(1) << 0)

/*
 * With the above: what the log goes on with was prepared, durably, as
 * <truncate_to>.log.new and .idx.new. As long as the former is there, segments
 * from truncate_to on are old ones; once they are gone it loses its suffix.
 */
#define MAPLOG_REPLACING (UINT64_C(1) << 1)

static_assert(sizeof(struct maplog_checkpoint) == 64, "fixed on disk");
static_assert(offsetof(struct maplog_checkpoint, crc) == 60, "fixed on disk");

/* Values of maplog_head.state. */
enum maplog_state {
	MAPLOG_CLOSED = 0,     /* no writer, and the last one left in order */
	MAPLOG_LIVE = 1,       /* a writer publishes; else one has crashed */
	MAPLOG_RECOVERING = 2, /* a writer is opening the log */
	MAPLOG_FAILED = 3,     /* what a writer wrote may not be on the disk */
};

/*
 * The page `head`, mapped by the writer and by any number of readers.
 *
 *     0        8       12       16                          32
 *     | magic  | vers. | size   | uuid                      |
 *    32        40      44                                   64
 *     | created| crc   | zero                               |
 *    64        72       80       88        96          104
 *     | gener. | first  | next   | durable | active_base | active_bytes |
 *   112      116      120       128        132     136
 *     | wake | pid    | session | mark_crc | state | zero ...
 *   512                         1024
 *     | checkpoint 0 | zero ... | checkpoint 1 | zero ...                |
 *
 * The first 64 bytes never change; their `crc` is CRC-32C over the 40 bytes
 * before it. The counters from 64 on are live: the writer stores each with
 * release order after the bytes it covers. After a crash they are hints.
 *
 * A reader that wants the committed end of the active segment loads
 * `active_base`, `active_bytes`, then `active_base` again, and tries again
 * when the two differ.
 *
 * `wake` changes with every publication: to sleep until then, load it, look
 * at `next`, and call futex(2) FUTEX_WAIT on it (a shared, read-only mapping
 * is enough) with the value loaded.
 */
struct maplog_head {
	char magic[8];
	uint32_t version;
	uint32_t size; /* of this page */
	uint8_t uuid[16];
	uint64_t created; /* nanoseconds since 1970 */
	uint32_t crc;
	uint8_t zero0[20];

	uint64_t generation;   /* truncations so far */
	uint64_t first;	       /* lowest entry of the log */
	uint64_t next;	       /* one past the highest */
	uint64_t durable;      /* all below survive a power cut */
	uint64_t active_base;  /* first entry of the active segment */
	uint64_t active_bytes; /* payload committed in it */
	uint32_t wake;	       /* changes with every publication */
	uint32_t pid;	       /* of the writer, 0 when there is none */
	uint64_t session;      /* how often a writer has opened the log */
	uint32_t mark_crc;     /* CRC-32C of uuid, generation, durable */
	uint32_t state;	       /* enum maplog_state */
	uint8_t zero1[376];

	struct maplog_checkpoint checkpoint0;
	uint8_t zero2[448];
	struct maplog_checkpoint checkpoint1;
	uint8_t zero3[3008];
};

static_assert(sizeof(struct maplog_head) == MAPLOG_HEAD_SIZE, "one page");
static_assert(offsetof(struct maplog_head, crc) == 40, "fixed on disk");
static_assert(offsetof(struct maplog_head, generation) == 64, "fixed on disk");
static_assert(offsetof(struct maplog_head, next) == 80, "fixed on disk");
static_assert(offsetof(struct maplog_head, wake) == 112, "fixed on disk");
static_assert(offsetof(struct maplog_head, state) == 132, "fixed on disk");
static_assert(offsetof(struct maplog_head, checkpoint0) == 512, "a sector");
static_assert(offsetof(struct maplog_head, checkpoint1) == 1024, "a sector");

/*
 * The last page of an active .log file says where its parts are. The same
 * bytes stand at its beginning and again at MAPLOG_TRAILER_COPY.
 *
 *    0                8        12       16                          32
 *    | magic          | vers.  | size   | uuid                      |
 *    32               40               48               56        64    68
 *    | base           | generation     | payload_size   | records | crc |
 *
 * `crc` is CRC-32C over the 64 bytes before it.
 */
struct maplog_trailer {
	char magic[8];
	uint32_t version;
	uint32_t size; /* of this page */
	uint8_t uuid[16];
	uint64_t base;	       /* index of the segment's first entry */
	uint64_t generation;   /* of the log when the segment was begun */
	uint64_t payload_size; /* room for payload: the records begin here */
	uint64_t records;      /* room for records */
	uint32_t crc;
	uint32_t zero;
};

static_assert(sizeof(struct maplog_trailer) == 72, "fixed on disk");
static_assert(offsetof(struct maplog_trailer, crc) == 64, "fixed on disk");

/*
 * How far a named reader has got: all of its file, written in one piece.
 *
 *    0        8       12       16                          32
 *    | magic  | vers. | size   | uuid                      |
 *    32               40               48               56          60    64
 *    | next           | generation     | time           | entry_crc | crc |
 *
 * `time` (without the top bit) and `entry_crc` are those of the record of the
 * entry before `next`, 0 if it is not known. `crc` is CRC-32C over the 60 bytes
 * before it. Whoever is this reader holds an flock(2) on the file.
 */
struct maplog_bookmark {
	char magic[8];
	uint32_t version;
	uint32_t size;	  /* of this file */
	uint8_t uuid[16]; /* of the log */
	uint64_t next;	  /* the entry to be read next */
	uint64_t generation;
	uint64_t time;
	uint32_t entry_crc;
	uint32_t crc;
};

#define MAPLOG_BOOKMARK_MAGIC "MAPLOGBM"

static_assert(sizeof(struct maplog_bookmark) == 64, "fixed on disk");
static_assert(offsetof(struct maplog_bookmark, crc) == 60, "fixed on disk");

/*
 * A frame of the mount's `batch` file: this header, then `length` bytes. One
 * write(2) of whole frames is one batch.
 *
 *    0        4        8                16
 *    | length | zero   | tag            | bytes ...
 */
struct maplog_frame {
	uint32_t length;
	uint32_t zero;
	uint64_t tag;
};

static_assert(sizeof(struct maplog_frame) == 16, "fixed");

/*
 * One entry in `ranges/A-B.idx` of the mount. `end` is a byte offset in
 * `ranges/A-B`; below 4 GiB its low half can be read as the `end` of a
 * struct maplog_record, and `time` and `tag` stand where they stand there.
 *
 *    0                8                16               24
 *    | end            | time           | tag            |
 */
struct maplog_boundary {
	uint64_t end;
	uint64_t time; /* as in struct maplog_record, without the top bit */
	uint64_t tag;
};

static_assert(sizeof(struct maplog_boundary) == 24, "fixed");

#endif
