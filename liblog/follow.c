/* SPDX-License-Identifier: MIT */
/* Reading a log whose writer is another process: keeping up with it. */
#include "follow.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "dir.h"

/* A truncation takes a few syncs; that long a directory may be in motion. */
#define TRIES	   2000
#define PAUSE_NSEC 1000000

#define load(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define store(field, value)                                                    \
	__atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

void follow_look(const struct maplog *log, struct seen *seen)
{
	const struct maplog_head *page = log->head.page;

	seen->generation = head_load(&page->generation);
	seen->active_base = head_load(&page->active_base);
	seen->session = head_load(&page->session);
}

void follow_start(struct maplog *log)
{
	assert(!log_is_writer(log));

	/* No session has this number. */
	const struct seen never = { .session = UINT64_MAX };

	follow_remember(log, &never);
	store(log->follows, true);
}

void follow_stop(struct maplog *log)
{
	assert(load(log->follows));

	/* A refresh that is under way comes to its end first. */
	pthread_mutex_lock(&log->segments);
	store(log->follows, false);
	pthread_mutex_unlock(&log->segments);
}

bool follow_is_behind(const struct maplog *log)
{
	struct seen now;

	if (!load(log->follows))
		return false;
	follow_look(log, &now);
	return now.generation != load(log->seen.generation) ||
	       now.active_base != load(log->seen.active_base) ||
	       now.session != load(log->seen.session);
}

void follow_remember(struct maplog *log, const struct seen *seen)
{
	store(log->seen.generation, seen->generation);
	store(log->seen.active_base, seen->active_base);
	store(log->seen.session, seen->session);
}

static uint64_t id_for(struct maplog *log, uint64_t base, bool keep)
{
	uint64_t bound;
	struct row row;

	if (keep && table_find(&log->table, base, &row, &bound) &&
	    row.base == base)
		return row.id;
	return ++log->last_id;
}

/* Windows of segments that are no more would keep their disk space. */
static void forget_windows(struct maplog *log, const struct row *rows,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct row row;
		uint64_t bound;

		if (!table_find(&log->table, rows[i].base, &row, &bound) ||
		    row.id != rows[i].id)
			windows_forget(&log->windows, rows[i].id);
	}
}

static void replace_rows(struct table *table, const struct row *rows,
			 size_t count)
{
	table_begin(table);
	table_cut(table, 0);
	for (size_t i = 0; i < count; i++)
		table_put(table, &rows[i]);
	table_end(table);
}

int follow_set_table(struct maplog *log, const uint64_t *bases, size_t count,
		     bool keep)
{
	size_t n_old = log->table.count;
	struct row *rows;
	struct row *old;

	assert(bases || !count);

	if (table_reserve(&log->table, count))
		return -ENOMEM;
	rows = calloc(count + n_old + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	old = rows + count;
	for (size_t i = 0; i < n_old; i++)
		old[i] = log->table.rows[i];
	for (size_t i = 0; i < count; i++) {
		rows[i].base = bases[i];
		rows[i].id = id_for(log, bases[i], keep);
	}
	replace_rows(&log->table, rows, count);
	forget_windows(log, old, n_old);
	free(rows);
	return 0;
}

/* Leaves out what the writer is about to remove, or has not yet shown. */
static size_t shown(const uint64_t *bases, size_t count,
		    const struct maplog_head *page, uint64_t active_base)
{
	uint64_t next = head_load(&page->next);

	while (count) {
		uint64_t base = bases[count - 1];

		if (active_base == HEAD_NO_ACTIVE ? base < next
						  : base <= active_base)
			break;
		count--;
	}
	return count;
}

static bool same(const struct seen *a, const struct seen *b)
{
	return a->generation == b->generation &&
	       a->active_base == b->active_base && a->session == b->session;
}

static int refresh_locked(struct maplog *log)
{
	struct seen before;
	struct seen after;
	uint64_t *bases;
	size_t count;
	bool keep;
	int ret;

	assert(load(log->follows));

	follow_look(log, &before);
	ret = dir_segments(log->dirfd, &bases, &count);
	if (ret)
		return ret;
	count = shown(bases, count, log->head.page, before.active_base);
	follow_look(log, &after);
	/* A truncation may have put new files in the place of old ones, also
	 * after its generation was seen: while it went on there was no active
	 * segment. */
	keep = before.generation == log->seen.generation &&
	       before.session == log->seen.session &&
	       log->seen.active_base != HEAD_NO_ACTIVE;
	if (!same(&before, &after))
		ret = -EAGAIN;
	else
		ret = follow_set_table(log, bases, count, keep);
	free(bases);
	if (ret)
		return ret;
	if (before.session != log->seen.session)
		__atomic_store_n(&log->page, log->head.page, __ATOMIC_RELEASE);
	follow_remember(log, &after);
	return 0;
}

int follow_refresh(struct maplog *log)
{
	const struct timespec pause = { 0, PAUSE_NSEC };
	int ret = -EAGAIN;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		pthread_mutex_lock(&log->segments);
		ret = follow_is_behind(log) ? refresh_locked(log) : 0;
		pthread_mutex_unlock(&log->segments);
		if (ret == -EAGAIN)
			nanosleep(&pause, NULL);
	}
	return ret;
}
