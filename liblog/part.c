/* SPDX-License-Identifier: MIT */
/* Parts of a segment's files, held in windows. */
#include "part.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dir.h"
#include "follow.h"
#include "io.h"

static int open_file(struct maplog *log, const struct place *place,
		     enum maplog_file file, int *fd, bool *opened)
{
	static const char *const suffix[2] = { DIR_LOG, DIR_INDEX };
	char name[DIR_NAME_SIZE];

	*opened = !place->fd;
	if (place->fd) {
		*fd = place->fd[file];
		return 0;
	}
	dir_name(name, place->row.base, suffix[file]);
	return io_open(log->dirfd, name, O_RDONLY, 0, fd, NULL);
}

/* With the lock on segments held. */
static int map_open(struct maplog *log, const struct place *place, int fd,
		    struct part part, struct maplog_window **window)
{
	uint64_t size;
	int ret;

	ret = io_size(fd, &size);
	if (ret)
		return ret;
	if (size > INT64_MAX / 2 || part.offset >= size)
		return -EUCLEAN;
	if (place->row.whole && !place->fd) {
		part.offset = 0;
		part.size = size;
	}
	if (part.size > size - part.offset)
		part.size = size - part.offset;
	return windows_map(&log->windows, part.key, fd, part.offset, part.size,
			   window);
}

static int get_open(struct maplog *log, const struct place *place, int fd,
		    const struct part *part, struct maplog_window **window)
{
	if (part->copied) {
		int ret = window_copy(fd, part->peek, part->bytes, window);

		return ret == -ENODATA ? -EUCLEAN : ret;
	}
	/* Where this does not work, mapping tells why. */
	if (part->bytes && !peek_is_frequent(&log->peeks, part->key) &&
	    !peek(&log->peeks, place->row.id, part->file, fd, part->peek,
		  part->bytes, window))
		return 0;
	return map_open(log, place, fd, *part, window);
}

/* What somebody else has come by since it was looked for. */
static struct maplog_window *find_again(struct maplog *log,
					const struct place *place,
					const struct part *part)
{
	struct maplog_window *window =
		part->key ? windows_find(&log->windows, part->key) : NULL;

	if (!window && part->bytes)
		window = peek_again(&log->peeks, place->row.id, part->file,
				    part->peek, part->bytes);
	return window;
}

static int get_locked(struct maplog *log, const struct place *place,
		      const struct part *part, struct maplog_window **window)
{
	bool opened;
	int ret;
	int fd;

	assert(place->fd || place->version % 2 == 0);

	/* Only while the table is as it was is a file what its row says. */
	if (!place->fd && table_changed(&log->table, place->version))
		return -EAGAIN;
	*window = find_again(log, place, part);
	if (*window)
		return 0;
	ret = open_file(log, place, part->file, &fd, &opened);
	if (ret)
		return ret;
	ret = get_open(log, place, fd, part, window);
	if (opened)
		close(fd);
	return ret;
}

int part_hold(struct maplog *log, const struct place *place,
	      const struct part *part, struct maplog_window **window)
{
	int ret;

	pthread_mutex_lock(&log->segments);
	ret = get_locked(log, place, part, window);
	pthread_mutex_unlock(&log->segments);
	if (place->fd || ret == -EAGAIN)
		return ret;
	/* The files may have been another writer's next ones. */
	if (follow_is_behind(log)) {
		if (!ret)
			window_put(*window);
		return -EAGAIN;
	}
	/* A segment without its files. */
	return ret == -ENOENT || ret == -ELOOP ? -EUCLEAN : ret;
}
