/* SPDX-License-Identifier: MIT */
/*
 * Looking at a log: counters, segments, what a recovery did. A part of log.h,
 * which includes it.
 */
#ifndef MAPLOG_STATUS_H
#define MAPLOG_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct maplog;

/* ---- Looking at a log --------------------------------------------------- */

/* The live counters, read at one moment. */
struct maplog_counters {
	uint64_t generation;
	uint64_t first;
	uint64_t next;
	uint64_t durable;
};

/** maplog_counters() - cheap: a few loads */
void maplog_counters(struct maplog *log, struct maplog_counters *counters);

/* What the last opening for writing found and did. */
struct maplog_recovery {
	uint64_t scanned;    /* entries past the durable mark */
	uint64_t damaged;    /* of them, bad ones with good ones behind */
	uint64_t torn_index; /* the first entry that was cut off */
	uint64_t torn_bytes; /* size of the .torn file, 0 if none */
	bool truncation;     /* a pending truncation was finished */
	bool head;	     /* a damaged head was rebuilt */
	/* log.ini is damaged: all are at their defaults. Readers know, too. */
	bool options;
};

struct maplog_status {
	struct maplog_counters counters;
	uint64_t segments;
	uint64_t bytes;	  /* payload of all entries */
	uint64_t mapped;  /* bytes mapped for reading now */
	uint64_t created; /* time */
	uint8_t uuid[16];
	int error;    /* 0, or the -errno that made the log read-only */
	bool writer;  /* this handle is the writer */
	bool live;    /* some process is */
	pid_t holder; /* its pid, 0 if there is none */
	struct maplog_recovery recovery;
};

/** maplog_status() - everything that is known; may open files
 *
 * Return: 0, or an -errno of looking at the segments.
 */
int maplog_status(struct maplog *log, struct maplog_status *status);

enum maplog_file {
	MAPLOG_DATA,  /* the .log file */
	MAPLOG_INDEX, /* the .idx file */
};

struct maplog_segment {
	uint64_t id; /* changes when a truncation ends or replaces it */
	uint64_t base;
	uint64_t entries;
	uint64_t bytes; /* payload */
	uint64_t time;	/* of its last entry, 0 if it has none */
	bool active;	/* still appended to */
	bool exact[2];	/* by enum maplog_file: the file ends where it should */
};

/**
 * maplog_segment() - the segment that holds an entry
 * @index: below the first segment it means the first, past the end the last
 *
 * To visit all of them, begin with 0 and go on with base + entries until one
 * is active.
 *
 * Return: 0; -ENODATA if there is none at all; -EUCLEAN if its files cannot be
 * used, or an -errno of open(2): id, base, entries and active are set then too.
 */
int maplog_segment(struct maplog *log, uint64_t index,
		   struct maplog_segment *segment);

/**
 * maplog_segment_open() - open a file of a segment, read-only
 * @fd: out: to be closed by the caller
 *
 * Return: 0; -ESTALE if the segment is no longer part of the log; else an
 * -errno of open(2).
 */
int maplog_segment_open(struct maplog *log,
			const struct maplog_segment *segment,
			enum maplog_file file, int *fd);

/**
 * maplog_head_open() - open the page of live counters, read-only
 * @fd: out: to be closed by the caller
 *
 * Return: 0, or an -errno of open(2).
 */
int maplog_head_open(struct maplog *log, int *fd);

/**
 * maplog_dirfd() - the log's directory
 *
 * Return: a descriptor that belongs to the log: it is not to be closed.
 */
int maplog_dirfd(struct maplog *log);

/**
 * maplog_crc32c() - CRC-32C of bytes, as the records of a log have it
 * @crc: of what comes before these bytes, 0 to begin
 *
 * Return: the CRC of all of them.
 */
uint32_t maplog_crc32c(uint32_t crc, const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
