/* SPDX-License-Identifier: MIT */
/* Named readers: their positions, kept with the log. */
#include "reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc.h"
#include "dir.h"
#include "io.h"
#include "lock.h"
#include "private.h"

#define SUFFIX	  "." DIR_READER
#define NAME_SIZE (MAPLOG_READER_NAME_MAX + sizeof(SUFFIX))

struct maplog_reader {
	int fd;
	struct maplog_bookmark file;
};

bool maplog_reader_is_name(const char *name)
{
	return dir_is_reader_name(name, strlen(name));
}

static int file_name(const char *name, char file[NAME_SIZE])
{
	if (!maplog_reader_is_name(name))
		return -EINVAL;
	snprintf(file, NAME_SIZE, "%s%s", name, SUFFIX);
	return 0;
}

/* ---- What is in a file ---- */

static uint32_t checksum(const struct maplog_bookmark *file)
{
	return maplog_crc32c(0, file, offsetof(struct maplog_bookmark, crc));
}

static void fill(const struct maplog *log,
		 const struct maplog_position *position,
		 struct maplog_bookmark *file)
{
	*file = (struct maplog_bookmark){
		.version = MAPLOG_FORMAT_VERSION,
		.size = sizeof(*file),
		.next = position->next,
		.generation = position->generation,
		.time = position->time,
		.entry_crc = position->crc,
	};
	memcpy(file->magic, MAPLOG_BOOKMARK_MAGIC, sizeof(file->magic));
	memcpy(file->uuid, log->head.page->uuid, sizeof(file->uuid));
	file->crc = checksum(file);
}

static int check(const struct maplog *log, const struct maplog_bookmark *file)
{
	if (memcmp(file->magic, MAPLOG_BOOKMARK_MAGIC, sizeof(file->magic)) ||
	    file->version != MAPLOG_FORMAT_VERSION ||
	    file->size != sizeof(*file) || file->crc != checksum(file) ||
	    memcmp(file->uuid, log->head.page->uuid, sizeof(file->uuid)))
		return -EUCLEAN;
	return 0;
}

static int load(const struct maplog *log, int fd, struct maplog_bookmark *file)
{
	int ret;

	ret = io_read(fd, file, sizeof(*file), 0);
	if (ret)
		return ret == -ENODATA ? -EUCLEAN : ret;
	return check(log, file);
}

/* ---- Being one ---- */

static int begin(struct maplog *log, int fd, uint64_t start,
		 struct maplog_bookmark *file)
{
	struct maplog_position position;
	int ret;

	maplog_position_set(log, start, &position);
	fill(log, &position, file);
	ret = io_write(fd, file, sizeof(*file), 0);
	if (!ret)
		ret = io_sync(fd);
	return ret ? ret : io_sync_dir(log->dirfd);
}

static int take(struct maplog *log, int fd, uint64_t start,
		struct maplog_bookmark *file)
{
	uint64_t size;
	int ret;

	ret = lock_take(fd);
	if (!ret)
		ret = io_size(fd, &size);
	if (ret)
		return ret;
	/* Without anything in it, it was never begun. */
	return size ? load(log, fd, file) : begin(log, fd, start, file);
}

int maplog_reader_open(struct maplog *log, const char *name, uint64_t start,
		       struct maplog_reader **reader)
{
	struct maplog_reader *opened;
	char file[NAME_SIZE];
	int ret;

	ret = file_name(name, file);
	if (ret)
		return ret;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	ret = io_open(log->dirfd, file, O_RDWR | O_CREAT, log->mode,
		      &opened->fd, NULL);
	if (ret)
		goto free_reader;
	ret = take(log, opened->fd, start, &opened->file);
	if (ret)
		goto close_fd;
	*reader = opened;
	return 0;

close_fd:
	close(opened->fd);
free_reader:
	free(opened);
	return ret;
}

void maplog_reader_position(const struct maplog_reader *reader,
			    struct maplog_position *position)
{
	*position = (struct maplog_position){
		.next = reader->file.next,
		.generation = reader->file.generation,
		.time = reader->file.time,
		.crc = reader->file.entry_crc,
	};
}

int maplog_reader_store(struct maplog_reader *reader,
			const struct maplog_position *position)
{
	struct maplog_bookmark *file = &reader->file;

	assert(file->size == sizeof(*file));

	file->next = position->next;
	file->generation = position->generation;
	file->time = position->time;
	file->entry_crc = position->crc;
	file->crc = checksum(file);
	return io_write(reader->fd, file, sizeof(*file), 0);
}

int maplog_reader_sync(struct maplog_reader *reader)
{
	return io_sync(reader->fd);
}

int maplog_reader_close(struct maplog_reader *reader)
{
	int ret;

	if (!reader)
		return 0;
	ret = maplog_reader_sync(reader);
	close(reader->fd);
	free(reader);
	return ret;
}

int maplog_reader_forget(struct maplog *log, const char *name)
{
	char file[NAME_SIZE];
	int ret;
	int fd;

	ret = file_name(name, file);
	if (!ret)
		ret = io_open(log->dirfd, file, O_RDONLY, 0, &fd, NULL);
	if (ret)
		return ret;
	ret = lock_take(fd);
	if (!ret && unlinkat(log->dirfd, file, 0))
		ret = -errno;
	close(fd);
	return ret ? ret : io_sync_dir(log->dirfd);
}

/* ---- Listing ---- */

struct listing {
	struct maplog *log;
	struct maplog_reader_info *list;
	size_t count;
};

static int add(void *arg, const char *name)
{
	struct listing *listing = arg;
	struct maplog_reader_info *grown;
	struct maplog_bookmark file;
	int fd;

	if (!dir_is_reader(name))
		return 0;
	grown = reallocarray(listing->list, listing->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	listing->list = grown;
	grown += listing->count++;
	snprintf(grown->name, sizeof(grown->name), "%.*s",
		 (int)(strlen(name) - strlen(SUFFIX)), name);
	grown->next = 0;
	/* Where it cannot be told how far it has got, it has got nowhere. */
	if (io_open(listing->log->dirfd, name, O_RDONLY, 0, &fd, NULL))
		return 0;
	if (!load(listing->log, fd, &file))
		grown->next = file.next;
	close(fd);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct maplog_reader_info *one = a;
	const struct maplog_reader_info *other = b;

	return strcmp(one->name, other->name);
}

int maplog_reader_list(struct maplog *log, struct maplog_reader_info **list,
		       size_t *count)
{
	struct listing listing = { .log = log };
	int ret;

	ret = dir_each(log->dirfd, add, &listing);
	if (ret) {
		free(listing.list);
		return ret;
	}
	if (listing.count)
		qsort(listing.list, listing.count, sizeof(*listing.list),
		      by_name);
	*list = listing.list;
	*count = listing.count;
	return 0;
}
