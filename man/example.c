/* SPDX-License-Identifier: MIT */
/* The example of libmaplog(3): makes a log, appends a batch, reads it. */
#include <errno.h>
#include <fcntl.h>
#include <maplog/log.h>
#include <stdio.h>
#include <string.h>

static int append(struct maplog *log, uint64_t *first)
{
	/* A batch: after a crash both of them are there, or none. */
	const struct maplog_entry batch[] = {
		{ .data = "hello", .bytes = 5 },
		{ .data = "world", .bytes = 5, .tag = 7 },
	};

	return maplog_append(log, batch, 2, first);
}

/* Prints all entries from an index on, without copying one. */
static int print(struct maplog *log, uint64_t index)
{
	struct maplog_info info;
	struct maplog_view view;
	const void *data;
	uint32_t good;
	int ret;

	while (!(ret = maplog_view(log, index, 1000, &view))) {
		ret = maplog_view_check(log, &view, &good);
		for (uint32_t i = 0; i < good; i++) {
			maplog_view_entry(&view, i, &data, &info);
			printf("%ju: %.*s\n", (uintmax_t)info.index,
			       (int)info.bytes, (const char *)data);
		}
		index += good;
		maplog_view_release(&view);
		if (ret)
			break;
	}
	return ret == -ENODATA ? 0 : ret;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "greetings";
	struct maplog *log = NULL;
	uint64_t first;
	int ret;

	ret = maplog_create(AT_FDCWD, name, 0755, NULL);
	if (!ret || ret == -EEXIST)
		ret = maplog_open(AT_FDCWD, name, MAPLOG_WRITE, &log);
	if (!ret)
		ret = append(log, &first);
	if (!ret)
		ret = print(log, first);
	if (ret)
		fprintf(stderr, "%s: %s\n", name, strerror(-ret));
	return maplog_close(log) || ret;
}
