/* SPDX-License-Identifier: MIT */
/*
 * A disk that writes down what reaches it, and fails when it is told to.
 *
 *	logdisk IMAGE TRAIL MOUNTPOINT
 *
 * A FUSE mount with a file `disk`, which is the file IMAGE, to be used through
 * a loop device, and a file `mark`. Each write, discard and flush of the disk
 * goes to the end of the file TRAIL, in order, and so does each text that is
 * written to `mark`, but these:
 *
 *	EIO w 9		the 9th write from now on fails with EIO, once
 *	ENOSPC f 1 on	from the next flush on, all of them fail
 *	heal		nothing fails any more
 *
 * Reading `mark` gives how many writes and flushes there were since then, and
 * how many failed. It runs until it is unmounted.
 */
#define FUSE_USE_VERSION 317

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "trail.h"

enum { ROOT = FUSE_ROOT_ID, DISK, MARK };

static uint8_t *disk;
static uint64_t disk_size;
static int trail;

/* Writes, 'w', and flushes, 'f'. */
static struct {
	int error;
	char kind;
	bool on; /* not only once */
	unsigned long at;
	unsigned long writes;
	unsigned long flushes;
	unsigned long failed;
} fault;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void note(enum trail_what what, uint64_t offset, const void *data,
		 size_t bytes)
{
	struct trail_record record = {
		.what = what,
		.bytes = (uint32_t)bytes,
		.offset = offset,
	};
	const struct iovec parts[2] = {
		{ &record, sizeof(record) },
		{ (void *)data, data ? bytes : 0 },
	};
	ssize_t all = (ssize_t)(parts[0].iov_len + parts[1].iov_len);

	/* Without it nothing that follows can be believed. */
	if (writev(trail, parts, 2) != all)
		die("trail");
}

/* The errno that a write or flush has to fail with, 0 if it is to work. */
static int failing(char kind)
{
	unsigned long *count = kind == 'w' ? &fault.writes : &fault.flushes;

	++*count;
	if (!fault.error || kind != fault.kind ||
	    (fault.on ? *count < fault.at : *count != fault.at))
		return 0;
	fault.failed++;
	return fault.error;
}

static void arm(const char *text)
{
	char error[16] = "";
	char kind;
	unsigned long at;

	memset(&fault, 0, sizeof(fault));
	if (sscanf(text, "%15s %c %lu", error, &kind, &at) != 3)
		return;
	fault.error = strcmp(error, "ENOSPC") ? EIO : ENOSPC;
	fault.kind = kind;
	fault.at = at;
	fault.on = strstr(text, " on");
}

static void mark(const char *data, size_t bytes)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)bytes, data);
	if (*text == 'E' || !strncmp(text, "heal", 4))
		arm(text);
	else
		note(TRAIL_MARK, 0, data, bytes);
}

static int fill_attr(fuse_ino_t node, struct stat *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->st_ino = node;
	attr->st_nlink = 1;
	attr->st_mode = node == ROOT ? S_IFDIR | 0700 : S_IFREG | 0600;
	attr->st_size = node == DISK ? (off_t)disk_size : 0;
	return node <= MARK ? 0 : ENOENT;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .attr_timeout = 3600,
					  .entry_timeout = 3600 };

	entry.ino = !strcmp(name, "disk") ? DISK : MARK;
	if (fill_attr(entry.ino, &entry.attr) ||
	    (entry.ino == MARK && strcmp(name, "mark") != 0))
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
	/* What is not in the trail must not be seen either. */
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	char text[96];
	int n;

	if (node == DISK) {
		uint64_t at = (uint64_t)offset;

		if (at > disk_size)
			at = disk_size;
		if (size > disk_size - at)
			size = disk_size - at;
		fuse_reply_buf(req, (const char *)disk + at, size);
		return;
	}
	n = snprintf(text, sizeof(text), "%lu %lu %lu\n", fault.writes,
		     fault.flushes, fault.failed);
	fuse_reply_buf(req, text, offset ? 0 : (size_t)n);
}

static bool is_outside(uint64_t offset, uint64_t bytes)
{
	return offset > disk_size || bytes > disk_size - offset;
}

static int write_disk(const char *data, uint64_t bytes, uint64_t offset)
{
	int err = failing('w');

	if (!err && is_outside(offset, bytes))
		err = EFBIG;
	if (err)
		return err;
	/* The trail first: bytes that it lacks could not be undone. */
	note(data ? TRAIL_WRITE : TRAIL_ZERO, offset, data, bytes);
	if (data)
		memcpy(disk + offset, data, bytes);
	else
		memset(disk + offset, 0, bytes);
	return 0;
}

static void op_write(fuse_req_t req, fuse_ino_t node, const char *data,
		     size_t size, off_t offset, struct fuse_file_info *fi)
{
	int err = 0;

	if (node == DISK)
		err = write_disk(data, size, (uint64_t)offset);
	else
		mark(data, size);
	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_write(req, size);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t node, int mode,
			 off_t offset, off_t length, struct fuse_file_info *fi)
{
	int err = EOPNOTSUPP;

	if (node == DISK &&
	    mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = write_disk(NULL, (uint64_t)length, (uint64_t)offset);
	fuse_reply_err(req, err);
}

static void op_fsync(fuse_req_t req, fuse_ino_t node, int datasync,
		     struct fuse_file_info *fi)
{
	int err = failing('f');

	if (!err)
		note(TRAIL_FLUSH, 0, NULL, 0);
	fuse_reply_err(req, err);
}

static const struct fuse_lowlevel_ops ops = {
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
};

static void map_image(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	disk_size = (uint64_t)st.st_size;
	disk = mmap(NULL, disk_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (disk == MAP_FAILED)
		die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	char *own[] = { argv[0], (char *)"-osubtype=logdisk", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, own);
	struct fuse_session *session;
	int ret;

	if (argc != 4) {
		fprintf(stderr, "logdisk IMAGE TRAIL MOUNTPOINT\n");
		return 2;
	}
	map_image(argv[1]);
	trail = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (trail < 0)
		die(argv[2]);
	/* Memory for a request must not wait for the disk that it is for. */
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, argv[3]))
		die(argv[3]);
	/* One request after the other: that is the order there is. */
	ret = fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	return ret != 0;
}
