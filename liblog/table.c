/* SPDX-License-Identifier: MIT */
/* Which segments a log has, for readers without locks. */
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/*
 * Rows are loaded and stored field by field: a reader may see half a change,
 * but finds out before it believes it. Release: no field changes before the
 * version is odd. Acquire: no field is loaded after the version was compared.
 */
#define load(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define store(field, value)                                                    \
	__atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

void table_destroy(struct table *table)
{
	assert(table->version % 2 == 0);

	for (size_t i = 0; i < table->n_outgrown; i++)
		free(table->outgrown[i]);
	free(table->outgrown);
	free(table->rows);
}

uint64_t table_version(const struct table *table)
{
	for (;;) {
		uint64_t version = load(table->version);

		if (version % 2 == 0)
			return version;
		sched_yield();
	}
}

bool table_changed(const struct table *table, uint64_t version)
{
	return load(table->version) != version;
}

static void load_row(const struct row *from, struct row *row)
{
	row->base = load(from->base);
	row->id = load(from->id);
	row->whole = load(from->whole);
	row->copy = load(from->copy);
}

static void store_row(struct row *to, const struct row *row)
{
	assert(row->id);

	store(to->base, row->base);
	store(to->id, row->id);
	store(to->whole, row->whole);
	store(to->copy, row->copy);
}

/* How many rows have a base <= @index. */
static uint64_t rank(const struct row *rows, uint64_t count, uint64_t index)
{
	uint64_t low = 0;
	uint64_t high = count;

	/* Most look-ups are near the end. */
	if (count && load(rows[count - 1].base) <= index)
		return count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (load(rows[middle].base) <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A count and the array that it belongs to: the array is loaded second and
 * grows first, so it never is too short. */
static const struct row *rows_of(const struct table *table, uint64_t *count)
{
	*count = load(table->count);
	return load(table->rows);
}

static bool row_at(const struct row *rows, uint64_t count, uint64_t n,
		   struct row *row, uint64_t *bound)
{
	if (n >= count)
		return false;
	load_row(&rows[n], row);
	*bound = n + 1 < count ? load(rows[n + 1].base) : UINT64_MAX;
	return true;
}

bool table_find(const struct table *table, uint64_t index, struct row *row,
		uint64_t *bound)
{
	uint64_t count;
	const struct row *rows = rows_of(table, &count);

	/* rank 0 becomes the largest number, which is past the end. */
	return row_at(rows, count, rank(rows, count, index) - 1, row, bound);
}

bool table_after(const struct table *table, uint64_t base, struct row *row,
		 uint64_t *bound)
{
	uint64_t count;
	const struct row *rows = rows_of(table, &count);
	uint64_t n = base ? rank(rows, count, base - 1) : 0;

	return row_at(rows, count, n, row, bound);
}

static int keep_outgrown(struct table *table)
{
	struct row **grown;

	assert(!table->n_outgrown || table->outgrown);

	if (!table->rows)
		return 0;
	grown = reallocarray(table->outgrown, table->n_outgrown + 1,
			     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->outgrown = grown;
	grown[table->n_outgrown++] = table->rows;
	return 0;
}

int table_reserve(struct table *table, size_t n)
{
	size_t room = table->room ? table->room : 8;
	struct row *rows;

	assert(table->count <= table->room);

	while (room < table->count + n)
		room *= 2;
	if (room == table->room)
		return 0;
	rows = calloc(room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	if (keep_outgrown(table)) {
		free(rows);
		return -ENOMEM;
	}
	assert(room >= table->count + n);
	for (uint64_t i = 0; i < table->count; i++)
		rows[i] = table->rows[i];
	store(table->rows, rows);
	table->room = room;
	return 0;
}

void table_begin(struct table *table)
{
	assert(table->version % 2 == 0);
	store(table->version, table->version + 1);
}

void table_end(struct table *table)
{
	assert(table->version % 2 == 1);
	store(table->version, table->version + 1);
}

void table_put(struct table *table, const struct row *row)
{
	uint64_t n = rank(table->rows, table->count, row->base);

	assert(table->version % 2 == 1);

	if (n && table->rows[n - 1].base == row->base) {
		store_row(&table->rows[n - 1], row);
		return;
	}
	assert(n == table->count);
	assert(table->count < table->room);
	assert(!n || table->rows[n - 1].base < row->base);
	store_row(&table->rows[n], row);
	store(table->count, n + 1);
}

void table_cut(struct table *table, uint64_t base)
{
	assert(table->version % 2 == 1);

	store(table->count,
	      base ? rank(table->rows, table->count, base - 1) : 0);
}

void table_drop(struct table *table, size_t n)
{
	assert(table->version % 2 == 1);
	assert(n <= table->count);

	for (uint64_t i = n; i < table->count; i++)
		store_row(&table->rows[i - n], &table->rows[i]);
	store(table->count, table->count - n);
}
