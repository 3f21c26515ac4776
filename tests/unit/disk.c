/* SPDX-License-Identifier: MIT */
/* A disk that forgets: what a power cut may leave of a log's directory. */
#include "disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"
#include "fixture.h"

#define FILES_MAX 96
#define NAMES_MAX 64
#define MOVES_MAX 64

/* A file that has or had a name. */
struct file {
	ino_t ino;
	int fd; /* -1: it had no name when its writer was killed */
	struct content durable;
	struct content live; /* as it was looked at last */
};

struct name {
	char name[40];
	int file;
};

struct names {
	struct name name[NAMES_MAX];
	int count;
};

/* A change of names: a file loses one, or gets one, or both at once. */
struct move {
	char from[40];
	char to[40];
	int file;
};

struct disk {
	pthread_mutex_t lock;
	struct plan plan;
	int dirfd;
	ino_t ino; /* of the directory */
	pthread_t owner;
	bool now; /* a cut was asked for */
	uint64_t mark;
	struct file file[FILES_MAX];
	int files;
	struct names durable;
	struct move move[MOVES_MAX]; /* since then */
	int moves;
	struct cut *cut;
	size_t cuts;
	size_t room;
	/* When a cut that lost all was kept last. */
	uint64_t syncs;
	uint64_t all_syncs;
	uint64_t all_mark;
};

static struct disk *attached;
static uint64_t chance;
static uint64_t made;

static uint64_t roll_dice(void)
{
	chance = chance * 6364136223846793005U + 1442695040888963407U;
	return chance >> 33;
}

static bool toss(void)
{
	return roll_dice() & 1;
}

static int add_file(struct disk *disk, ino_t ino, const char *name)
{
	struct file *file = &disk->file[disk->files];

	must(disk->files < FILES_MAX);
	memset(file, 0, sizeof(*file));
	file->ino = ino;
	file->fd = openat(disk->dirfd, name, O_RDONLY | O_CLOEXEC);
	must(file->fd >= 0);
	return disk->files++;
}

static void put_name(struct names *names, const char *name, int file)
{
	struct name *at = names->name;

	while (at < names->name + names->count && strcmp(at->name, name))
		at++;
	must(at < names->name + NAMES_MAX);
	if (at == names->name + names->count)
		names->count++;
	snprintf(at->name, sizeof(at->name), "%.39s", name);
	at->file = file;
}

static void drop_name(struct names *names, const char *name)
{
	for (int i = 0; i < names->count; i++) {
		if (!strcmp(names->name[i].name, name)) {
			names->name[i] = names->name[--names->count];
			return;
		}
	}
}

static void apply(struct names *names, const struct move *move)
{
	if (*move->from)
		drop_name(names, move->from);
	if (*move->to)
		put_name(names, move->to, move->file);
}

static struct names names_now(const struct disk *disk)
{
	struct names now = disk->durable;

	for (int i = 0; i < disk->moves; i++)
		apply(&now, &disk->move[i]);
	return now;
}

static int file_of(const struct disk *disk, const char *name)
{
	struct names now = names_now(disk);

	for (int i = 0; i < now.count; i++) {
		if (!strcmp(now.name[i].name, name))
			return now.name[i].file;
	}
	return -1;
}

static void add_move(struct disk *disk, const char *from, const char *to,
		     int file)
{
	struct move *move = &disk->move[disk->moves];

	must(disk->moves++ < MOVES_MAX);
	snprintf(move->from, sizeof(move->from), "%.39s", from);
	snprintf(move->to, sizeof(move->to), "%.39s", to);
	move->file = file;
}

static bool is_here(const struct disk *disk, int dirfd)
{
	struct stat st;

	must(!fstat(dirfd, &st));
	return st.st_ino == disk->ino;
}

static void on_made(int fd, const char *name)
{
	struct disk *disk = attached;
	struct stat st;

	must(!fstat(fd, &st));
	pthread_mutex_lock(&disk->lock);
	add_move(disk, "", name, add_file(disk, st.st_ino, name));
	pthread_mutex_unlock(&disk->lock);
}

