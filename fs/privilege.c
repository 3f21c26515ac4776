/* SPDX-License-Identifier: MIT */
/* What this process is allowed to do. */
#include "privilege.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PAGES	  "/proc/sys/fs/fuse/max_pages_limit"
#define MAX_PAGES_DEFAULT 256

static size_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? 0 : (size_t)n;
}

static bool may_administrate(void)
{
	static const char key[] = "CapEff:";
	char text[4096];
	char *line;

	read_text("/proc/self/status", text, sizeof(text));
	line = strstr(text, key);
	return line && (strtoull(line + sizeof(key) - 1, NULL, 16) &
			(UINT64_C(1) << CAP_SYS_ADMIN));
}

/* Capabilities of a user namespace of its own do not count. */
static bool in_first_namespace(void)
{
	unsigned long inside;
	unsigned long outside;
	unsigned long count;
	char text[256];

	read_text("/proc/self/uid_map", text, sizeof(text));
	return sscanf(text, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
	       !inside && !outside && count == UINT32_MAX;
}

bool privilege_passthrough(const char **why_not)
{
	*why_not = "";
	if (!may_administrate())
		*why_not = "needs CAP_SYS_ADMIN";
	else if (!in_first_namespace())
		*why_not = "needs the initial user namespace";
	return !**why_not;
}

void privilege_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

unsigned privilege_max_pages(void)
{
	char text[32];

	if (!read_text(MAX_PAGES, text, sizeof(text)))
		return MAX_PAGES_DEFAULT;
	return (unsigned)strtoul(text, NULL, 10);
}

static bool write_number(const char *path, unsigned number)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", number);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, (size_t)n) == n;
	close(fd);
	return written;
}

unsigned privilege_large_writes(unsigned pages)
{
	unsigned limit = privilege_max_pages();

	return limit < pages && write_number(MAX_PAGES, pages) ? limit : 0;
}

void privilege_restore(unsigned limit)
{
	if (limit)
		(void)write_number(MAX_PAGES, limit);
}

void privilege_read_ahead(const char *mountpoint, unsigned kib)
{
	struct statx st;
	char path[64];

	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC, STATX_TYPE, &st))
		return;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb",
		 st.stx_dev_major, st.stx_dev_minor);
	(void)write_number(path, kib);
}
