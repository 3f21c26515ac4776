/* SPDX-License-Identifier: MIT */
/* Files of a store, as a crash, a bad disk or a stranger may change them. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

typedef void visitor(int dirfd, const char *name, void *arg);

static void each_name(const char *path, visitor *visit, void *arg)
{
	int fd = openat(store, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	ck_assert_int_ge(fd, 0);
	dir = fdopendir(fd);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			visit(fd, entry->d_name, arg);
	}
	closedir(dir);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void remove_tree(const char *path)
{
	/* Nothing is asserted: this also runs outside of tests. */
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void copy_range(int from, int to, off_t at, off_t end)
{
	char buffer[65536];

	while (at < end) {
		size_t n = sizeof(buffer);
		ssize_t got;

		if (end - at < (off_t)n)
			n = (size_t)(end - at);
		got = pread(from, buffer, n, at);
		ck_assert_int_gt(got, 0);
		ck_assert_int_eq(pwrite(to, buffer, (size_t)got, at), got);
		at += got;
	}
}

void copy_data(int from, int to)
{
	struct stat st;
	off_t at = 0;

	ck_assert_int_eq(fstat(from, &st), 0);
	/* Even of an empty file that makes some file systems write early. */
	if (lseek(to, 0, SEEK_END))
		ck_assert_int_eq(ftruncate(to, 0), 0);
	ck_assert_int_eq(ftruncate(to, st.st_size), 0);
	while (at < st.st_size) {
		off_t data = lseek(from, at, SEEK_DATA);

		if (data < 0)
			break;
		at = lseek(from, data, SEEK_HOLE);
		copy_range(from, to, data, at);
	}
}

static void copy_name(int dirfd, const char *name, void *arg)
{
	const int *to = arg;
	int in = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	int out =
		openat(*to, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	ck_assert_int_ge(in, 0);
	ck_assert_int_ge(out, 0);
	copy_data(in, out);
	close(in);
	close(out);
}

void copy_tree(const char *from, const char *to)
{
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", store_path(), to);
	remove_tree(path);
	ck_assert_int_eq(mkdirat(store, to, 0777), 0);
	fd = openat(store, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	each_name(from, copy_name, &fd);
	close(fd);
}

const char *log_path(uint64_t base, const char *suffix)
{
	static char path[64];

	snprintf(path, sizeof(path), LOG "/%020" PRIu64 ".%s", base, suffix);
	return path;
}

int open_file(const char *path)
{
	int fd = openat(store, path, O_RDWR | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

bool file_exists(const char *path)
{
	return !faccessat(store, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

uint64_t file_size(const char *path)
{
	struct stat st;

	ck_assert_int_eq(fstatat(store, path, &st, 0), 0);
	return (uint64_t)st.st_size;
}

void restore_file(const char *path)
{
	char before[80];

	snprintf(before, sizeof(before), "before%s", strchr(path, '/'));
	ck_assert_int_eq(renameat(store, before, store, path), 0);
}

void read_file(const char *path, uint64_t at, void *buffer, size_t bytes)
{
	int fd = open_file(path);

	ck_assert_uint_eq((size_t)pread(fd, buffer, bytes, (off_t)at), bytes);
	close(fd);
}

void write_file(const char *path, uint64_t at, const void *data, size_t bytes)
{
	int fd = open_file(path);

	ck_assert_uint_eq((size_t)pwrite(fd, data, bytes, (off_t)at), bytes);
	close(fd);
}

void zero_file(const char *path, uint64_t from, uint64_t to)
{
	char *zeros = calloc(1, to - from + 1);

	write_file(path, from, zeros, to - from);
	free(zeros);
}

void flip_bit(const char *path, uint64_t byte, unsigned bit)
{
	unsigned char value;

	read_file(path, byte, &value, 1);
	value ^= (unsigned char)(1U << bit);
	write_file(path, byte, &value, 1);
}

void shorten_file(const char *path, uint64_t size)
{
	int fd = open_file(path);

	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

void make_file(const char *path, const char *text)
{
	int fd = openat(store, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			0666);

	ck_assert_int_ge(fd, 0);
	close(fd);
	if (*text)
		write_file(path, 0, text, strlen(text));
}

bool file_holds(const char *path, const void *bytes, size_t n)
{
	size_t size = file_size(path);
	char *all = malloc(size + 1);
	bool found;

	read_file(path, 0, all, size);
	found = memmem(all, size, bytes, n);
	free(all);
	return found;
}

struct search {
	const char *suffix;
	char path[300];
	int count;
};

static void compare(int dirfd, const char *name, void *arg)
{
	struct search *search = arg;
	const char *end = strstr(name, search->suffix);

	(void)dirfd;
	if (!end || strlen(end) != strlen(search->suffix))
		return;
	snprintf(search->path, sizeof(search->path), LOG "/%s", name);
	search->count++;
}

static struct search search;

int count_files(const char *suffix)
{
	search = (struct search){ .suffix = suffix };
	each_name(LOG, compare, &search);
	return search.count;
}

const char *find_file(const char *suffix)
{
	return count_files(suffix) ? search.path : NULL;
}
