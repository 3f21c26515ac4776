/* SPDX-License-Identifier: MIT */
/* Damaged entries: ranges of them, told with the place where they begin. */
#include "damage.h"

#include <errno.h>
#include <inttypes.h>

#include "progress.h"

static const char *reason(int ret)
{
	switch (-ret) {
	case EBADMSG:
		return "checksum mismatch";
	case EUCLEAN:
		return "record and files do not fit together";
	default:
		return "cannot be read";
	}
}

/* Where an entry begins; false if the record before it says nothing. A view
 * knows which of an active segment's records count: after a crash those of the
 * .idx may not. */
static bool find_offset(struct maplog *log,
			const struct maplog_segment *segment, uint64_t index,
			uint64_t *offset)
{
	struct maplog_view view;
	int ret;

	*offset = 0;
	if (index == segment->base)
		return true;
	ret = maplog_view(log, index, 1, &view);
	if (!ret) {
		*offset = view.offset;
	} else {
		ret = maplog_view(log, index - 1, 1, &view);
		if (ret)
			return false;
		*offset = view.offset + view.bytes;
	}
	maplog_view_release(&view);
	return true;
}

static void print_place(const struct damage *damage)
{
	struct maplog_segment segment = { .id = 0 };
	uint64_t offset;

	(void)maplog_segment(damage->log, damage->first, &segment);
	if (!segment.id)
		return;
	fprintf(damage->out, ": %020" PRIu64 ".log", segment.base);
	if (find_offset(damage->log, &segment, damage->first, &offset))
		fprintf(damage->out, " offset %" PRIu64, offset);
	else
		fputs(", whose .idx is not whole", damage->out);
}

void damage_flush(struct damage *damage)
{
	if (!damage->count)
		return;
	progress_clear();
	if (damage->out == stderr)
		fputs("maplog: ", damage->out);
	if (damage->count == 1)
		fprintf(damage->out, "%s: entry %" PRIu64 " is damaged: %s",
			damage->path, damage->first, reason(damage->reason));
	else
		fprintf(damage->out,
			"%s: entries %" PRIu64 "-%" PRIu64 " are damaged: %s",
			damage->path, damage->first,
			damage->first + damage->count - 1,
			reason(damage->reason));
	print_place(damage);
	fputc('\n', damage->out);
	fflush(damage->out);
	damage->count = 0;
}

/* One past the last entry of the segment that an entry is in. */
static uint64_t find_bound(struct maplog *log, uint64_t index)
{
	struct maplog_segment segment = { .id = 0 };

	(void)maplog_segment(log, index, &segment);
	return segment.id ? segment.base + segment.entries : index + 1;
}

void damage_add(struct damage *damage, uint64_t index, int ret)
{
	if (damage->count &&
	    (index != damage->first + damage->count || index >= damage->bound))
		damage_flush(damage);
	if (!damage->count) {
		damage->first = index;
		damage->reason = ret;
		damage->bound = find_bound(damage->log, index);
	}
	damage->count++;
	damage->total++;
}
