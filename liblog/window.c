/* SPDX-License-Identifier: MIT */
/* Windows: parts of segment files that are mapped for reading. */
#include "window.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "io.h"

#define load(field) __atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define store(field, value)                                                    \
	__atomic_store_n(&(field), (value), __ATOMIC_SEQ_CST)

static void hold(struct maplog_window *window)
{
	__atomic_fetch_add(&window->holders, 1, __ATOMIC_SEQ_CST);
}

void window_hold(struct maplog_window *window)
{
	assert(load(window->holders));
	hold(window);
}

static uint32_t let_go(struct maplog_window *window)
{
	uint32_t holders =
		__atomic_fetch_sub(&window->holders, 1, __ATOMIC_SEQ_CST);

	assert(holders);
	return holders - 1;
}

static void touch(struct windows *windows, struct maplog_window *window)
{
	uint64_t clock = __atomic_load_n(&windows->clock, __ATOMIC_RELAXED);

	/* Readers of one window share its line: most of them only look. */
	if (__atomic_load_n(&window->used, __ATOMIC_RELAXED) != clock)
		__atomic_store_n(&window->used, clock, __ATOMIC_RELAXED);
}

/* No segment has the id 0, so no reader looks for this key. */
#define KEY_DOOMED 1

static void unmap(struct maplog_window *window)
{
	assert(window->data && window->size);

	munmap(window->data, window->size);
	if (window->counted)
		__atomic_fetch_sub(&window->owner->mapped, window->size,
				   __ATOMIC_RELAXED);
}

static bool evict(struct windows *windows, size_t set, int way)
{
	struct maplog_window *window = &windows->window[set][way];
	uint64_t key = load(windows->key[set][way]);

	assert(key);
	store(windows->key[set][way], 0);
	if (load(window->holders)) {
		store(windows->key[set][way], key);
		return false;
	}
	/* Who comes by now may hold it for a moment, but sees that it is not
	 * what was looked for, and does not look at what it shows. */
	unmap(window);
	return true;
}

/* Unmaps what is doomed and not held. With the lock held. */
static void sweep(struct windows *windows)
{
	for (size_t set = 0; set < WINDOW_SETS; set++) {
		for (int way = 0; way < WINDOW_WAYS; way++) {
			if (load(windows->key[set][way]) == KEY_DOOMED)
				evict(windows, set, way);
		}
	}
}

/* Gives back one that is found by its key. */
static void put_shared(struct windows *windows, struct maplog_window *window)
{
	assert(!window->single);

	if (let_go(window) || !load(window->doomed))
		return;
	/* It may be another window by now; then this is for nothing. */
	pthread_mutex_lock(&windows->lock);
	sweep(windows);
	pthread_mutex_unlock(&windows->lock);
}

void window_put(struct maplog_window *window)
{
	if (!window->single) {
		put_shared(window->owner, window);
	} else if (!let_go(window)) {
		/* Nobody is left who could find it. */
		if (!window->copied)
			unmap(window);
		free(window);
	}
}

struct maplog_window *windows_find(struct windows *windows, uint64_t key)
{
	size_t set = window_hash(key);

	assert(key > KEY_DOOMED);

	for (int way = 0; way < WINDOW_WAYS; way++) {
		struct maplog_window *window = &windows->window[set][way];

		if (load(windows->key[set][way]) != key)
			continue;
		/* Hold first, then look again: pairs with evict(), which
		 * hides the key first, then looks for holders. */
		hold(window);
		if (load(windows->key[set][way]) == key) {
			touch(windows, window);
			return window;
		}
		/* It may be doomed by now, and waiting only for us. */
		put_shared(windows, window);
	}
	return NULL;
}

/* The least used window of one set that nobody holds; -1 if there is none. */
static int least_used(struct windows *windows, size_t set)
{
	uint64_t oldest = UINT64_MAX;
	int found = -1;

	for (int way = 0; way < WINDOW_WAYS; way++) {
		struct maplog_window *window = &windows->window[set][way];
		uint64_t used =
			__atomic_load_n(&window->used, __ATOMIC_RELAXED);

		if (!load(windows->key[set][way]) || load(window->holders))
			continue;
		if (used < oldest) {
			oldest = used;
			found = way;
		}
	}
	return found;
}

static bool evict_any(struct windows *windows)
{
	uint64_t oldest = UINT64_MAX;
	size_t found = 0;
	int way = -1;

	for (size_t set = 0; set < WINDOW_SETS; set++) {
		int candidate = least_used(windows, set);
		uint64_t used;

		if (candidate < 0)
			continue;
		used = __atomic_load_n(&windows->window[set][candidate].used,
				       __ATOMIC_RELAXED);
		if (way < 0 || used < oldest) {
			oldest = used;
			found = set;
			way = candidate;
		}
	}
	/* Somebody may hold it by now; then the next call finds another. */
	return way >= 0 && (evict(windows, found, way) || evict_any(windows));
}

uint64_t windows_mapped(const struct windows *windows)
{
	return __atomic_load_n(&windows->mapped, __ATOMIC_RELAXED);
}

static int make_room(struct windows *windows, size_t size)
{
	assert(size);

	while (windows_mapped(windows) + size > windows->limit) {
		if (evict_any(windows))
			continue;
		/* Of what is larger than the limit there is one at a time,
		 * beside what is smaller: an entry needs its record, too. */
		if (size > windows->limit &&
		    windows_mapped(windows) <= windows->limit)
			return 0;
		return -ENOBUFS;
	}
	return 0;
}

