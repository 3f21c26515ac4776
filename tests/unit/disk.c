/* SPDX-License-Identifier: MIT */
/* A disk that forgets: what a power cut leaves of a log's directory. */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"

#define FILES_MAX 256
#define NAMES_MAX 64
#define SECTOR	  512

/* What is durable of a file. */
struct file {
	ino_t ino;
	int content; /* a memfd; -1 if it never was synced */
};

struct name {
	char name[40];
	ino_t ino;
};

struct names {
	struct name name[NAMES_MAX];
	int count;
};

static struct {
	pthread_mutex_t lock;
	const char *name;
	int dirfd;
	ino_t ino; /* of the directory */
	unsigned losses;
	uint64_t mark;
	int every;
	int moments;
	struct file file[FILES_MAX];
	int files;
	struct names durable;
	struct crash *crash;
	int crashes;
	uint64_t random;
	uint64_t syncs;
	/* When the last crash that lost everything was kept. */
	uint64_t all_syncs;
	uint64_t all_mark;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .dirfd = -1 };

static bool toss(void)
{
	disk.random = disk.random * 6364136223846793005U + 1442695040888963407U;
	return disk.random >> 63;
}

static struct file *find_file_of(ino_t ino)
{
	for (int i = 0; i < disk.files; i++) {
		if (disk.file[i].ino == ino)
			return &disk.file[i];
	}
	ck_assert_int_lt(disk.files, FILES_MAX);
	disk.file[disk.files] = (struct file){ ino, -1 };
	return &disk.file[disk.files++];
}

