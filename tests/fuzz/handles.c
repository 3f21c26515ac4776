/* SPDX-License-Identifier: MIT */
/* Open files of the mount without a mount. */
#include "handles.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "notify.h"

static struct server server = { .max_write = MAX_WRITE };
static struct book book = { .name = LOG };

static char *answer;

int fuse_reply_buf(fuse_req_t req, const char *data, size_t size)
{
	(void)req;
	free(answer);
	answer = calloc(1, size + 1);
	require(answer);
	if (size)
		memcpy(answer, data, size);
	return 0;
}

const char *handle_read(struct handle *handle)
{
	handle->ops->read(handle, NULL, MAX_WRITE, 0, true);
	return answer;
}

int fuse_req_interrupted(fuse_req_t req)
{
	(void)req;
	return 0;
}

void notify_gone(struct server *of, struct book *changed, uint64_t from,
		 uint64_t to)
{
	(void)of;
	(void)changed;
	require(from <= to);
}

/* There is no other thread to take over. */
void loop_give_way(void)
{
}

struct handle *handle_make(const struct handle_ops *ops)
{
	struct handle *handle = calloc(1, ops->size);
	struct fuse_file_info fi = { .flags = 0 };

	require(handle);
	book.log = store_log();
	handle->ops = ops;
	handle->server = &server;
	handle->book = &book;
	pthread_mutex_init(&handle->lock, NULL);
	require(!ops->open(handle, NULL, &fi));
	return handle;
}

void handle_close(struct handle *handle)
{
	handle->ops->release(handle, NULL);
	pthread_mutex_destroy(&handle->lock);
	free(handle);
}

ssize_t handle_write(struct handle *handle, const uint8_t *data, size_t size)
{
	char *copy = exact(data, size);
	ssize_t n = handle->ops->write(handle, NULL, copy, size);

	free(copy);
	require(n <= (ssize_t)size);
	return n;
}

uint64_t next_index(const struct handle *handle)
{
	struct maplog_counters now;

	maplog_counters(handle->book->log, &now);
	return now.next;
}

bool piece(const uint8_t **data, size_t *size, const uint8_t **at, size_t *n)
{
	uint16_t length;

	if (*size < sizeof(length))
		return false;
	memcpy(&length, *data, sizeof(length));
	*at = *data + sizeof(length);
	*size -= sizeof(length);
	*n = length < *size ? length : *size;
	*n = *n < MAX_WRITE ? *n : MAX_WRITE;
	*data = *at + *n;
	*size -= *n;
	return true;
}