/* A free place in the set of a key, if need be by evicting; -1 if none. */
static int place_for(struct windows *windows, size_t set)
{
	int way;

	for (way = 0; way < WINDOW_WAYS; way++) {
		/* A passing reader may still hold what was evicted. */
		if (!load(windows->key[set][way]) &&
		    !load(windows->window[set][way].holders))
			return way;
	}
	way = least_used(windows, set);
	if (way >= 0 && evict(windows, set, way))
		return way;
	return -1;
}

static void fill(struct windows *windows, struct maplog_window *window,
		 void *data, size_t size, uint64_t offset)
{
	assert(data && size);

	window->owner = windows;
	window->counted = false;
	store(window->doomed, false);
	window->data = data;
	window->size = size;
	window->offset = offset;
	store(window->used,
	      __atomic_add_fetch(&windows->clock, 1, __ATOMIC_RELAXED));
}

static int add(struct windows *windows, uint64_t key, void *data, size_t size,
	       uint64_t offset, struct maplog_window **added)
{
	size_t set = window_hash(key);
	int way = key ? place_for(windows, set) : -1;
	struct maplog_window *window;

	assert(!key || key > KEY_DOOMED);

	if (way < 0) {
		window = calloc(1, sizeof(*window));
		if (!window)
			return -ENOMEM;
		window->single = true;
		fill(windows, window, data, size, offset);
		hold(window);
	} else {
		window = &windows->window[set][way];
		fill(windows, window, data, size, offset);
		hold(window);
		store(windows->key[set][way], key);
	}
	assert(load(window->holders));
	*added = window;
	return 0;
}

void windows_count(struct maplog_window *window)
{
	assert(load(window->holders));
	assert(!window->counted);
	window->counted = true;
	__atomic_fetch_add(&window->owner->mapped, window->size,
			   __ATOMIC_RELAXED);
}

static int map_locked(struct windows *windows, uint64_t key, int fd,
		      uint64_t offset, size_t size,
		      struct maplog_window **window)
{
	void *data;
	int ret;

	ret = make_room(windows, size);
	if (ret)
		return ret;
	ret = io_map(fd, offset, size, false, &data);
	if (ret)
		return ret;
	ret = add(windows, key, data, size, offset, window);
	if (ret) {
		munmap(data, size);
		return ret;
	}
	windows_count(*window);
	return 0;
}

int windows_map(struct windows *windows, uint64_t key, int fd, uint64_t offset,
		size_t size, struct maplog_window **window)
{
	int ret;

	assert(size);

	pthread_mutex_lock(&windows->lock);
	ret = map_locked(windows, key, fd, offset, size, window);
	pthread_mutex_unlock(&windows->lock);
	return ret;
}

int windows_adopt(struct windows *windows, uint64_t key, void *data,
		  size_t size, struct maplog_window **window)
{
	int ret;

	pthread_mutex_lock(&windows->lock);
	ret = add(windows, key, data, size, 0, window);
	pthread_mutex_unlock(&windows->lock);
	return ret;
}

int window_copy(int fd, uint64_t offset, size_t size,
		struct maplog_window **window)
{
	struct maplog_window *copy = malloc(sizeof(*copy) + size);
	int ret;

	assert(size);

	if (!copy)
		return -ENOMEM;
	*copy = (struct maplog_window){
		.single = true,
		.copied = true,
		.data = (uint8_t *)(copy + 1),
		.size = size,
		.offset = offset,
	};
	ret = io_read(fd, copy->data, size, offset);
	if (ret) {
		free(copy);
		return ret;
	}
	hold(copy);
	*window = copy;
	return 0;
}

void windows_limit(struct windows *windows, uint64_t limit)
{
	pthread_mutex_lock(&windows->lock);
	__atomic_store_n(&windows->limit, limit, __ATOMIC_RELAXED);
	while (windows_mapped(windows) > limit && evict_any(windows))
		;
	pthread_mutex_unlock(&windows->lock);
}

void windows_forget(struct windows *windows, uint64_t id)
{
	assert(id);

	pthread_mutex_lock(&windows->lock);
	for (size_t set = 0; set < WINDOW_SETS; set++) {
		for (int way = 0; way < WINDOW_WAYS; way++) {
			if (load(windows->key[set][way]) >> 24 != id)
				continue;
			/* Doomed before it is looked whether it is held:
			 * pairs with window_put(). */
			store(windows->window[set][way].doomed, true);
			store(windows->key[set][way], KEY_DOOMED);
		}
	}
	sweep(windows);
	pthread_mutex_unlock(&windows->lock);
}

int windows_init(struct windows *windows, uint64_t limit)
{
	assert(limit);

	windows->limit = limit;
	return -pthread_mutex_init(&windows->lock, NULL);
}

void windows_destroy(struct windows *windows)
{
	for (size_t set = 0; set < WINDOW_SETS; set++) {
		for (int way = 0; way < WINDOW_WAYS; way++) {
			bool gone = !load(windows->key[set][way]) ||
				    evict(windows, set, way);

			assert(gone);
			(void)gone;
		}
	}
	assert(!windows_mapped(windows));
	pthread_mutex_destroy(&windows->lock);
}
