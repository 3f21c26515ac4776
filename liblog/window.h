/* SPDX-License-Identifier: MIT */
/*
 * Windows: parts of segment files that are mapped for reading, at most as many
 * as map-limit allows.
 *
 * A window that is found is held without a lock. When the limit is reached the
 * least used window goes, but never one that is held. Windows that find no
 * place among the others are mapped for one holder and go with it. All
 * functions may be called by any thread.
 */
#ifndef MAPLOG_WINDOW_H
#define MAPLOG_WINDOW_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_SETS 64
#define WINDOW_WAYS 8

struct windows;

struct maplog_window {
	struct windows *owner;
	uint32_t holders;
	bool single;  /* not to be found by others */
	bool copied;  /* data is memory behind this structure */
	bool counted; /* against the limit */
	bool doomed;  /* atomic: to be unmapped with its last holder */
	uint8_t *data;
	size_t size;
	uint64_t offset; /* of data in its file */
	uint64_t used;	 /* when: a stamp of windows.clock */
};

struct windows {
	pthread_mutex_t lock; /* for all but finding and giving back */
	uint64_t key[WINDOW_SETS][WINDOW_WAYS]; /* 0: free */
	struct maplog_window window[WINDOW_SETS][WINDOW_WAYS];
	uint64_t mapped; /* bytes that count */
	uint64_t limit;
	uint64_t clock;
};

/** window_key() - a name for the n-th window of one of a segment's files */
static inline uint64_t window_key(uint64_t id, unsigned file, uint64_t n)
{
	assert(id && file < 2 && n < 1 << 23);

	return id << 24 | (uint64_t)file << 23 | n;
}

/** window_hash() - one of 64 numbers, for a place to keep a key in */
static inline size_t window_hash(uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}

static_assert(WINDOW_SETS == 64, "it yields one of them");

/** window_end() - where in its file a window ends */
static inline uint64_t window_end(const struct maplog_window *window)
{
	return window->offset + window->size;
}

int windows_init(struct windows *windows, uint64_t limit);

/** windows_destroy() - unmap everything; nothing may be held any more */
void windows_destroy(struct windows *windows);

/** windows_find() - hold the window @key, or NULL; takes no lock */
struct maplog_window *windows_find(struct windows *windows, uint64_t key);

/** window_hold() - hold a window once more that is held */
void window_hold(struct maplog_window *window);

/** window_put() - give a held window back */
void window_put(struct maplog_window *window);

/**
 * windows_map() - map part of a file and hold it
 * @key:    to be found under; 0 for a window of its own
 * @offset: page-aligned
 *
 * Return: 0; -ENOBUFS if the limit is reached by windows that are held;
 * -ENOMEM; else the -errno of mmap(2).
 */
int windows_map(struct windows *windows, uint64_t key, int fd, uint64_t offset,
		size_t size, struct maplog_window **window);

/**
 * windows_adopt() - take over a mapping that somebody else made, and hold it
 *
 * It does not count against the limit until windows_count().
 *
 * Return: 0 or -ENOMEM; then the mapping still is the caller's.
 */
int windows_adopt(struct windows *windows, uint64_t key, void *data,
		  size_t size, struct maplog_window **window);

/**
 * window_copy() - hold a copy of part of a file, which nobody else finds
 *
 * Return: 0; -ENODATA if the file ends before; -ENOMEM; else the -errno of
 * pread(2).
 */
int window_copy(int fd, uint64_t offset, size_t size,
		struct maplog_window **window);

/** windows_count() - let an adopted window count from now on */
void windows_count(struct maplog_window *window);

/** windows_limit() - change the limit, and keep it as far as possible */
void windows_limit(struct windows *windows, uint64_t limit);

/** windows_mapped() - bytes that count against the limit now */
uint64_t windows_mapped(const struct windows *windows);

/** windows_forget() - unmap all windows of a segment as soon as nobody holds
 * them: its files are gone, and their space is to come back
 */
void windows_forget(struct windows *windows, uint64_t id);

#endif
