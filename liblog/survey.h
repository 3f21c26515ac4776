/* SPDX-License-Identifier: MIT */
/*
 * Surveying a log that a crash may have left: which segments there are, and
 * where it ends. Changes nothing.
 *
 * All segments but the last one or few were sealed: they are what their .idx
 * says. The end is found by scanning what was written since the durable mark.
 */
#ifndef MAPLOG_SURVEY_H
#define MAPLOG_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"

struct survey {
	struct maplog_checkpoint checkpoint;
	uint64_t mark;	 /* durable up to here */
	uint64_t *bases; /* of all segments, ascending */
	size_t count;
	size_t sealed; /* so many of them are */
	/* The segment that the log ends in. What is behind it holds nothing
	 * that is good. Equal to count if there is no segment at all. */
	size_t tail;
	uint64_t entries; /* of it */
	uint64_t used;	  /* payload bytes of these entries */
	bool open;	  /* it can be appended to */
	uint64_t first;	  /* where it begins */
	uint64_t next;	  /* where it ends */
	uint64_t missing; /* from here on its files are lost; next if none is */
	uint64_t time;	  /* of the last entry, 0 if that is not known */
	uint64_t scanned; /* good entries past the mark */
	uint64_t damaged; /* bad ones with good ones behind */
	bool overstated;  /* so is one of those that were sealed late */
};

/**
 * survey() - look at a log
 * @page: its head, already checked
 *
 * Old segments behind a truncation that is pending are left out.
 *
 * Return: 0, then survey_free() is due; -EIO if the tail cannot be read;
 * -ENOMEM; else an -errno of the system.
 */
int survey(int dirfd, const struct maplog_head *page, struct survey *survey);

void survey_free(struct survey *survey);

/**
 * survey_add_missing() - add the base of a segment that would hold what is
 * missing, if anything is: then it is not looked for in the one before
 *
 * Return: 0 or -ENOMEM.
 */
int survey_add_missing(struct survey *survey);

#endif
