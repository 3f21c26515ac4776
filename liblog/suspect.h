/* SPDX-License-Identifier: MIT */
/*
 * A suspect: a segment that may not have been sealed, mapped for scanning.
 *
 * One with a trailer is scanned by the copy of the index behind its payload,
 * one that has lost its trailer by its .idx file.
 */
#ifndef MAPLOG_SUSPECT_H
#define MAPLOG_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "scan.h"

struct suspect {
	struct maplog_trailer trailer;
	bool has_trailer;
	struct scan_source source;
	uint64_t room; /* records there are at most */
	uint8_t *map[2];
	uint64_t size[2];
	int fd[2]; /* by enum maplog_file; the .idx only without trailer */
};

/**
 * suspect_trailer() - read the trailer of a segment
 * @has: out: whether it has one of its own
 *
 * Return: 0; else an -errno of open(2) or pread(2), where there is a file.
 */
int suspect_trailer(int dirfd, const struct maplog_head *page, uint64_t base,
		    struct maplog_trailer *trailer, bool *has);

/**
 * suspect_is() - whether a segment was not sealed: its files are uncut
 *
 * Return: as suspect_trailer().
 */
int suspect_is(int dirfd, const struct maplog_head *page, uint64_t base,
	       bool *is);

/**
 * suspect_open() - map a segment, be it one or not
 *
 * Return: 0; -EUCLEAN if there is nothing that could be scanned; -ENOMEM; else
 * an -errno of open(2) or mmap(2).
 */
int suspect_open(int dirfd, const struct maplog_head *page, uint64_t base,
		 struct suspect *suspect);

void suspect_close(struct suspect *suspect);

/**
 * suspect_scan() - scan the records from <= i < bound, as far as there are any
 *
 * Return: as scan_records().
 */
int suspect_scan(const struct suspect *suspect, uint64_t from, uint64_t bound,
		 struct scan *scan);

/**
 * suspect_last() - the last of the first @entries records
 * @last: out: a copy, all zeros if @entries is 0
 *
 * Return: 0; -EUCLEAN if it is not true; -EIO.
 */
int suspect_last(const struct suspect *suspect, uint64_t entries,
		 struct maplog_record *last);

/**
 * suspect_ends() - whether the batch that the first @entries records end with
 * is there as a whole
 *
 * The last record alone proves nothing: its entry may have no payload.
 *
 * Return: 0; -EIO if the bytes cannot be read.
 */
int suspect_ends(const struct suspect *suspect, uint64_t entries, bool *does);

#endif
