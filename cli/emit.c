/* SPDX-License-Identifier: MIT */
/* Entries on standard output: their bytes, or a line about each. */
#include "emit.h"

#include <inttypes.h>
#include <stdio.h>

#include "output.h"
#include "table.h"

/* Three numbers, a time, and what stands between them. */
#define LINE_MAX_SIZE 128

struct lines {
	char text[65536];
	size_t used;
};

static int write_lines(struct lines *lines)
{
	int ret = output_write(lines->text, lines->used);

	lines->used = 0;
	return ret;
}

static void add_line(struct lines *lines, const struct maplog_info *info)
{
	char time[TEXT_TIME_SIZE];

	lines->used += (size_t)snprintf(
		lines->text + lines->used, sizeof(lines->text) - lines->used,
		"%" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n", info->index,
		text_time(info->time, time), info->tag, info->bytes);
}

static int emit_lines(const struct maplog_view *view)
{
	static struct lines lines;
	int ret = 0;

	for (uint32_t n = 0; !ret && n < view->count; n++) {
		struct maplog_info info;
		const void *data;

		ret = maplog_view_entry(view, n, &data, &info);
		if (ret)
			break;
		add_line(&lines, &info);
		if (sizeof(lines.text) - lines.used < LINE_MAX_SIZE)
			ret = write_lines(&lines);
	}
	return ret ? ret : write_lines(&lines);
}

int emit_view(const struct maplog_view *view, bool info)
{
	return info ? emit_lines(view) : output_write(view->data, view->bytes);
}
