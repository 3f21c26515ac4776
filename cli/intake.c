/* SPDX-License-Identifier: MIT */
/* Taking entries in from files, and appending them batch by batch. */
#include "intake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "progress.h"
#include "stop.h"

/* Of a batch, unless --batch says how many lines it has. */
#define BATCH_BYTES ((uint64_t)1 << 20)
#define BATCH_COUNT 10000

static int explain_batch(struct intake *intake, int ret)
{
	if (ret == -E2BIG)
		return error_print("%s: a batch of %" PRIu64
				   " entries is larger than %s: use a smaller "
				   "--batch",
				   intake->target.path, intake->exact,
				   intake->target.log ? "a segment"
						      : "a write to a mount");
	return target_explain(&intake->target, ret);
}

/* Appends what has been gathered. */
int intake_flush(struct intake *intake)
{
	uint64_t first = target_next(&intake->target);
	struct batch *batch = &intake->batch;
	int ret;

	if (!batch->count)
		return STATUS_OK;
	ret = target_append(&intake->target, batch_entries(batch), batch->count,
			    intake->exact);
	if (ret)
		return explain_batch(intake, ret);
	if (intake->verbose) {
		target_print(&intake->target, first);
		fflush(stdout);
	}
	batch_clear(batch);
	progress_at(intake->bytes, intake->bytes, intake->target.count);
	return STATUS_OK;
}

/* What came before a mistake is appended, unless batches were asked for that
 * are whole. */
static int flush_before_error(struct intake *intake)
{
	return intake->exact ? STATUS_OK : intake_flush(intake);
}

static int too_long(struct intake *intake)
{
	uint64_t limit = intake->target.options.max_entry;
	const char *option = "max-entry";
	char where[32] = "it";
	char size[32];

	if (flush_before_error(intake))
		return STATUS_FAILED;
	if (intake->target.options.segment_size < limit) {
		limit = intake->target.options.segment_size;
		option = "segment-size";
	}
	if (!intake->whole)
		snprintf(where, sizeof(where), "line %" PRIu64,
			 intake->line + 1);
	return error_print("%s: %s is longer than the log's %s, %s: 'maplog "
			   "set %s %s SIZE' changes that",
			   intake->name, where, option,
			   error_size(limit, size, sizeof(size)),
			   intake->target.path, option);
}

static bool is_too_long(const struct intake *intake, uint64_t bytes)
{
	return bytes > intake->target.options.max_entry ||
	       bytes > intake->target.options.segment_size;
}

/* Makes an entry of the next bytes; appends when a batch is complete. */
static int add(struct intake *intake, size_t bytes)
{
	struct batch *batch = &intake->batch;
	uint64_t limit = intake->target.options.segment_size;

	if (is_too_long(intake, bytes))
		return too_long(intake);
	if (!intake->exact && limit > BATCH_BYTES)
		limit = BATCH_BYTES;
	if (batch_bytes(batch) + bytes > limit) {
		if (intake->exact)
			return explain_batch(intake, -E2BIG);
		if (intake_flush(intake))
			return STATUS_FAILED;
	}
	batch_add(batch, bytes, intake->tag);
	intake->line++;
	if (batch->count < (intake->exact ? intake->exact : BATCH_COUNT))
		return STATUS_OK;
	return intake_flush(intake);
}

static int add_lines(struct intake *intake)
{
	size_t bytes;

	while (!intake->whole && (bytes = batch_line(&intake->batch))) {
		if (add(intake, bytes))
			return STATUS_FAILED;
	}
	if (is_too_long(intake, batch_rest(&intake->batch)))
		return too_long(intake);
	return STATUS_OK;
}

int intake_failed(struct intake *intake, int ret)
{
	if (flush_before_error(intake))
		return STATUS_FAILED;
	if (ret == -EINTR)
		return error_print("%s: interrupted", intake->target.path);
	return error_print("%s: %s", intake->name, strerror(-ret));
}

/* Waits for input; what has been gathered need not wait with it. */
static int wait_for_input(struct intake *intake, int fd)
{
	int ret = stop_poll(fd, false);

	if (!ret) {
		if (flush_before_error(intake))
			return STATUS_FAILED;
		ret = stop_poll(fd, true);
	}
	return ret < 0 ? intake_failed(intake, ret) : STATUS_OK;
}

/* Reads once; @more tells whether the input goes on. */
static int take_some(struct intake *intake, int fd, bool *more)
{
	struct batch *batch = &intake->batch;
	size_t room;
	ssize_t n;
	char *at;

	if (wait_for_input(intake, fd))
		return STATUS_FAILED;
	if (batch_is_full(batch) && flush_before_error(intake))
		return STATUS_FAILED;
	at = batch_room(batch, &room);
	n = read(fd, at, room);
	if (n < 0)
		return errno == EINTR ? STATUS_OK
				      : intake_failed(intake, -errno);
	*more = n;
	intake->bytes += (uint64_t)n;
	batch_read(batch, (size_t)n);
	return add_lines(intake);
}

int intake_take(struct intake *intake, int fd)
{
	int status = STATUS_OK;
	bool more = true;
	size_t rest;

	intake->line = 0;
	while (!status && more)
		status = take_some(intake, fd, &more);
	rest = batch_rest(&intake->batch);
	if (!status && (rest || intake->whole))
		status = add(intake, rest);
	return status;
}
