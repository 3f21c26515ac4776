/* SPDX-License-Identifier: MIT */
/* Publishing: what readers are shown, and waking those who wait for it. */
#include "publish.h"

#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleepers are woken at most so often by the appending thread: who sleeps is
 * not known to it, and asking costs a system call. */
#define WAKE_EVERY_NSEC 50000

uint64_t publish_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void publish_wake(struct maplog *log)
{
	syscall(SYS_futex, &log->head.page->wake, FUTEX_WAKE, INT_MAX, NULL,
		NULL, 0);
}

static void wake(struct maplog *log, uint64_t time)
{
	struct maplog_head *page = log->head.page;

	/* Nobody else changes it, so it need not be locked for that. */
	head_store(&page->wake, page->wake + 1);
	/* Also when the clock was set back. */
	if (time - log->last_wake >= WAKE_EVERY_NSEC) {
		log->last_wake = time;
		publish_wake(log);
		return;
	}
	if (__atomic_load_n(&log->keeper.wake_soon, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&log->keeper.wake_soon, true, __ATOMIC_RELEASE);
	keeper_ask(log);
}

void publish_tail(struct maplog *log, uint64_t time)
{
	struct maplog_head *page = log->head.page;

	assert(log->tail >= page->next);
	assert(log->active);
	assert(log->tail == log->active->trailer.base + log->active->count);

	head_store(&page->active_bytes, log->active->used);
	head_store(&page->next, log->tail);
	wake(log, time);
	if (log->options.sync == MAPLOG_SYNC_INTERVAL)
		keeper_ask(log);
}

void publish_active(struct maplog *log, const struct segment *segment)
{
	struct maplog_head *page = log->head.page;

	assert(!segment || segment == log->active);

	/* Bytes first: who mixes old and new sees too little, never more. */
	head_store(&page->active_bytes, 0);
	head_store(&page->active_base,
		   segment ? segment->trailer.base : HEAD_NO_ACTIVE);
}

void publish_durable(struct maplog *log, uint64_t durable)
{
	assert(durable <= log->head.page->next);

	if (durable <= log->head.page->durable)
		return;
	head_set_durable(&log->head, durable);
	/* For a checkpoint, if nothing more happens. */
	keeper_ask(log);
}

void publish_truncation(struct maplog *log, uint64_t index)
{
	struct maplog_head *page = log->head.page;
	uint64_t generation = page->generation + 1;

	assert(page->first <= index && index < page->next);

	publish_active(log, NULL);
	/* The generation before next: whoever sees what comes after this sees
	 * that what it knew of before is gone. */
	head_store(&page->generation, generation);
	head_store(&page->next, index);
	head_set_durable(&log->head, index);
	wake(log, publish_now());
}
