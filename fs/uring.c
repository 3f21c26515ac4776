/* SPDX-License-Identifier: MIT */
/* FUSE over io_uring, where libfuse and the kernel have it. */
#include "uring.h"

#include <stdio.h>

/* Older ones do not have it, or not without the errors of its beginnings. */
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18)

#define PARAMETER "/sys/module/fuse/parameters/enable_uring"

const char *uring_missing(void)
{
	FILE *file = fopen(PARAMETER, "re");
	int value = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	if (value == EOF)
		return "the kernel does not have it";
	return value == 'Y' ? NULL : "off in " PARAMETER;
}

bool uring_brought(fuse_req_t req)
{
	return fuse_req_is_uring(req);
}

#else

const char *uring_missing(void)
{
	return "needs libfuse 3.18";
}

bool uring_brought(fuse_req_t req)
{
	(void)req;
	return false;
}

#endif
