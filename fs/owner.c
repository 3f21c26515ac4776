/* SPDX-License-Identifier: MIT */
/* Changing attributes: owner, group and mode of a log are its directory's. */
#include "owner.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notify.h"

#define MODE_BITS 0777

static int set_owner(int fd, const struct stat *st, int to_set)
{
	uid_t uid = to_set & FUSE_SET_ATTR_UID ? st->st_uid : (uid_t)-1;
	gid_t gid = to_set & FUSE_SET_ATTR_GID ? st->st_gid : (gid_t)-1;

	return fchown(fd, uid, gid) ? -errno : 0;
}

static int set_of_log(struct server *server, struct book *book,
		      const struct stat *st, int to_set)
{
	int ret = 0;

	if (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		ret = set_owner(book->dirfd, st, to_set);
	if (!ret && (to_set & FUSE_SET_ATTR_MODE) &&
	    fchmod(book->dirfd, st->st_mode & MODE_BITS))
		ret = -errno;
	notify_owner(server, book);
	return ret;
}

/* `> append` asks for size 0 of what has no size. */
static int set_size(const struct node *node, const struct stat *st)
{
	switch (node->key.kind) {
	case NODE_APPEND:
	case NODE_BATCH:
	case NODE_CONTROL:
		return st->st_size ? -EINVAL : 0;
	default:
		return -EROFS;
	}
}

/* Times are those of the entries, and the kernel would take the size that comes
 * with the answer for the latest: see growth.h. */
static int set_times(const struct node *node)
{
	switch (node->key.kind) {
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
	case NODE_ENTRY:
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
	case NODE_HEAD:
		return -EROFS;
	default:
		/* `touch` and `cp -p` are content with nothing. */
		return 0;
	}
}

int owner_set(struct server *server, struct node *node, const struct stat *st,
	      int to_set)
{
	const int owner =
		FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;

	if (to_set & FUSE_SET_ATTR_SIZE)
		return set_size(node, st);
	if (!(to_set & owner))
		return set_times(node);
	if (node->key.kind != NODE_LOG)
		return -EPERM;
	if (server->store.read_only)
		return -EROFS;
	return set_of_log(server, node->key.book, st, to_set);
}
