/* SPDX-License-Identifier: MIT */
/*
 * Which segments a log has, for readers without locks.
 *
 * Rows are in ascending order of base. A row's entries end where the next row
 * begins, the last one's with the log. Readers work on a row they copied, then
 * ask table_changed(): if so, they try again (a seqlock). Changes are made by
 * one thread at a time, between table_begin() and table_end().
 */
#ifndef MAPLOG_TABLE_H
#define MAPLOG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row {
	uint64_t base;
	uint64_t id;	/* of the segment, never used twice */
	uint64_t whole; /* both files are mapped in one piece, or are to be */
	/* Where records are to be read in the .log file, while nobody has
	 * recovered the segment; 0: in the .idx file. */
	uint64_t copy;
};

struct table {
	uint64_t version; /* odd while a change is made */
	struct row *rows;
	uint64_t count;
	size_t room;
	/* Arrays that were outgrown; a reader may still look at them. */
	struct row **outgrown;
	size_t n_outgrown;
};

void table_destroy(struct table *table);

/** table_version() - to be given to table_changed(); waits for a change */
uint64_t table_version(const struct table *table);

bool table_changed(const struct table *table, uint64_t version);

/**
 * table_find() - the segment that holds an entry, if any does
 * @row:   out: the last row whose base is <= @index
 * @bound: out: base of the row after it, UINT64_MAX if there is none
 *
 * Return: whether there is one.
 */
bool table_find(const struct table *table, uint64_t index, struct row *row,
		uint64_t *bound);

/** table_after() - likewise: the first row whose base is >= @base */
bool table_after(const struct table *table, uint64_t base, struct row *row,
		 uint64_t *bound);

/** table_reserve() - make room for @n rows more. Return: 0 or -ENOMEM. */
int table_reserve(struct table *table, size_t n);

void table_begin(struct table *table);
void table_end(struct table *table);

/* Between table_begin() and table_end(): */

/** table_put() - replace the row of the same base, or add one behind the last,
 * for which there must be room
 */
void table_put(struct table *table, const struct row *row);

/** table_cut() - remove all rows whose base is >= @base */
void table_cut(struct table *table, uint64_t base);

/** table_drop() - remove the first @n rows */
void table_drop(struct table *table, size_t n);

#endif
