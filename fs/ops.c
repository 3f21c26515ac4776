/* SPDX-License-Identifier: MIT */
/* FUSE operations: each names a node or a handle, and hands on. */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "attr.h"
#include "growth.h"
#include "handle.h"
#include "list.h"
#include "lookup.h"
#include "loop.h"
#include "notify.h"
#include "owner.h"
#include "uring.h"
#include "xattr.h"

/* Requests that the kernel may have under way without anybody waiting. */
#define BACKGROUND_MAX 64

/* The protocol of the first kernel, 6.16, that lets names age: see notify.c. */
#define NAMES_AGE_MINOR 44

static struct node *node_in(fuse_req_t req, fuse_ino_t ino)
{
	return node_of(&server_of(req)->tree, ino);
}

static void reply(fuse_req_t req, int ret)
{
	fuse_reply_err(req, -ret);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct server *server = userdata;

	conn->max_write = server->max_write;
	conn->max_background = BACKGROUND_MAX;
	(void)fuse_set_feature_flag(conn, FUSE_CAP_PARALLEL_DIROPS);
	/* Nodes have no numbers that would outlive the daemon. */
	(void)fuse_set_feature_flag(conn, FUSE_CAP_NO_EXPORT_SUPPORT);
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_READ);
	if (server->passthrough &&
	    !fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH)) {
		server->passthrough = false;
		server->no_passthrough = "the kernel does not have it";
	}
	server->direct_mmap =
		fuse_set_feature_flag(conn, FUSE_CAP_DIRECT_IO_ALLOW_MMAP);
	server->names_age = conn->proto_minor >= NAMES_AGE_MINOR;
	conn->max_backing_stack_depth = FUSE_BACKING_STACKED_OVER;
	server->greeted = true;
	/* The rest is for our own loop: see mount.c. */
	if (!server->io_uring)
		fuse_session_exit(server->session);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct tree *tree = &server_of(req)->tree;
	struct fuse_entry_param entry;
	int ret = lookup(server_of(req), node_in(req, parent), name, &entry);

	if (ret)
		reply(req, ret);
	/* A lookup that was interrupted is not followed by a forget. */
	else if (fuse_reply_entry(req, &entry) == -ENOENT)
		node_forget(tree, node_of(tree, entry.ino), 1);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	node_forget(&server_of(req)->tree, node_in(req, ino), lookups);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count,
			    struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		node_forget(&server_of(req)->tree, node_in(req, forgets[i].ino),
			    forgets[i].nlookup);
	fuse_reply_none(req);
}

/* Sizes that are new to the kernel are told by the notifier. So is a changed
 * mode: who was let in or out by it, is when it is answered. */
