/* SPDX-License-Identifier: MIT */
/* Entries as they are written: their bytes, or what is said of them. */
#include "emit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "jsonline.h"
#include "output.h"
#include "pattern.h"
#include "table.h"

/* Text is written when there is so much of it. */
#define ENOUGH 65536

#define HEX_LINE 16 /* bytes in a line */

void emit_set(struct emit *emit, const struct args *args, enum emit_form form)
{
	if (emit->form != EMIT_BYTES && emit->form != form)
		args_fail(args, "one form is enough: --info, --json, or "
				"--format");
	emit->form = form;
}

void emit_set_pattern(struct emit *emit, const struct args *args,
		      const char *pattern)
{
	const char *fault = pattern_fault(pattern);

	if (fault)
		args_fail(args, "--format: not understood: '%.2s'", fault);
	emit_set(emit, args, EMIT_PATTERN);
	emit->pattern = pattern;
}

/* ---- Forms ---- */

static void add_info(struct text *text, const struct maplog_info *info)
{
	char time[TEXT_TIME_SIZE];

	text_print(text, "%" PRIu64 " %s %" PRIu64 " %" PRIu64, info->index,
		   text_time(info->time, time), info->tag, info->bytes);
}

static void add_hex_line(struct text *text, uint64_t offset, const char *data,
			 size_t bytes)
{
	text_print(text, "  %08" PRIx64 " ", offset);
	for (size_t i = 0; i < HEX_LINE; i++) {
		text_add(text, "  ", i == HEX_LINE / 2 ? 2 : 1);
		if (i < bytes)
			text_hex(text, data + i, 1);
		else
			text_add(text, "  ", 2);
	}
	text_add(text, "  |", 3);
	for (size_t i = 0; i < bytes; i++) {
		bool shown = data[i] >= ' ' && data[i] <= '~';

		text_add(text, shown ? data + i : ".", 1);
	}
	text_add(text, "|\n", 2);
}

static void add_dump(struct text *text, const struct shown *shown, bool hex)
{
	const char *data = shown->data;

	add_info(text, &shown->info);
	text_print(text, " %08" PRIx32, shown->crc);
	if (!hex) {
		text_add(text, " ", 1);
		text_quote(text, data, shown->info.bytes);
	}
	text_add(text, "\n", 1);
	for (uint64_t at = 0; hex && at < shown->info.bytes; at += HEX_LINE) {
		uint64_t left = shown->info.bytes - at;

		add_hex_line(text, at, data + at,
			     left < HEX_LINE ? left : HEX_LINE);
	}
}

/* A line has a newline at its end, and nowhere else. */
static int add_line(struct text *text, const struct shown *shown)
{
	const char *data = shown->data;
	size_t bytes = shown->info.bytes;

	if (!bytes || memchr(data, '\n', bytes) != data + bytes - 1)
		return -EILSEQ;
	text_add(text, data, bytes);
	return 0;
}

static void add_frame(struct text *text, const struct shown *shown)
{
	const struct maplog_frame frame = {
		.length = (uint32_t)shown->info.bytes,
		.tag = shown->info.tag,
	};

	text_add(text, &frame, sizeof(frame));
	text_add(text, shown->data, shown->info.bytes);
}

static int add(struct emit *emit, const struct shown *shown)
{
	struct text *text = &emit->text;

	switch (emit->form) {
	case EMIT_INFO:
		add_info(text, &shown->info);
		break;
	case EMIT_PATTERN:
		pattern_add(text, emit->pattern, shown);
		return 0;
	case EMIT_JSON:
		jsonline_add(text, shown);
		break;
	case EMIT_TEXT:
	case EMIT_HEX:
		add_dump(text, shown, emit->form == EMIT_HEX);
		return 0;
	case EMIT_FRAMES:
		add_frame(text, shown);
		return 0;
	default:
		return add_line(text, shown);
	}
	text_add(text, "\n", 1);
	return 0;
}

/* ---- Writing ---- */

static int put(const struct emit *emit, const void *data, size_t bytes,
	       size_t *written)
{
	return (emit->write ? emit->write : output_write)(data, bytes, written);
}

/* Entries that end within the first @bytes of a view. */
static uint32_t count_whole(const struct maplog_view *view, size_t bytes)
{
	uint32_t n = 0;

	while (n < view->count && view->records[n].end - view->offset <= bytes)
		n++;
	return n;
}

static int write_bytes(const struct emit *emit, const struct maplog_view *view,
		       uint32_t *done)
{
	size_t written;
	int ret = put(emit, view->data, view->bytes, &written);

	*done = ret ? count_whole(view, written) : view->count;
	return ret;
}

static int flush(struct emit *emit)
{
	int ret = put(emit, emit->text.data, emit->text.used, NULL);

	emit->text.used = 0;
	return ret;
}

static int write_text(struct emit *emit, const struct maplog_view *view,
		      uint32_t *done)
{
	int refused = 0;
	int ret = 0;

	*done = 0;
	for (uint32_t n = 0; !ret && !refused && n < view->count; n++) {
		struct shown shown = { .crc = view->records[n].crc };

		ret = maplog_view_entry(view, n, &shown.data, &shown.info);
		if (!ret)
			refused = add(emit, &shown);
		if (ret || (!refused && emit->text.used < ENOUGH &&
			    n + 1 < view->count))
			continue;
		ret = flush(emit);
		if (!ret)
			*done = n + !refused;
	}
	return ret ? ret : refused;
}

int emit_view(struct emit *emit, const struct maplog_view *view, uint32_t *done)
{
	int ret = emit->form == EMIT_BYTES ? write_bytes(emit, view, done)
					   : write_text(emit, view, done);

	if (!ret)
		emit->bytes += view->bytes;
	return ret;
}

void emit_free(struct emit *emit)
{
	text_free(&emit->text);
}
