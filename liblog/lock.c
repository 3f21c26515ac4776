/* SPDX-License-Identifier: MIT */
/* One writer: an flock(2) on the log's directory. */
#include "lock.h"

#include <assert.h>
#include <errno.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "io.h"

/* A reader that asks whether there is a writer holds a shared lock for a
 * moment: that is not to be taken for a writer. */
#define TRIES	   20
#define PAUSE_NSEC 1000000

static_assert(PAUSE_NSEC < 1000000000, "nanoseconds of a timespec");

int lock_take(int dirfd)
{
	const struct timespec pause = { 0, PAUSE_NSEC };

	for (int i = 0; i < TRIES; i++) {
		if (!flock(dirfd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

void lock_drop(int dirfd)
{
	(void)flock(dirfd, LOCK_UN);
}

bool lock_is_held(int dirfd)
{
	bool held;
	int fd;

	/* A lock belongs to an open file: ask with another one. */
	if (io_open_dir(dirfd, ".", &fd))
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return held;
}
