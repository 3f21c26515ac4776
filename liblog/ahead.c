/* SPDX-License-Identifier: MIT */
/* Going ahead: making pages of the active segment ready. */
#include "ahead.h"

#include <assert.h>

#include "io.h"
#include "private.h"

/* Much is appended between two syncs if it is as much as that. */
#define MUCH ((uint64_t)1 << 20)

/* The appender asks again after so many bytes. Small logs never do. */
#define ASK_EVERY ((uint64_t)128 << 10)

/* As far ahead of the appender as that in each region: some milliseconds, in
 * which a keeper is scheduled. */
#define AHEAD ((uint64_t)16 << 20)

/* So many bytes before the appender it begins: two threads in neighbouring
 * pages hinder each other more than either helps. */
#define LEAD ((uint64_t)256 << 10)

/* What is made ready in one go, before looking what else there is to do. */
#define PIECE ((uint64_t)512 << 10)

static_assert(LEAD < AHEAD, "there is something to do behind it");
static_assert(MUCH >= ASK_EVERY, "it is noticed when it is much");

static uint64_t written(const struct segment *segment, enum region region)
{
	assert(segment->used <= segment->trailer.payload_size);

	return region == REGION_PAYLOAD
		       ? segment->used
		       : segment->count * sizeof(struct maplog_record);
}

static uint64_t unsynced(const struct segment *segment)
{
	uint64_t bytes = 0;

	for (int region = 0; region < 3; region++)
		bytes += written(segment, (enum region)region) -
			 segment->synced[region];
	return bytes;
}

int ahead_init(struct ahead *ahead)
{
	return -pthread_mutex_init(&ahead->lock, NULL);
}

void ahead_destroy(struct ahead *ahead)
{
	pthread_mutex_destroy(&ahead->lock);
}

void ahead_begin(struct segment *segment)
{
	segment_advise(segment, true, 0);
}

void ahead_synced(struct segment *segment)
{
	if (unsynced(segment) < MUCH)
		segment_advise(segment, true, 0);
	for (int region = 0; region < 3; region++)
		segment->synced[region] = written(segment, (enum region)region);
}

/* How far a region is to be ready. */
static uint64_t goal(const struct segment *segment, enum region region)
{
	uint64_t now = written(segment, region);
	uint64_t ahead = now - segment->synced[region];

	assert(segment->synced[region] <= now);

	return now + (ahead < AHEAD ? ahead : AHEAD);
}

/* Whole pages of a region, as far as there is disk space for them. */
static void ask_for(struct ahead *ahead, const struct segment *segment,
		    enum region region)
{
	uint64_t page = io_page();
	uint64_t now = (written(segment, region) + page) & ~(page - 1);
	uint64_t to = goal(segment, region) & ~(page - 1);

	if (to > segment->allocated[region])
		to = segment->allocated[region];
	if (ahead->from[region] < now)
		ahead->from[region] = now + LEAD;
	ahead->to[region] = to;
	assert(to % page == 0 && ahead->from[region] % page == 0);
}

static void ask(struct maplog *log, struct segment *segment)
{
	struct ahead *ahead = &log->ahead;

	pthread_mutex_lock(&ahead->lock);
	if (ahead->id != segment->id) {
		for (int region = 0; region < 3; region++)
			ahead->from[region] = 0;
		ahead->id = segment->id;
		ahead->copy = segment->trailer.payload_size;
	}
	for (int region = 0; region < 3; region++)
		ask_for(ahead, segment, (enum region)region);
	pthread_mutex_unlock(&ahead->lock);
	keeper_ask(log);
}

/* Disk space, too, is needed before the appender comes there. */
static void allocate(struct segment *segment)
{
	for (int region = 0; region < 3; region++) {
		if (goal(segment, (enum region)region) + MUCH >
		    segment->allocated[region])
			(void)segment_extend(segment, (enum region)region);
	}
}

void ahead_ask(struct maplog *log)
{
	struct segment *segment = log->active;
	uint64_t bytes = written(segment, REGION_PAYLOAD) +
			 written(segment, REGION_COPY);

	if (bytes < segment->ask_at)
		return;
	segment->ask_at = bytes + ASK_EVERY;
	/* Where stores may need new disk space, the appender takes it as it
	 * goes. */
	if (!segment->in_place || log->options.sync == MAPLOG_SYNC_ALWAYS ||
	    unsynced(segment) < MUCH)
		return;
	segment_advise(segment, false, LEAD);
	allocate(segment);
	ask(log, segment);
}

struct piece {
	uint64_t from; /* bytes of its region */
	uint64_t to;
};

static struct piece take(struct ahead *ahead, enum region region)
{
	struct piece piece = { ahead->from[region], ahead->to[region] };

	if (piece.to > piece.from + PIECE)
		piece.to = piece.from + PIECE;
	if (piece.to > piece.from)
		ahead->from[region] = piece.to;
	assert(ahead->from[region] >= piece.from);
	return piece;
}

/* What has failed fails for the appender, too, if it comes there. */
static void populate(struct maplog *log, uint64_t id, unsigned file,
		     uint64_t start, struct piece piece)
{
	struct maplog_window *window;

	if (piece.from >= piece.to)
		return;
	window = windows_find(&log->windows, window_key(id, file, 0));
	if (!window)
		return;
	assert(start + piece.to <= window_end(window));
	(void)io_populate(window->data + start + piece.from,
			  piece.to - piece.from, true);
	window_put(window);
}

bool ahead_go(struct maplog *log)
{
	struct ahead *ahead = &log->ahead;
	struct piece piece[3];
	uint64_t id, copy;
	bool more = false;

	pthread_mutex_lock(&ahead->lock);
	id = ahead->id;
	copy = ahead->copy;
	for (int region = 0; region < 3; region++) {
		piece[region] = take(ahead, (enum region)region);
		more |= piece[region].to < ahead->to[region];
	}
	pthread_mutex_unlock(&ahead->lock);

	populate(log, id, MAPLOG_DATA, 0, piece[REGION_PAYLOAD]);
	populate(log, id, MAPLOG_DATA, copy, piece[REGION_COPY]);
	populate(log, id, MAPLOG_INDEX, 0, piece[REGION_INDEX]);
	return more;
}