static void list(struct names *names)
{
	int fd = openat(disk.dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	names->count = 0;
	while ((entry = readdir(dir))) {
		struct name *name = &names->name[names->count];

		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_lt(++names->count, NAMES_MAX);
		snprintf(name->name, sizeof(name->name), "%.39s",
			 entry->d_name);
		name->ino = entry->d_ino;
	}
	closedir(dir);
}

static void keep_content(int fd, ino_t ino)
{
	struct file *file = find_file_of(ino);
	char path[40];
	int in;

	/* It may be open for writing only. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	in = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(in, 0);
	if (file->content < 0)
		file->content = memfd_create("durable", MFD_CLOEXEC);
	ck_assert_int_ge(file->content, 0);
	copy_data(in, file->content);
	close(in);
}

static void forget_content(ino_t ino)
{
	struct file *file = find_file_of(ino);

	if (file->content >= 0)
		close(file->content);
	file->content = -1;
}

static void synced(int fd, bool created)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	pthread_mutex_lock(&disk.lock);
	disk.syncs++;
	if (disk.dirfd < 0)
		;
	else if (S_ISREG(st.st_mode) && created && !st.st_size)
		forget_content(st.st_ino);
	else if (S_ISREG(st.st_mode) && !created)
		keep_content(fd, st.st_ino);
	else if (st.st_ino == disk.ino && !created)
		list(&disk.durable);
	pthread_mutex_unlock(&disk.lock);
}

/* Sectors of what is written but not durable reach the disk as they like. */
static void mix(int from, int to)
{
	char sector[SECTOR];
	struct stat st;
	off_t at = 0;

	ck_assert_int_eq(fstat(from, &st), 0);
	if (toss())
		ck_assert_int_eq(ftruncate(to, st.st_size), 0);
	while (at < st.st_size) {
		off_t data = lseek(from, at, SEEK_DATA);
		ssize_t n;

		at = data < 0 ? st.st_size : lseek(from, data, SEEK_HOLE);
		for (; data >= 0 && data < at; data += SECTOR) {
			if (toss())
				continue;
			n = pread(from, sector, SECTOR, data);
			ck_assert_int_ge(n, 0);
			ck_assert_int_eq(pwrite(to, sector, (size_t)n, data),
					 n);
		}
	}
}

static int open_now(const struct names *now, ino_t ino)
{
	for (int i = 0; i < now->count; i++) {
		if (now->name[i].ino == ino)
			return openat(disk.dirfd, now->name[i].name,
				      O_RDONLY | O_CLOEXEC);
	}
	return -1;
}

static void leave_file(int to, const struct names *now, ino_t ino,
		       enum loss loss)
{
	const struct file *file = find_file_of(ino);
	int in;

	if (file->content >= 0)
		copy_data(file->content, to);
	if (loss == LOSS_ALL || loss == LOSS_CONTENTS)
		return;
	in = open_now(now, ino);
	if (in < 0)
		return;
	if (loss == LOSS_SOME || loss == LOSS_SOME_NAMES)
		mix(in, to);
	else
		copy_data(in, to);
	close(in);
}

static void leave(const char *directory, enum loss loss)
{
	bool lost = loss == LOSS_ALL || loss == LOSS_NAMES ||
		    loss == LOSS_SOME_NAMES;
	struct names now;
	const struct names *names = lost ? &disk.durable : &now;
	int dir;

	list(&now);
	ck_assert_int_eq(mkdirat(store, directory, 0777), 0);
	dir = openat(store, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	for (int i = 0; i < names->count; i++) {
		int fd = openat(dir, names->name[i].name,
				O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

		ck_assert_int_ge(fd, 0);
		leave_file(fd, &now, names->name[i].ino, loss);
		close(fd);
	}
	close(dir);
}

static void add_crash(enum loss loss)
{
	struct crash *crash;

	disk.crash = realloc(disk.crash,
			     (size_t)(disk.crashes + 1) * sizeof(*disk.crash));
	ck_assert_ptr_nonnull(disk.crash);
	crash = &disk.crash[disk.crashes];
	crash->mark = disk.mark;
	crash->loss = loss;
	snprintf(crash->name, sizeof(crash->name), "%.24s-%d", disk.name,
		 disk.crashes++);
	leave(crash->name, loss);
}

/* Whether it would be the same as the one that was kept last. */
static bool is_known(enum loss loss)
{
	bool known = disk.all_syncs == disk.syncs && disk.all_mark == disk.mark;

	if (loss != LOSS_ALL)
		return false;
	disk.all_syncs = disk.syncs;
	disk.all_mark = disk.mark;
	return known;
}

static void keep_crash(void)
{
	for (int i = 0; i < LOSSES; i++) {
		enum loss loss = (enum loss)i;

		if (disk.losses & 1U << loss && !is_known(loss))
			add_crash(loss);
	}
}

static void before(void)
{
	pthread_mutex_lock(&disk.lock);
	if (disk.dirfd >= 0 && disk.moments++ % disk.every == 0)
		keep_crash();
	pthread_mutex_unlock(&disk.lock);
}

static const struct call_watch watch = { before, synced };

void disk_crash(void)
{
	disk.moments = 0;
	calls_look();
}

void disk_mark(uint64_t mark)
{
	pthread_mutex_lock(&disk.lock);
	disk.mark = mark;
	pthread_mutex_unlock(&disk.lock);
}

static void keep_all(void)
{
	list(&disk.durable);
	for (int i = 0; i < disk.durable.count; i++) {
		int fd = openat(disk.dirfd, disk.durable.name[i].name,
				O_RDONLY | O_CLOEXEC);

		ck_assert_int_ge(fd, 0);
		keep_content(fd, disk.durable.name[i].ino);
		close(fd);
	}
}

void disk_attach(const char *name, unsigned losses, int every)
{
	struct stat st;

	disk.name = name;
	disk.dirfd = openat(store, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(disk.dirfd, 0);
	ck_assert_int_eq(fstat(disk.dirfd, &st), 0);
	disk.ino = st.st_ino;
	disk.losses = losses;
	disk.every = every;
	disk.moments = 0;
	disk.mark = 0;
	disk.crash = NULL;
	disk.crashes = 0;
	disk.all_mark = UINT64_MAX;
	keep_all();
	calls_watch(&watch);
}

int disk_detach(struct crash **crashes)
{
	calls_watch(NULL);
	/* A thread of the log may be about to look. */
	pthread_mutex_lock(&disk.lock);
	for (int i = 0; i < disk.files; i++)
		forget_content(disk.file[i].ino);
	disk.files = 0;
	close(disk.dirfd);
	disk.dirfd = -1;
	pthread_mutex_unlock(&disk.lock);
	*crashes = disk.crash;
	return disk.crashes;
}
