/* SPDX-License-Identifier: MIT */
/* Where entries are appended: a log in a store, or in a mount. */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "explain.h"
#include "mounted.h"
#include "number.h"
#include "store.h"
#include "text.h"

/* The kernel cuts larger writes in pieces; a batch is one that it does not. */
#define WRITE_MAX ((size_t)120 << 10)

#define REPLY_SIZE 1024

/* ---- Through a mount ---- */

static uint64_t read_next(const struct target *target)
{
	char value[64];
	uint64_t next;

	return mounted_value(target->path, "next", value, sizeof(value)) &&
			       number_parse(value, &next)
		       ? next
		       : 0;
}

static int open_mounted(struct target *target)
{
	char *name = store_join(target->path, "batch");

	target->batch = open(name, O_WRONLY | O_CLOEXEC);
	free(name);
	if (target->batch < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_print("%s: there is no such log in the mount",
				   target->path);
	if (target->batch < 0 && errno == EBUSY)
		return error_print("%s: is written by another process, and can "
				   "only be read here",
				   target->path);
	if (target->batch < 0)
		return error_system(target->path, -errno);
	mounted_options(target->path, &target->options);
	target->first = read_next(target);
	return STATUS_OK;
}

static int write_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int write_frames(const struct target *target,
			const struct maplog_entry *entries, size_t n)
{
	struct text frames = { .data = NULL };
	int ret;

	for (size_t i = 0; i < n; i++) {
		const struct maplog_frame frame = {
			.length = (uint32_t)entries[i].bytes,
			.tag = entries[i].tag,
		};

		text_add(&frames, &frame, sizeof(frame));
		text_add(&frames, entries[i].data, entries[i].bytes);
	}
	ret = write_all(target->batch, frames.data, frames.used);
	text_free(&frames);
	return ret;
}

/* What is longer than a write is announced first. */
static int write_long(const struct target *target,
		      const struct maplog_entry *entry)
{
	char *name = store_join(target->path, "control");
	int fd = open(name, O_RDWR | O_CLOEXEC);
	int ret = 0;

	free(name);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "append %zu tag=%" PRIu64 "\n", entry->bytes,
		    entry->tag) < 0)
		ret = -errno;
	if (!ret)
		ret = write_all(fd, entry->data, entry->bytes);
	close(fd);
	return ret;
}

/* How many entries go through in one write; 0 if not even the first does. */
static size_t count_fitting(const struct maplog_entry *entries, size_t n)
{
	size_t bytes = 0;
	size_t i = 0;

	while (i < n) {
		bytes += sizeof(struct maplog_frame) + entries[i].bytes;
		if (bytes > WRITE_MAX)
			break;
		i++;
	}
	return i;
}

static int append_mounted(struct target *target,
			  const struct maplog_entry *entries, size_t n,
			  bool whole)
{
	size_t at = 0;

	if (whole && n > 1 && count_fitting(entries, n) < n)
		return -E2BIG;
	while (at < n) {
		size_t count = count_fitting(entries + at, n - at);
		int ret;

		if (count)
			ret = write_frames(target, entries + at, count);
		else
			ret = write_long(target, entries + at);
		if (ret)
			return ret;
		at += count ? count : 1;
		target->count += count ? count : 1;
	}
	return 0;
}

static int close_mounted(struct target *target, int status)
{
	char reply[REPLY_SIZE];
	int ret = 0;

	close(target->batch);
	if (target->count)
		ret = mounted_command(target->path, "sync", reply,
				      sizeof(reply));
	return ret && !status ? explain_close(target->path, ret) : status;
}

/* ---- Either ---- */

int target_open(struct target *target, const char *path)
{
	struct maplog_counters counters;

	*target = (struct target){ .path = path, .batch = -1 };
	if (store_is_mount(path))
		return open_mounted(target);
	target->log = store_open(path, MAPLOG_WRITE);
	if (!target->log)
		return STATUS_FAILED;
	maplog_options(target->log, &target->options);
	maplog_counters(target->log, &counters);
	target->first = counters.next;
	return STATUS_OK;
}

int target_append(struct target *target, const struct maplog_entry *entries,
		  size_t n, bool whole)
{
	int ret;

	if (!target->log)
		return append_mounted(target, entries, n, whole);
	ret = maplog_append(target->log, entries, n, NULL);
	if (!ret)
		target->count += n;
	return ret;
}

uint64_t target_next(const struct target *target)
{
	return target->first + target->count;
}

int target_explain(const struct target *target, int ret)
{
	return target->log ? explain_change(target->path, target->log, ret)
			   : error_system(target->path, ret);
}

void target_print(const struct target *target, uint64_t first)
{
	if (!target->log && read_next(target) != target_next(target))
		printf("appended=%" PRIu64 "\n", target_next(target) - first);
	else
		printf("first=%" PRIu64 " next=%" PRIu64 "\n", first,
		       target_next(target));
}

int target_close(struct target *target, int status)
{
	int ret;

	if (!target->log)
		return close_mounted(target, status);
	ret = maplog_close(target->log);
	return ret && !status ? explain_close(target->path, ret) : status;
}
