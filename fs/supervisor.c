/* SPDX-License-Identifier: MIT */
/* The supervisor: systemd, or whoever started us and wants to know how we are.
 */
#include "supervisor.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void supervisor_tell(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	/* Elsewhere than in a file system its name begins with a zero byte. */
	if (!n || n >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (*path == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		      (const struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

static uint64_t number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	uint64_t value;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	return *end || errno ? 0 : value;
}

uint64_t supervisor_pause(void)
{
	uint64_t pid = number("WATCHDOG_PID");
	uint64_t microseconds = number("WATCHDOG_USEC");

	/* It may have been meant for the process that started us. */
	if (pid && pid != (uint64_t)getpid())
		return 0;
	return microseconds > UINT64_MAX / 1000 ? 0 : microseconds * 1000 / 2;
}