static void reply_attr(fuse_req_t req, struct node *node,
		       const struct attr *attr, bool changed)
{
	if (growth_is_known(node, attr) && !changed)
		fuse_reply_attr(req, &attr->st, attr->timeout);
	else
		notify_then_reply_attr(server_of(req), req, node, attr);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct node *node = node_in(req, ino);
	struct attr attr;
	int ret = attr_get(server_of(req), node, &attr);

	(void)fi;
	if (ret)
		reply(req, ret);
	else
		reply_attr(req, node, &attr, false);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st,
		       int to_set, struct fuse_file_info *fi)
{
	struct node *node = node_in(req, ino);
	struct attr attr;
	int ret = owner_set(server_of(req), node, st, to_set);

	(void)fi;
	if (!ret)
		ret = attr_get(server_of(req), node, &attr);
	if (ret)
		reply(req, ret);
	else
		reply_attr(req, node, &attr, node->key.kind == NODE_LOG);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	int ret = -EPERM;

	if (parent == FUSE_ROOT_ID)
		ret = store_create(&server_of(req)->store, name, mode, ctx->uid,
				   ctx->gid);
	if (ret)
		reply(req, ret);
	else
		op_lookup(req, parent, name);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	int ret = -EPERM;

	if (parent == FUSE_ROOT_ID)
		ret = store_remove(&server_of(req)->store, name);
	reply(req, ret);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t new_parent, const char *new_name,
		      unsigned flags)
{
	int ret = -EPERM;

	if (flags & ~(unsigned)RENAME_NOREPLACE)
		ret = -EINVAL;
	else if (parent == FUSE_ROOT_ID && new_parent == FUSE_ROOT_ID)
		ret = store_rename(&server_of(req)->store, name, new_name);
	reply(req, ret);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	(void)name;
	reply(req, -EPERM);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode, dev_t rdev)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)rdev;
	reply(req, -EPERM);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent,
		       const char *name)
{
	(void)link;
	(void)parent;
	(void)name;
	reply(req, -EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent,
		    const char *new_name)
{
	(void)ino;
	(void)new_parent;
	(void)new_name;
	reply(req, -EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *fi)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)fi;
	reply(req, -EPERM);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *server = server_of(req);
	int ret;

	if (server->io_uring && uring_brought(req))
		__atomic_store_n(&server->io_uring_works, true,
				 __ATOMIC_RELAXED);
	ret = handle_open(server, node_in(req, ino), req, fi);
	/* An open that was interrupted is not followed by a release. */
	if (ret)
		reply(req, ret);
	else if (fuse_reply_open(req, fi) == -ENOENT)
		handle_release(handle_of(fi), req);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct handle *handle = handle_of(fi);

	(void)ino;
	handle->ops->read(handle, req, size, (uint64_t)offset,
			  fi->flags & O_NONBLOCK);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data,
		     size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct handle *handle = handle_of(fi);
	ssize_t ret = -EROFS;

	(void)ino;
	(void)offset;
	if (handle->book && book_syncs(handle->book))
		loop_give_way();
	if (handle->ops->write)
		ret = handle->ops->write(handle, req, data, size);
	if (ret < 0)
		reply(req, (int)ret);
	else
		fuse_reply_write(req, (size_t)ret);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	reply(req, 0);
}

static void op_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	(void)ino;
	handle_release(handle_of(fi), req);
	reply(req, 0);
}

/* Of any file of a log: makes the log durable. */
static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	struct book *book = node_in(req, ino)->key.book;
	int ret = 0;

	(void)datasync;
	(void)fi;
	if (book && book->log)
		ret = maplog_sync(book->log, NULL);
	/* What another process writes, it makes durable. If it is ours, a sync
	 * has failed before: none will ever make good for it. */
	if (ret == -EROFS)
		ret = book_is_ours(book) ? -EIO : 0;
	reply(req, ret);
}

static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	struct handle *handle = handle_of(fi);

	(void)ino;
	if (handle->ops->poll) {
		fuse_reply_poll(req, handle->ops->poll(handle, ph));
		return;
	}
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
			 off_t length, struct fuse_file_info *fi)
{
	(void)ino;
	(void)mode;
	(void)offset;
	(void)length;
	reply(req, handle_of(fi)->ops->write ? -EOPNOTSUPP : -EROFS);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size,
		       off_t position, struct fuse_file_info *fi)
{
	(void)fi;
	list_read(server_of(req), req, node_in(req, ino), size, position);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	(void)ino;
	if (fstatvfs(server_of(req)->store.dirfd, &st))
		reply(req, -errno);
	else
		fuse_reply_statfs(req, &st);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			size_t size)
{
	char value[XATTR_VALUE_SIZE];
	int ret = xattr_get(node_in(req, ino), name, value);

	if (ret < 0)
		reply(req, ret);
	else if (!size)
		fuse_reply_xattr(req, (size_t)ret);
	else if (size < (size_t)ret)
		reply(req, -ERANGE);
	else
		fuse_reply_buf(req, value, (size_t)ret);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char names[XATTR_LIST_SIZE];
	size_t used = xattr_list(node_in(req, ino), names);

	if (!size)
		fuse_reply_xattr(req, used);
	else if (size < used)
		reply(req, -ERANGE);
	else
		fuse_reply_buf(req, names, used);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			const char *value, size_t size, int flags)
{
	(void)ino;
	(void)name;
	(void)value;
	(void)size;
	(void)flags;
	reply(req, -EPERM);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	(void)name;
	reply(req, -EPERM);
}

const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.create = op_create,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.readdir = op_readdir,
	.fsyncdir = op_fsync,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.poll = op_poll,
	.fallocate = op_fallocate,
};
