/* SPDX-License-Identifier: MIT */
/*
 * A FUSE mount that does nothing: a file `sink` that takes every write, and a
 * file `source` whose reads give nothing but its name's worth of zeros.
 *
 *	bench-emptyfs MOUNTPOINT [-s]
 *
 * What a request costs when the daemon has no work with it: the bound of what
 * any mount can do. -s works on requests in one thread, else there are as many
 * threads as maplogfs has. It runs until it is unmounted or told to end.
 */
#define FUSE_USE_VERSION 317

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <sys/stat.h>

#include "harness.h"

#define THREADS 8

enum { ROOT = FUSE_ROOT_ID, SINK, SOURCE };

static char zeros[1 << 20];

static int fill_attr(fuse_ino_t node, struct stat *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->st_ino = node;
	attr->st_nlink = 1;
	switch (node) {
	case ROOT:
		attr->st_mode = S_IFDIR | 0755;
		return 0;
	case SINK:
	case SOURCE:
		attr->st_mode = S_IFREG | 0644;
		return 0;
	default:
		return ENOENT;
	}
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .attr_timeout = 3600,
					  .entry_timeout = 3600 };

	if (!strcmp(name, "sink"))
		entry.ino = SINK;
	else if (!strcmp(name, "source"))
		entry.ino = SOURCE;
	if (parent != ROOT || fill_attr(entry.ino, &entry.attr))
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &entry);
}

static void op_getattr(fuse_req_t req, fuse_ino_t node,
		       struct fuse_file_info *fi)
{
	struct stat attr;
	int err = fill_attr(node, &attr);

	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_attr(req, &attr, 3600);
}

static void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	fuse_reply_buf(req, zeros, size < sizeof(zeros) ? size : sizeof(zeros));
}

static void op_write(fuse_req_t req, fuse_ino_t node, const char *data,
		     size_t size, off_t offset, struct fuse_file_info *fi)
{
	fuse_reply_write(req, size);
}

static void op_init(void *unused, struct fuse_conn_info *conn)
{
	conn->no_interrupt = 1;
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
};

static int loop(struct fuse_session *session, bool single)
{
	struct fuse_loop_config *config;
	int ret;

	if (single)
		return fuse_session_loop(session);
	config = fuse_loop_cfg_create();
	fuse_loop_cfg_set_max_threads(config, THREADS);
	ret = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	return ret;
}

int main(int argc, char **argv)
{
	char *own[] = { argv[0], (char *)"-osubtype=bench-emptyfs", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, own);
	struct fuse_session *session;
	int ret;

	if (argc < 2)
		die("where is it to be mounted?", 0);
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_set_signal_handlers(session) ||
	    fuse_session_mount(session, argv[1]))
		die("cannot mount", 0);
	ret = loop(session, argc > 2 && !strcmp(argv[2], "-s"));
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	/* A signal, which is how it is told to end, is positive here. */
	return ret < 0;
}
