/* SPDX-License-Identifier: MIT */
/* Parts of files that were written: what calls_wrote() is asked for. */
#include "written.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "calls.h"

#define WRITTEN_MAX 1024

static struct written {
	ino_t ino;
	uint64_t from;
	uint64_t to;
} written[WRITTEN_MAX];
static int n_written;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

void written_forget(void)
{
	pthread_mutex_lock(&writing);
	n_written = 0;
	pthread_mutex_unlock(&writing);
}

/* A write that goes past the page cache, where that can be. */
static bool is_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags & O_DIRECT || fcntl(fd, F_SETFL, flags | O_DIRECT))
		return true;
	(void)fcntl(fd, F_SETFL, flags);
	return false;
}

void written_remember(int fd, uint64_t from, size_t bytes)
{
	int __real_fstat64(int, struct stat *);
	struct stat st;

	if (__real_fstat64(fd, &st) || !is_direct(fd))
		return;
	pthread_mutex_lock(&writing);
	if (n_written < WRITTEN_MAX)
		written[n_written++] =
			(struct written){ st.st_ino, from, from + bytes };
	pthread_mutex_unlock(&writing);
}

static bool covers(const struct written *part, ino_t ino, uint64_t at)
{
	return part->ino == ino && part->from <= at && at < part->to;
}

bool calls_wrote(ino_t ino, uint64_t from, uint64_t to)
{
	bool found = true;

	pthread_mutex_lock(&writing);
	while (from < to && found) {
		found = false;
		for (int n = 0; n < n_written; n++) {
			if (!covers(&written[n], ino, from))
				continue;
			from = written[n].to;
			found = true;
		}
	}
	pthread_mutex_unlock(&writing);
	return found;
}
