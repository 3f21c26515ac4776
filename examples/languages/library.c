/* SPDX-License-Identifier: MIT */
/* A log from C with the library, mounted or not: a directory of a store.
 *     library append LOG TEXT... | library read LOG | library follow LOG */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static int checked(int ret, const char *what)
{
	return ret ? errx(1, "%s: %s", what, strerror(-ret)), ret : 0;
}

/* Entries in place, as many as lie together. Returns the index after them. */
static uint64_t show(struct maplog *log, uint64_t index)
{
	struct maplog_view view;
	struct maplog_info info;
	const void *data;

	while (!maplog_view(log, index, UINT32_MAX, &view)) {
		checked(maplog_view_check(log, &view, NULL), "checksum");
		for (uint32_t i = 0; i < view.count; i++, index++) {
			checked(maplog_view_entry(&view, i, &data, &info),
				"end");
			printf("%ju: ", (uintmax_t)index);
			fwrite(data, 1, info.bytes, stdout);
		}
		maplog_view_release(&view);
	}
	fflush(stdout);
	return index;
}

int main(int argc, char **argv)
{
	enum maplog_mode mode = argc > 3 ? MAPLOG_WRITE : MAPLOG_READ;
	struct maplog_counters now;
	struct maplog *log;
	char line[4096];

	if (mode == MAPLOG_WRITE) /* it is no error if the log is there */
		maplog_create(AT_FDCWD, argv[2], 0755, NULL);
	checked(maplog_open(AT_FDCWD, argv[2], mode, &log), argv[2]);
	maplog_counters(log, &now);
	for (int i = 3; i < argc; i++) {
		struct maplog_entry entry = { .data = line };
		entry.bytes = (size_t)sprintf(line, "%.4000s\n", argv[i]);
		checked(maplog_append(log, &entry, 1, NULL), "append");
	}
	if (!strcmp(argv[1], "read"))
		show(log, now.first);
	while (!strcmp(argv[1], "follow"))
		if (!maplog_wait(log, now.next, now.generation, -1))
			now.next = show(log, now.next);
	return checked(maplog_close(log), "close");
}
