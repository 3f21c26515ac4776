/* SPDX-License-Identifier: MIT */
/* The store, and its books: the logs that are open. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "name.h"
#include "predecessor.h"
#include "report.h"
#include "together.h"
#include "watch.h"

int store_open(struct store *store, const char *path, bool read_only,
	       const struct maplog_options *defaults)
{
	*store = (struct store){
		.read_only = read_only,
		.defaults = *defaults,
	};
	store->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dirfd < 0)
		return -errno;
	pthread_mutex_init(&store->lock, NULL);
	return 0;
}

/* ---- Books ---- */

static bool has_head(int dirfd)
{
	return !faccessat(dirfd, "head", F_OK, AT_SYMLINK_NOFOLLOW);
}

/* Whether a directory holds a log, if perhaps a damaged one. */
static bool holds_log(int dirfd)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir;
	int fd;

	if (has_head(dirfd))
		return true;
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(dir))) {
		enum node_kind kind;
		uint64_t base;

		found = name_segment(entry->d_name, &kind, &base);
	}
	closedir(dir);
	return found;
}

static int open_dir(const struct store *store, const char *name, int *fd)
{
	int dir;

	if (!name_is_log(name))
		return -ENOENT;
	dir = openat(store->dirfd, name,
		     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
	if (!holds_log(dir)) {
		close(dir);
		return -ENOENT;
	}
	*fd = dir;
	return 0;
}

static struct book *find(const struct store *store, const char *name)
{
	struct book *book = store->books;

	while (book && strcmp(book->name, name) != 0)
		book = book->next;
	return book;
}

/* Whether a name in the store stands for the directory of a book. */
static bool is_at(const struct stat *named, const struct book *book)
{
	return named->st_ino == book->number && named->st_dev == book->device;
}

/* A book that somebody gave another name in the store. */
static struct book *find_moved(const struct store *store,
			       const struct stat *named)
{
	struct book *book = store->books;

	while (book && !is_at(named, book))
		book = book->next;
	return book;
}

static int make_book(struct store *store, const char *name, struct book **made)
{
	struct book *book = calloc(1, sizeof(*book));
	struct stat st;
	int ret;

	if (!book)
		return -ENOMEM;
	ret = open_dir(store, name, &book->dirfd);
	if (!ret && fstat(book->dirfd, &st)) {
		ret = -errno;
		close(book->dirfd);
	}
	if (ret) {
		free(book);
		return ret;
	}
	book->number = st.st_ino;
	book->device = st.st_dev;
	strcpy(book->name, name);
	book->holders = 1;
	*made = book;
	return 0;
}

static void list_book(struct store *store, struct book *book)
{
	book_open(store, book);
	book->watch = watch_new(book);
	book->next = store->books;
	store->books = book;
}

static int add(struct store *store, const char *name, struct book **added)
{
	int ret = make_book(store, name, added);

	if (!ret)
		list_book(store, *added);
	return ret;
}

static void unlist(struct store *store, struct book *book)
{
	struct book **at = &store->books;

	while (*at != book)
		at = &(*at)->next;
	*at = book->next;
	book_put(book);
}

/* It was removed in the store, or has a name there that nobody asked for. */
static void lose_name(struct store *store, struct book *book)
{
	struct stat st;

	*book->name = 0;
	if (fstat(book->dirfd, &st) || st.st_nlink)
		return;
	book->removed = true;
	unlist(store, book);
}

/* With the list locked. What is in the store counts: logs are removed, made and
 * renamed there, too. */
static int get_locked(struct store *store, const char *name, struct book **book)
{
	struct stat named = { .st_ino = 0 };

	if (!name_is_log(name) ||
	    fstatat(store->dirfd, name, &named, AT_SYMLINK_NOFOLLOW))
		named.st_ino = 0;
	*book = find(store, name);
	if (*book && is_at(&named, *book)) {
		if (!book_is_shut_for_now(*book))
			return 0;
		/* Who has the old one keeps it; the new one has its name. */
		unlist(store, *book);
		return add(store, name, book);
	}
	if (*book)
		lose_name(store, *book);
	*book = named.st_ino ? find_moved(store, &named) : NULL;
	if (!*book)
		return add(store, name, book);
	strcpy((*book)->name, name);
	return 0;
}

int store_get(struct store *store, const char *name, struct book **book)
{
	int ret;

	pthread_mutex_lock(&store->lock);
	ret = get_locked(store, name, book);
	if (!ret)
		book_hold(*book);
	pthread_mutex_unlock(&store->lock);
	return ret;
}

/* ---- Names ---- */

/* With the list locked. */
static int remove_locked(struct store *store, const char *name)
{
	struct book *book;
	int ret;

	ret = get_locked(store, name, &book);
	if (!ret)
		ret = book_writable(book);
	if (!ret)
		ret = maplog_delete(book->log, store->dirfd, name);
	if (!ret) {
		book->removed = true;
		unlist(store, book);
	}
	return ret;
}

int store_remove(struct store *store, const char *name)
{
	int ret;

	if (store->read_only)
		return -EROFS;
	if (!name_is_log(name))
		return -EPERM;
	pthread_mutex_lock(&store->lock);
	ret = remove_locked(store, name);
	pthread_mutex_unlock(&store->lock);
	return ret;
}

static int give_to(int storefd, const char *name, uid_t uid, gid_t gid)
{
	/* Only root can give files away; else they are the daemon's own. */
	if (geteuid())
		return 0;
	if (fchownat(storefd, name, uid, gid, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return 0;
}

int store_create(struct store *store, const char *name, mode_t mode, uid_t uid,
		 gid_t gid)
{
	int ret;

	if (store->read_only)
		return -EROFS;
	if (!name_is_log(name))
		return -EINVAL;
	ret = maplog_create(store->dirfd, name, mode, &store->defaults);
	if (ret)
		return ret;
	ret = give_to(store->dirfd, name, uid, gid);
	if (ret)
		(void)maplog_remove(store->dirfd, name);
	return ret;
}

static int rename_locked(struct store *store, const char *from, const char *to)
{
	struct book *book = find(store, from);

	/* Never over another log, not even an empty one. */
	if (renameat2(store->dirfd, from, store->dirfd, to, RENAME_NOREPLACE))
		return -errno;
	if (book)
		strcpy(book->name, to);
	return fsync(store->dirfd) ? -errno : 0;
}

int store_rename(struct store *store, const char *from, const char *to)
{
	int ret;

	if (store->read_only)
		return -EROFS;
	if (!name_is_log(from) || !name_is_log(to))
		return -EPERM;
	pthread_mutex_lock(&store->lock);
	ret = rename_locked(store, from, to);
	pthread_mutex_unlock(&store->lock);
	return ret;
}

static DIR *open_store_dir(const struct store *store)
{
	int fd = openat(store->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

int store_each(struct store *store, uint64_t from,
	       int (*visit)(void *arg, const struct store_entry *entry),
	       void *arg)
{
	DIR *dir = open_store_dir(store);
	struct dirent *found;
	int ret = 0;

	if (!dir)
		return -errno;
	if (from)
		seekdir(dir, (long)from);
	while (!ret && (found = readdir(dir))) {
		const struct store_entry entry = {
			.name = found->d_name,
			.number = found->d_ino,
			.next = (uint64_t)found->d_off,
		};
		int fd;

		if (open_dir(store, entry.name, &fd))
			continue;
		close(fd);
		ret = visit(arg, &entry);
	}
	closedir(dir);
	return ret;
}

/* Logs that are opened at once when the daemon starts. */
#define OPENERS 8

/* Logs that are to be opened. */
struct opening {
	struct store *store;
	struct book **books;
	size_t count;
	size_t room;
};

static int plan_one(void *arg, const struct store_entry *entry)
{
	struct opening *opening = arg;

	if (opening->count == opening->room) {
		size_t room = opening->room ? 2 * opening->room : 64;
		void *books = reallocarray(opening->books, room,
					   sizeof(*opening->books));

		if (!books)
			return -ENOMEM;
		opening->books = books;
		opening->room = room;
	}
	if (!make_book(opening->store, entry->name,
		       &opening->books[opening->count]))
		opening->count++;
	return 0;
}

/* What that cannot open is tried again, and reported, one by one. */
static void open_one(void *arg, size_t i)
{
	const struct opening *opening = arg;

	(void)book_try(opening->store, opening->books[i]);
}

void store_open_all(struct store *store, const char *mountpoint)
{
	struct opening opening = { .store = store };
	int ret;

	store->mountpoint = mountpoint;
	ret = store_each(store, 0, plan_one, &opening);
	/* To open one is to wait for the disk some times. */
	together(opening.count, OPENERS, open_one, &opening);
	store->patience = PREDECESSOR_PATIENCE;
	for (size_t i = 0; i < opening.count; i++)
		list_book(store, opening.books[i]);
	store->patience = 0;
	free(opening.books);
	if (ret)
		report(LOG_ERR, "reading the store: %s", strerror(-ret));
}

void store_close(struct store *store)
{
	while (store->books)
		unlist(store, store->books);
	pthread_mutex_destroy(&store->lock);
	close(store->dirfd);
}
