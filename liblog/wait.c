/* SPDX-License-Identifier: MIT */
/* Waiting for something new in a log. */
#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "follow.h"
#include "private.h"

#define SEC 1000000000

static bool is_new(struct maplog *log, uint64_t next, uint64_t generation)
{
	const struct maplog_head *page = log_page(log);

	return head_load(&page->next) > next ||
	       head_load(&page->generation) != generation;
}

static struct timespec after(int milliseconds)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += milliseconds / 1000;
	ts.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (ts.tv_nsec >= SEC) {
		ts.tv_sec++;
		ts.tv_nsec -= SEC;
	}
	assert(ts.tv_nsec < SEC);
	return ts;
}

/* A bitset wait takes an absolute time, so that going round does not prolong
 * it; FUTEX_WAKE of any kind ends it. */
static int sleep_on(struct maplog *log, uint32_t wake,
		    const struct timespec *until)
{
	if (!syscall(SYS_futex, &log->head.page->wake, FUTEX_WAIT_BITSET, wake,
		     until, NULL, FUTEX_BITSET_MATCH_ANY))
		return 0;
	return errno == EAGAIN ? 0 : -errno;
}

int maplog_wait(struct maplog *log, uint64_t next, uint64_t generation,
		int timeout)
{
	struct timespec until = { 0, 0 };
	int ret = 0;

	if (timeout >= 0)
		until = after(timeout);
	while (!ret) {
		uint32_t wake = head_load(&log->head.page->wake);

		/* A new writer may have come to a log that had crashed. */
		if (follow_is_behind(log))
			ret = follow_refresh(log);
		if (ret)
			return ret;
		if (is_new(log, next, generation))
			return 0;
		ret = sleep_on(log, wake, timeout < 0 ? NULL : &until);
	}
	return is_new(log, next, generation) ? 0 : ret;
}
