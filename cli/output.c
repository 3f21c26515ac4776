/* SPDX-License-Identifier: MIT */
/* Standard output for bytes: no buffer, and a reader may leave early. */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "stop.h"

/* The other end may have made a shared pipe non-blocking. */
static int wait_for_room(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&out, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int output_write(const void *data, size_t bytes, size_t *written)
{
	const char *from = data;
	size_t at = 0;
	int ret = 0;

	while (!ret && at < bytes) {
		ssize_t n = write(STDOUT_FILENO, from + at, bytes - at);

		if (n >= 0) {
			at += (size_t)n;
		} else if (errno == EAGAIN) {
			ret = wait_for_room();
		} else if (errno != EINTR || stop_asked()) {
			ret = -errno;
		}
	}
	if (written)
		*written = at;
	return ret;
}

int output_failed(int ret)
{
	if (ret == -EPIPE || ret == -EINTR)
		return STATUS_OK;
	error_print("cannot write to standard output: %s", strerror(-ret));
	return STATUS_FAILED;
}

bool output_is_read(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) <= 0 || !(out.revents & POLLERR);
}

int output_finish(int status)
{
	int failed = 0;

	if (fflush(stdout))
		failed = output_failed(-errno);
	else if (ferror(stdout))
		/* It was printed earlier: errno is another's by now. */
		failed = output_failed(output_is_read() ? -EIO : -EPIPE);
	return failed ? failed : status;
}
