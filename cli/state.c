/* SPDX-License-Identifier: MIT */
/* What state a log is in, as one word. */
#include "state.h"

#include <unistd.h>

static uint32_t read_state(struct maplog *log)
{
	struct maplog_head head;
	ssize_t n;
	int fd;

	if (maplog_head_open(log, &fd))
		return MAPLOG_CLOSED;
	n = pread(fd, &head, sizeof(head), 0);
	close(fd);
	return n == sizeof(head) ? head.state : (uint32_t)MAPLOG_CLOSED;
}

const char *state_name(struct maplog *log, const struct maplog_status *status)
{
	uint32_t state = read_state(log);

	if (status->live)
		return state == MAPLOG_RECOVERING ? "recovering" : "live";
	return state == MAPLOG_CLOSED ? "closed" : "crashed";
}