static void on_unlinked(int dirfd, const char *name)
{
	struct disk *disk = attached;

	pthread_mutex_lock(&disk->lock);
	if (is_here(disk, dirfd))
		add_move(disk, name, "", -1);
	pthread_mutex_unlock(&disk->lock);
}

static void on_moved(int dirfd, const char *from, const char *to)
{
	struct disk *disk = attached;

	pthread_mutex_lock(&disk->lock);
	if (is_here(disk, dirfd))
		add_move(disk, from, to, file_of(disk, from));
	pthread_mutex_unlock(&disk->lock);
}

static void sync_file(struct disk *disk, ino_t ino)
{
	for (int i = 0; i < disk->files; i++) {
		if (disk->file[i].ino == ino && disk->file[i].fd >= 0)
			content_load(&disk->file[i].durable, disk->file[i].fd);
	}
}

static void on_synced(int fd)
{
	struct disk *disk = attached;
	struct stat st;

	must(!fstat(fd, &st));
	pthread_mutex_lock(&disk->lock);
	disk->syncs++;
	if (st.st_ino != disk->ino)
		sync_file(disk, st.st_ino);
	for (int i = 0; st.st_ino == disk->ino && i < disk->moves; i++)
		apply(&disk->durable, &disk->move[i]);
	if (st.st_ino == disk->ino)
		disk->moves = 0;
	pthread_mutex_unlock(&disk->lock);
}

static bool keeps_names(enum loss loss)
{
	return loss == LOSS_NONE || loss == LOSS_CONTENTS ||
	       (loss == LOSS_SOME && toss());
}

static void leave_file(const struct file *file, enum loss loss, int to)
{
	static struct content torn;
	bool all = loss == LOSS_NONE || loss == LOSS_NAMES;

	/* A third of them lose all, a third nothing. */
	if (loss == LOSS_SOME && roll_dice() % 3 == 0) {
		content_tear(&torn, &file->durable, &file->live, toss);
		content_store(&torn, to);
		return;
	}
	if (loss == LOSS_SOME)
		all = toss();
	content_store(all ? &file->live : &file->durable, to);
}

static void leave(const struct disk *disk, const char *directory,
		  enum loss loss)
{
	struct names names = disk->durable;
	int dir;

	for (int i = 0; i < disk->moves; i++) {
		if (keeps_names(loss))
			apply(&names, &disk->move[i]);
	}
	must(!mkdirat(store, directory, 0777));
	dir = openat(store, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir >= 0);
	for (int i = 0; i < names.count; i++) {
		int fd = openat(dir, names.name[i].name,
				O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

		must(fd >= 0);
		leave_file(&disk->file[names.name[i].file], loss, fd);
		close(fd);
	}
	close(dir);
}

/* What will be durable of it when all else goes on as it is. */
static struct disk *copy_past(const struct disk *disk)
{
	struct disk *past = calloc(1, sizeof(*past));

