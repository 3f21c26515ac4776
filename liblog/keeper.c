/* SPDX-License-Identifier: MIT */
/* The keeper: a thread of the writer that does what need not be waited for. */
#include "keeper.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>

#include "private.h"
#include "publish.h"
#include "sync.h"

#define MSEC UINT64_C(1000000)
#define SEC  (1000 * MSEC)

/* While there is something to do it looks so often, and then so many times
 * more before it sleeps until it is asked again. */
#define TICK	   MSEC
#define IDLE_TICKS 20

/* A log that nothing was appended to for so long gets a checkpoint. */
#define IDLE SEC

static_assert(TICK * IDLE_TICKS < IDLE, "it sleeps before a log is idle");

/* More than enough for what it calls; a store may have a thousand logs. */
#define STACK_SIZE (128 << 10)

struct rounds {
	uint64_t next;	    /* as it was seen last */
	uint64_t next_time; /* when it was seen to change */
	uint64_t sync_time; /* of the last sync under `interval` */
	unsigned idle;	    /* looks in a row that found nothing */
};

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SEC + (uint64_t)ts.tv_nsec;
}

int keeper_init(struct keeper *keeper)
{
	pthread_condattr_t attr;
	int ret;

	ret = pthread_condattr_init(&attr);
	if (ret)
		return -ret;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	ret = pthread_cond_init(&keeper->asked, &attr);
	pthread_condattr_destroy(&attr);
	if (!ret)
		ret = pthread_mutex_init(&keeper->lock, NULL);
	return -ret;
}

void keeper_destroy(struct keeper *keeper)
{
	assert(!keeper->started || keeper->stopping);

	pthread_mutex_destroy(&keeper->lock);
	pthread_cond_destroy(&keeper->asked);
}

/* The sooner of two times, 0 being never. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

/* When the next sync under `interval` is due, having done the one that is. */
static uint64_t sync_in_time(struct maplog *log, struct rounds *rounds,
			     uint64_t interval, uint64_t now)
{
	const struct maplog_head *page = log->head.page;

	if (!interval || head_load(&page->durable) == head_load(&page->next))
		return 0;
	if (now < rounds->sync_time + interval)
		return rounds->sync_time + interval;
	rounds->sync_time = now;
	(void)maplog_sync(log, NULL);
	return now + interval;
}

/* When an idle log is to get its checkpoint, having done that if it is time. */
static uint64_t checkpoint_in_time(struct maplog *log, struct rounds *rounds,
				   bool wanted, uint64_t now)
{
	uint64_t next = head_load(&log->head.page->next);

	if (next != rounds->next) {
		rounds->next = next;
		rounds->next_time = now;
	}
	if (!wanted)
		return 0;
	if (now < rounds->next_time + IDLE)
		return rounds->next_time + IDLE;
	(void)sync_checkpoint(log);
	return 0;
}

/* What concerns the device. Returns when there is more of it, 0 for never. */
static uint64_t sync_some(struct maplog *log, struct rounds *rounds,
			  uint64_t now)
{
	struct sync_duties duties;

	if (!sync_duties(log, &duties)) {
		rounds->idle = 0;
		return 0;
	}
	if (duties.finish) {
		(void)sync_finish(log);
		rounds->idle = 0;
	}
	return sooner(sync_in_time(log, rounds, duties.interval, now),
		      checkpoint_in_time(log, rounds, duties.checkpoint, now));
}

/* Returns when to look again, 0 for when asked. */
static uint64_t look(struct maplog *log, struct rounds *rounds)
{
	uint64_t now = monotonic();
	uint64_t due;

	rounds->idle++;
	if (__atomic_exchange_n(&log->keeper.wake_soon, false,
				__ATOMIC_ACQ_REL)) {
		publish_wake(log);
		rounds->idle = 0;
	}
	if (log_error(log)) {
		rounds->idle = IDLE_TICKS;
		return 0;
	}
	due = sync_some(log, rounds, now);
	if (rounds->idle < IDLE_TICKS)
		due = sooner(due, now + TICK);
	return due;
}

static void sleep_until(struct keeper *keeper, uint64_t due)
{
	const struct timespec ts = { (time_t)(due / SEC), (long)(due % SEC) };

	assert(!keeper->stopping);

	if (due)
		pthread_cond_timedwait(&keeper->asked, &keeper->lock, &ts);
	else
		pthread_cond_wait(&keeper->asked, &keeper->lock);
}

static void *run(void *arg)
{
	struct maplog *log = arg;
	struct keeper *keeper = &log->keeper;
	struct rounds rounds = { .sync_time = monotonic() };

	pthread_mutex_lock(&keeper->lock);
	assert(keeper->started);
	while (!keeper->stopping) {
		uint64_t due;
		bool awake;

		pthread_mutex_unlock(&keeper->lock);
		__atomic_store_n(&keeper->pending, false, __ATOMIC_SEQ_CST);
		due = look(log, &rounds);
		pthread_mutex_lock(&keeper->lock);

		awake = rounds.idle < IDLE_TICKS;
		__atomic_store_n(&keeper->awake, awake, __ATOMIC_SEQ_CST);
		/* Unless somebody asked who saw that it was awake. */
		if (!keeper->stopping &&
		    (awake ||
		     !__atomic_load_n(&keeper->pending, __ATOMIC_SEQ_CST)))
			sleep_until(keeper, due);
		if (!awake)
			rounds.idle = 0;
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

static int start(struct maplog *log)
{
	pthread_attr_t attr;
	sigset_t all;
	sigset_t old;
	int ret;

	assert(!log->keeper.started && !log->keeper.stopping);

	ret = pthread_attr_init(&attr);
	if (ret)
		return -ret;
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* Signals are the application's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&log->keeper.thread, &attr, run, log);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -ret;
}

void keeper_ask(struct maplog *log)
{
	struct keeper *keeper = &log->keeper;

	__atomic_store_n(&keeper->pending, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&keeper->awake, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&keeper->lock);
	/* Without a thread, what it would do is done when the log is closed,
	 * and the next call tries again. */
	if (!keeper->started && !keeper->stopping)
		keeper->started = !start(log);
	pthread_cond_signal(&keeper->asked);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_stop(struct maplog *log)
{
	struct keeper *keeper = &log->keeper;
	bool started;

	pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	started = keeper->started;
	pthread_cond_signal(&keeper->asked);
	pthread_mutex_unlock(&keeper->lock);
	if (started)
		pthread_join(keeper->thread, NULL);
}
