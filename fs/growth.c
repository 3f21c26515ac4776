/* SPDX-License-Identifier: MIT */
/* Growth: what the kernel believes the size of a file to be. */
#include "growth.h"

#include <unistd.h>

#include "span.h"

/* What can grow, or could until a moment ago. */
static bool may_grow(const struct node_key *key)
{
	switch (key->kind) {
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		return true;
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		return key->next == NODE_TO_THE_END;
	default:
		return false;
	}
}

void growth_look_up(struct node *node, struct attr *attr)
{
	if (!may_grow(&node->key))
		return;
	pthread_mutex_lock(&node->lock);
	if (!node->was_told) {
		/* The kernel makes its inode with what it is told first. */
		node->was_told = true;
		node->told = node->sure = (uint64_t)attr->st.st_size;
	}
	if ((uint64_t)attr->st.st_size != node->told) {
		attr->st.st_size = (off_t)node->told;
		attr->timeout = 0;
	}
	pthread_mutex_unlock(&node->lock);
}

bool growth_is_known(struct node *node, const struct attr *attr)
{
	uint64_t size = (uint64_t)attr->st.st_size;
	bool known;

	if (!may_grow(&node->key))
		return true;
	pthread_mutex_lock(&node->lock);
	/* What nobody has open, nobody reads by the size that he was told:
	 * whoever opens it asks again. */
	if (!node->opens && size > node->told)
		node->told = size;
	known = !node->opens || (size <= node->told && node->sure >= size);
	pthread_mutex_unlock(&node->lock);
	return known;
}

/* With the node's lock: a byte of what is open. */
static bool read_byte(struct node *node, uint64_t offset, char *byte)
{
	if (node->span && node->key.kind == NODE_RANGE_INDEX)
		return span_copy_index(node->span, offset, byte, 1) == 1;
	if (node->span)
		return span_copy(node->span, offset, byte, 1) == 1;
	return node->fd >= 0 && pread(node->fd, byte, 1, (off_t)offset) == 1;
}

static void drop_pages(struct server *server, struct node *node)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t from;

	pthread_mutex_lock(&node->lock);
	from = node->sure & ~(page - 1);
	pthread_mutex_unlock(&node->lock);
	(void)fuse_lowlevel_notify_inval_inode(server->session,
					       node_number(&server->tree, node),
					       (off_t)from, 0);
}

/* One byte of its end moves the size. */
static int move_size(struct server *server, struct node *node, uint64_t size)
{
	struct fuse_bufvec byte = FUSE_BUFVEC_INIT(1);
	char last;
	bool read;

	byte.buf[0].mem = &last;
	pthread_mutex_lock(&node->lock);
	/* A look-up may tell it from now on: the pages are gone. */
	if (size > node->told)
		node->told = size;
	read = size && read_byte(node, size - 1, &last);
	pthread_mutex_unlock(&node->lock);
	if (!read)
		return -1;
	return fuse_lowlevel_notify_store(server->session,
					  node_number(&server->tree, node),
					  (off_t)size - 1, &byte, 0);
}

void growth_tell(struct server *server, struct node *node, uint64_t size)
{
	drop_pages(server, node);
	if (move_size(server, node, size))
		return;
	pthread_mutex_lock(&node->lock);
	if (size > node->sure)
		node->sure = size;
	pthread_mutex_unlock(&node->lock);
}