	must(past);
	past->files = disk->files;
	past->durable = disk->durable;
	past->moves = disk->moves;
	memcpy(past->move, disk->move, sizeof(past->move));
	for (int i = 0; i < disk->files; i++) {
		past->file[i].fd = -1;
		content_copy(&past->file[i].durable, &disk->file[i].durable);
		content_copy(&past->file[i].live, &disk->file[i].live);
	}
	return past;
}

static void add_cut(struct disk *disk, enum loss loss)
{
	struct cut *cut;

	if (disk->cuts == disk->room) {
		disk->room = disk->room ? disk->room * 2 : 16;
		disk->cut = realloc(disk->cut, disk->room * sizeof(*disk->cut));
		must(disk->cut);
	}
	cut = &disk->cut[disk->cuts++];
	cut->mark = disk->mark;
	cut->loss = loss;
	cut->exact = pthread_equal(pthread_self(), disk->owner);
	cut->past = loss == LOSS_NONE ? copy_past(disk) : NULL;
	snprintf(cut->name, sizeof(cut->name), "cut-%d", (int)made++);
	leave(disk, cut->name, loss);
}

/* Whether it would be the same as the one that was kept last. */
static bool is_known(struct disk *disk)
{
	bool known =
		disk->all_syncs == disk->syncs && disk->all_mark == disk->mark;

	disk->all_syncs = disk->syncs;
	disk->all_mark = disk->mark;
	return known;
}

static void keep_cuts(struct disk *disk)
{
	for (int i = 0; i < disk->files; i++) {
		if (disk->file[i].fd >= 0)
			content_load(&disk->file[i].live, disk->file[i].fd);
	}
	for (int i = 0; i < LOSSES; i++) {
		enum loss loss = (enum loss)i;
		unsigned n = loss == LOSS_SOME ? disk->plan.some : 1;

		if (!(disk->plan.losses & 1U << loss) ||
		    (loss == LOSS_ALL && is_known(disk)) ||
		    (loss == LOSS_NONE && roll_dice() % disk->plan.kill_one_in))
			continue;
		while (n--)
			add_cut(disk, loss);
	}
}

static void before(void)
{
	struct disk *disk = attached;

	pthread_mutex_lock(&disk->lock);
	if (disk->now ||
	    (disk->plan.one_in && roll_dice() % disk->plan.one_in == 0))
		keep_cuts(disk);
	disk->now = false;
	pthread_mutex_unlock(&disk->lock);
}

static const struct call_watch disk_watch = {
	before, on_synced, on_made, on_unlinked, on_moved,
};

void disk_cut(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	disk->now = true;
	pthread_mutex_unlock(&disk->lock);
	calls_look();
}

void disk_replan(struct disk *disk, const struct plan *plan)
{
	pthread_mutex_lock(&disk->lock);
	disk->plan = *plan;
	pthread_mutex_unlock(&disk->lock);
}

void disk_mark(struct disk *disk, uint64_t mark)
{
	pthread_mutex_lock(&disk->lock);
	disk->mark = mark;
	pthread_mutex_unlock(&disk->lock);
}

static void list_files(struct disk *disk)
{
	int fd = openat(disk->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	must(dir);
	while ((entry = readdir(dir))) {
		int file;

		if (entry->d_name[0] == '.')
			continue;
		file = add_file(disk, entry->d_ino, entry->d_name);
		content_load(&disk->file[file].durable, disk->file[file].fd);
		put_name(&disk->durable, entry->d_name, file);
	}
	closedir(dir);
}

/* The same files, by the names that they had when their writer was killed. */
static void find_files(struct disk *disk)
{
	struct names now = names_now(disk);

	for (int i = 0; i < now.count; i++) {
		struct file *file = &disk->file[now.name[i].file];
		struct stat st;

		file->fd = openat(disk->dirfd, now.name[i].name,
				  O_RDONLY | O_CLOEXEC);
		must(file->fd >= 0 && !fstat(file->fd, &st));
		file->ino = st.st_ino;
	}
}

struct disk *disk_attach(const char *name, struct disk *past,
			 const struct plan *plan, uint64_t seed)
{
	struct disk *disk = past ? past : calloc(1, sizeof(*disk));
	struct stat st;

	must(disk && !attached);
	pthread_mutex_init(&disk->lock, NULL);
	disk->dirfd = openat(store, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(disk->dirfd >= 0 && !fstat(disk->dirfd, &st));
	disk->ino = st.st_ino;
	disk->plan = *plan;
	disk->owner = pthread_self();
	disk->all_mark = UINT64_MAX;
	chance = seed;
	if (past)
		find_files(disk);
	else
		list_files(disk);
	attached = disk;
	calls_watch(&disk_watch);
	return disk;
}

void disk_forget(struct disk *past)
{
	if (!past)
		return;
	for (int i = 0; i < past->files; i++) {
		if (past->file[i].fd >= 0)
			close(past->file[i].fd);
		content_free(&past->file[i].durable);
		content_free(&past->file[i].live);
	}
	free(past);
}

size_t disk_detach(struct disk *disk, struct cut **cuts)
{
	size_t n = disk->cuts;

	must(attached == disk);
	calls_watch(NULL);
	attached = NULL;
	close(disk->dirfd);
	pthread_mutex_destroy(&disk->lock);
	*cuts = disk->cut;
	disk_forget(disk);
	return n;
}
