/* SPDX-License-Identifier: MIT */
/* System calls on store files. */
#include "io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Left free for what is written back at the same time. */
#define HEADROOM ((uint64_t)16 << 20)

/* What disks and file systems take past the page cache, whatever they are. */
#define PIECE ((uint64_t)4096)

/* What is written again in one go. */
#define REWRITE ((uint64_t)1 << 20)

int io_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

static int regular(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EUCLEAN;
	if (size)
		*size = (uint64_t)st.st_size;
	return 0;
}

int io_open(int dirfd, const char *name, int flags, mode_t mode, int *fd,
	    uint64_t *size)
{
	/* O_NONBLOCK: a FIFO in the file's place must not stop us. */
	int file = openat(
		dirfd, name,
		flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
	int ret;

	if (file < 0)
		return errno == EISDIR || errno == ENXIO ? -EUCLEAN : -errno;
	ret = regular(file, size);
	if (ret) {
		close(file);
		return ret;
	}
	*fd = file;
	return 0;
}

bool io_is_no_file(int ret)
{
	return ret == -ENOENT || ret == -ELOOP || ret == -EUCLEAN;
}

int io_open_dir(int dirfd, const char *name, int *fd)
{
	int dir = openat(dirfd, name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	*fd = dir;
	return 0;
}

int io_read(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	char *at = buffer;

	assert(offset <= INT64_MAX);

	while (bytes) {
		ssize_t n = pread(fd, at, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int io_write(int fd, const void *buffer, size_t bytes, uint64_t offset)
{
	const char *at = buffer;

	assert(offset <= INT64_MAX);

	while (bytes) {
		ssize_t n = pwrite(fd, at, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Past the page cache, or into it where that cannot be. By pages then: large
 * writes would leave large folios there, which make each later sync slow. */
static int write_past_cache(int fd, const uint8_t *data, uint64_t bytes,
			    uint64_t offset)
{
	const int flags = fcntl(fd, F_GETFL);
	int ret = -EINVAL;

	if (flags >= 0 && !fcntl(fd, F_SETFL, flags | O_DIRECT)) {
		ret = io_write(fd, data, bytes, offset);
		(void)fcntl(fd, F_SETFL, flags);
	}
	if (ret != -EINVAL)
		return ret;
	ret = 0;
	for (uint64_t at = 0; !ret && at < bytes; at += PIECE)
		ret = io_write(fd, data + at,
			       bytes - at < PIECE ? bytes - at : PIECE,
			       offset + at);
	return ret;
}

static int rewrite_with(uint8_t *data, int fd, uint64_t from, uint64_t to)
{
	int ret = 0;

	while (!ret && from < to) {
		uint64_t n = to - from < REWRITE ? to - from : REWRITE;

		ret = io_read(fd, data, n, from);
		if (!ret)
			ret = write_past_cache(fd, data, n, from);
		from += n;
	}
	return ret;
}

int io_rewrite(int fd, uint64_t from, uint64_t to)
{
	uint8_t *memory;
	uint64_t size;
	int ret;

	assert(from <= to);

	if (from == to)
		return 0;
	ret = io_size(fd, &size);
	from &= ~(PIECE - 1);
	to = (to + PIECE - 1) & ~(PIECE - 1);
	to = to < size ? to : size;
	/* Much at once is quicker than piece by piece, as the latter goes. */
	if (!ret && to > from + REWRITE)
		ret = io_sync(fd);
	if (ret)
		return ret;
	memory = malloc(REWRITE + PIECE);
	if (!memory)
		return -ENOMEM;
	ret = rewrite_with(memory + (-(uintptr_t)memory & (PIECE - 1)), fd,
			   from, to);
	free(memory);
	return ret;
}

int io_resize(int fd, uint64_t size)
{
	int ret;

	assert(size <= INT64_MAX);

	do {
		ret = ftruncate(fd, (off_t)size);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

int io_sync(int fd)
{
	return fdatasync(fd) ? -errno : 0;
}

int io_sync_dir(int fd)
{
	return fsync(fd) ? -errno : 0;
}

/* For file systems without fallocate(2). What is there stays, as it does with
 * that. By pages: large writes would leave large folios in the page cache,
 * which make each later sync slow. */
static int allocate_by_writing(int fd, uint64_t offset, uint64_t bytes)
{
	uint8_t data[PIECE];
	uint64_t end = offset + bytes;

	while (offset < end) {
		uint64_t n = end - offset;
		int ret;

		if (n > sizeof(data))
			n = sizeof(data);
		ret = io_read(fd, data, n, offset);
		if (!ret)
			ret = io_write(fd, data, n, offset);
		if (ret)
			return ret;
		offset += n;
	}
	return 0;
}

int io_allocate(int fd, uint64_t offset, uint64_t bytes)
{
	int ret;

	assert(bytes);

	do {
		ret = fallocate(fd, 0, (off_t)offset, (off_t)bytes);
	} while (ret && errno == EINTR);
	if (!ret)
		return 0;
	if (errno == EOPNOTSUPP)
		return allocate_by_writing(fd, offset, bytes);
	return -errno;
}

int io_release(int fd, uint64_t offset, uint64_t bytes)
{
	int ret;

	assert(bytes);

	do {
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)offset, (off_t)bytes);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

int io_map(int fd, uint64_t offset, size_t bytes, bool writable, void **at)
{
	int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *map =
		mmap(NULL, bytes, protection, MAP_SHARED, fd, (off_t)offset);

	assert(bytes && offset % io_page() == 0);

	if (map == MAP_FAILED)
		return -errno;
	*at = map;
	return 0;
}

int io_populate(const void *at, size_t bytes, bool writable)
{
	uintptr_t from = (uintptr_t)at & ~(uintptr_t)(io_page() - 1);
	uintptr_t to = (uintptr_t)at + bytes;
	int advice = writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
	int ret;

	if (!bytes)
		return 0;
	do {
		ret = madvise((void *)from, to - from, advice);
	} while (ret && errno == EINTR);
	if (!ret || errno == EINVAL)
		return 0;
	if (errno != EFAULT && errno != EHWPOISON)
		return -errno;
	return writable ? -ENOSPC : -EIO;
}

int io_refusal(int fd, uint64_t offset)
{
	char byte;
	int ret;

	ret = io_read(fd, &byte, 1, offset);
	if (!ret)
		ret = io_write(fd, &byte, 1, offset);
	return ret && ret != -EDQUOT ? ret : -ENOSPC;
}

void io_advise(void *at, size_t bytes, int advice)
{
	assert((uintptr_t)at % io_page() == 0);
	(void)madvise(at, bytes, advice);
}

bool io_rewrites_in_place(int fd)
{
	struct statfs fs;

	/* ext2 and ext3 share the number of ext4. */
	return !fstatfs(fd, &fs) &&
	       (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC);
}

int io_keep_headroom(int fd, uint64_t bytes)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != BTRFS_SUPER_MAGIC)
		return 0;
	return (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < HEADROOM + bytes
		       ? -ENOSPC
		       : 0;
}

void io_disable_cow(int fd)
{
	int flags;

	/* Only an improvement where it works: nothing depends on it. */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return;
	flags |= FS_NOCOW_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int write_durable(int dirfd, const char *name, const void *data,
			 size_t bytes, mode_t mode)
{
	int ret;
	int fd;

	ret = io_open(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, mode, &fd,
		      NULL);
	if (ret)
		return ret;
	/* The head is rewritten in place, on a full disk, too. */
	io_disable_cow(fd);
	ret = io_write(fd, data, bytes, 0);
	if (!ret)
		ret = io_sync(fd);
	close(fd);
	return ret;
}

int io_replace(int dirfd, const char *name, const void *data, size_t bytes,
	       mode_t mode)
{
	char temporary[64];
	int ret;

	ret = snprintf(temporary, sizeof(temporary), "%s.new", name);
	assert(ret > 0 && (size_t)ret < sizeof(temporary));

	ret = write_durable(dirfd, temporary, data, bytes, mode);
	if (!ret && renameat(dirfd, temporary, dirfd, name))
		ret = -errno;
	if (ret) {
		unlinkat(dirfd, temporary, 0);
		return ret;
	}
	return io_sync_dir(dirfd);
}

size_t io_page(void)
{
	static size_t page;
	size_t known = __atomic_load_n(&page, __ATOMIC_RELAXED);

	if (known)
		return known;
	known = (size_t)sysconf(_SC_PAGESIZE);
	__atomic_store_n(&page, known, __ATOMIC_RELAXED);
	return known;
}
