/* SPDX-License-Identifier: MIT */
/* Writes of liblog: which parts of files, and how. */
#include "written.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "calls.h"

#define WRITTEN_MAX 1024

/* So many writes in a row are looked at one by one. */
#define ROW 8

#define PIECE ((size_t)4096)

int __real_fstat64(int fd, struct stat *st);
int __real_ftruncate64(int fd, off_t size);
ssize_t __real_pwrite64(int fd, const void *data, size_t bytes, off_t at);

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

bool written_goes_on(int fd, uint64_t from, size_t bytes)
{
	static _Thread_local struct {
		int fd;
		uint64_t end;
		int n;
	} row;

	row.n = fd == row.fd && from == row.end ? row.n + 1 : 0;
	row.fd = fd;
	row.end = from + bytes;
	return row.n >= ROW;
}

static bool write_piece(int fd, const char *data, size_t bytes, off_t at)
{
	static const char zeros[PIECE];

	return !memcmp(data, zeros, bytes) ||
	       __real_pwrite64(fd, data, bytes, at) == (ssize_t)bytes;
}

ssize_t written_sparsely(int fd, const void *data, size_t bytes, off_t at)
{
	struct stat st;

	if (bytes <= ROW * PIECE || __real_fstat64(fd, &st) || st.st_size > at)
		return __real_pwrite64(fd, data, bytes, at);
	for (size_t i = 0; i < bytes; i += PIECE) {
		size_t n = bytes - i < PIECE ? bytes - i : PIECE;

		if (!write_piece(fd, (const char *)data + i, n, at + (off_t)i))
			return -1;
	}
	return __real_ftruncate64(fd, at + (off_t)bytes) ? -1 : (ssize_t)bytes;
}
