/* SPDX-License-Identifier: MIT */
/* Messages on stderr: one line each, saying what can be done. */
#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "progress.h"

int error_print(const char *format, ...)
{
	char line[2 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	progress_clear();
	/* In one piece: others may write to the same terminal or file. */
	fprintf(stderr, "maplog: %s\n", line);
	return STATUS_FAILED;
}

void error_no_memory(void)
{
	error_print("there is no more memory");
	exit(STATUS_FAILED);
}

const char *error_size(uint64_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGT";
	const char *unit = NULL;
	uint64_t scaled = bytes;

	for (const char *u = units; *u && scaled && scaled % 1024 == 0; u++) {
		scaled /= 1024;
		unit = u;
	}
	if (unit)
		snprintf(text, size, "%" PRIu64 " %ciB", scaled, *unit);
	else
		snprintf(text, size, "%" PRIu64 " bytes", bytes);
	return text;
}

static const char *user_name(uid_t uid, char *text, size_t size)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, size, "%s", user->pw_name);
	else
		snprintf(text, size, "%u", (unsigned)uid);
	return text;
}

static int not_allowed(const char *path)
{
	char owner[64];
	char own[64];
	struct stat st;

	user_name(geteuid(), own, sizeof(own));
	if (stat(path, &st))
		return error_print("%s: permission denied to user %s", path,
				   own);
	return error_print("%s: permission denied to user %s: it belongs to "
			   "%s and has mode %04o",
			   path, own,
			   user_name(st.st_uid, owner, sizeof(owner)),
			   (unsigned)st.st_mode & 07777);
}

/* What the system says, where it may happen to any command. */
int error_system(const char *path, int ret)
{
	switch (-ret) {
	case ENOSPC:
		return error_print("%s: the disk is full: make room, then try "
				   "again",
				   path);
	case EDQUOT:
		return error_print("%s: the disk quota is used up: make room, "
				   "then try again",
				   path);
	case EACCES:
	case EPERM:
		return not_allowed(path);
	case EROFS:
		return error_print("%s: the file system is read-only", path);
	case EIO:
		return error_print("%s: the disk has failed (the kernel log, "
				   "dmesg, may say why)",
				   path);
	case ENOTCONN:
		return error_print("%s: is a mount whose daemon has gone: "
				   "unmount it (umount, fusermount3 -u)",
				   path);
	default:
		return error_print("%s: %s", path, strerror(-ret));
	}
}
