/* SPDX-License-Identifier: MIT */
/* Salvage: a head made anew, by what the rest of the log says. */
#include "salvage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "head.h"
#include "io.h"
#include "trailer.h"

/* Whether a segment has a trailer. What cannot be read now is not what is not
 * there: without it, less would be found than there is. */
static int read_trailer(int dirfd, uint64_t base,
			struct maplog_trailer *trailer, bool *has)
{
	char name[DIR_NAME_SIZE];
	uint64_t size;
	int ret;
	int fd;

	*has = false;
	dir_name(name, base, DIR_LOG);
	ret = io_open(dirfd, name, O_RDONLY, 0, &fd, &size);
	if (ret)
		return io_is_no_file(ret) ? 0 : ret;
	ret = trailer_read(fd, size, trailer);
	close(fd);
	*has = !ret && trailer->base == base;
	return ret == -ENODATA ? 0 : ret;
}

/* The last trailer there is: it knows whose segment it is. */
static int find_trailer(int dirfd, const uint64_t *bases, size_t count,
			struct maplog_trailer *trailer)
{
	bool has = false;
	int ret = 0;

	while (!ret && !has && count--)
		ret = read_trailer(dirfd, bases[count], trailer, &has);
	return ret || has ? ret : -EUCLEAN;
}

/* A checkpoint may have outlived the damage to the rest of the page. */
static int find_checkpoint(int dirfd, const struct maplog_trailer *trailer,
			   struct maplog_checkpoint *checkpoint, bool *has)
{
	struct maplog_head page;
	int ret;
	int fd;

	*has = false;
	ret = io_open(dirfd, HEAD_NAME, O_RDONLY, 0, &fd, NULL);
	if (ret)
		return io_is_no_file(ret) ? 0 : ret;
	ret = io_read(fd, &page, sizeof(page), 0);
	close(fd);
	if (ret)
		return ret == -ENODATA ? 0 : ret;
	memcpy(page.uuid, trailer->uuid, sizeof(page.uuid));
	*has = head_checkpoint(&page, checkpoint);
	return 0;
}

int salvage_head(int dirfd, mode_t mode)
{
	struct maplog_checkpoint state = { 0 };
	struct maplog_trailer trailer;
	uint64_t *bases;
	size_t count;
	bool has;
	int ret;

	ret = dir_segments(dirfd, &bases, &count);
	if (ret)
		return ret;
	ret = find_trailer(dirfd, bases, count, &trailer);
	assert(ret || count);
	if (!ret)
		ret = find_checkpoint(dirfd, &trailer, &state, &has);
	if (!ret && !has) {
		state.first = bases[0];
		/* A segment begins when the one before it is durable, or is
		 * scanned with it: this says less than is true. */
		state.durable = bases[0];
		state.generation = trailer.generation;
	}
	free(bases);
	if (!ret)
		ret = dir_make_way(dirfd, HEAD_NAME);
	return ret ? ret : head_rebuild(dirfd, mode, trailer.uuid, &state);
}
