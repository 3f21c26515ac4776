/* SPDX-License-Identifier: MIT */
/* Recovery: what a new writer does before it shows anything. */
#include "recover.h"

#include <assert.h>
#include <errno.h>

#include "dir.h"
#include "follow.h"
#include "idx.h"
#include "io.h"
#include "pending.h"
#include "publish.h"
#include "roll.h"
#include "scan.h"
#include "survey.h"
#include "suspect.h"
#include "sync.h"
#include "torn.h"
#include "trailer.h"

#define RECORD sizeof(struct maplog_record)

/* Makes a recovered segment durable from entry @from on, on the device. */
static int make_durable(const struct maplog *log, struct segment *segment,
			uint64_t from)
{
	const struct maplog_record *copy = segment->copy;
	uint64_t records = segment->trailer.payload_size;
	int fd = segment->fd[MAPLOG_DATA];
	int ret = 0;

	assert(segment->used <= segment->trailer.payload_size);

	if (from < segment->count) {
		uint64_t start = from ? copy[from - 1].end : 0;

		ret = io_rewrite(fd, start < segment->used ? start : 0,
				 segment->used);
		if (!ret)
			ret = io_rewrite(fd, records + from * RECORD,
					 records + segment->count * RECORD);
	}
	return ret ? ret : segment_sync(segment, log->dirfd);
}

static uint64_t since(uint64_t index, uint64_t base)
{
	return index > base ? index - base : 0;
}

static int open_suspect(const struct maplog *log, uint64_t base,
			struct segment **segment)
{
	struct maplog_trailer trailer;
	bool has;
	int ret;

	ret = suspect_trailer(log->dirfd, log->head.page, base, &trailer, &has);
	if (!ret && !has)
		ret = -EUCLEAN;
	return ret ? ret
		   : segment_open(log->dirfd, &trailer, log->mode, segment);
}

static void set_end(struct segment *segment, uint64_t entries, uint64_t used)
{
	uint64_t page = io_page();

	segment->count = entries;
	segment->found = entries;
	segment->used = used;
	segment->found_used = used;
	/* A page that holds the end may be a hole in a copied file. */
	segment->allocated[REGION_PAYLOAD] = used & ~(page - 1);
	segment->allocated[REGION_COPY] = (entries * RECORD) & ~(page - 1);
	segment->allocated[REGION_INDEX] = segment->allocated[REGION_COPY];
}

/* What somebody may have mapped stays: behind the end there may be entries that
 * were shown before a truncation took them away. */
static int cut(struct segment *segment)
{
	const struct maplog_record *copy = segment->copy;
	uint64_t start = segment->trailer.payload_size;
	uint64_t bytes = segment->used;
	uint64_t records;
	uint64_t end;
	int ret;

	ret = scan_extent(segment->fd[MAPLOG_DATA], segment->data,
			  start + segment->count * RECORD,
			  start + segment->trailer.records * RECORD, &end);
	if (ret)
		return ret;
	records = (end - start + RECORD - 1) / RECORD;
	for (uint64_t n = segment->count; n < records; n++) {
		uint32_t shown = copy[n].end;

		if (shown > bytes && shown <= segment->trailer.payload_size)
			bytes = shown;
	}
	assert(bytes <= segment->trailer.payload_size);
	segment_cut(segment, bytes, records);
	return 0;
}

/* Where a segment ends that another one follows; if it is damaged there, what
 * is known of that. Whether it is not. */
static int find_late_end(const struct maplog *log, uint64_t base,
			 uint64_t entries, struct segment *segment, bool *known)
{
	struct maplog_record last;
	struct suspect suspect;
	int ret;

	ret = suspect_open(log->dirfd, log->head.page, base, &suspect);
	if (ret)
		return ret;
	ret = suspect_last(&suspect, entries, &last);
	suspect_close(&suspect);
	if (ret && ret != -EUCLEAN)
		return ret;
	*known = !ret;
	/* Segments may be missing in between. */
	if (entries > segment->trailer.records)
		entries = segment->trailer.records;
	set_end(segment, entries,
		ret ? segment->trailer.payload_size : last.end);
	return 0;
}

/* A segment with so many entries that was not sealed in time. One that has lost
 * its trailer is read by its .idx anyway. */
static int seal_late(const struct maplog *log, struct survey *survey,
		     uint64_t base, uint64_t entries)
{
	struct segment *segment;
	bool known;
	bool is;
	int ret;

	ret = suspect_is(log->dirfd, log->head.page, base, &is);
	if (ret || !is)
		return ret;
	ret = open_suspect(log, base, &segment);
	if (ret)
		return ret;
	ret = find_late_end(log, base, entries, segment, &known);
	if (!ret)
		ret = idx_rebuild(segment, log->seed,
				  since(survey->checkpoint.durable, base));
	if (!ret)
		ret = make_durable(log, segment, since(survey->mark, base));
	if (!ret)
		ret = idx_finish(segment, log->seed);
	survey->overstated |= segment->overstated;
	segment_close(segment);
	return ret;
}

/* Those before the one that the log ends in; that one, too, if nothing is to be
 * appended to it: all of them are to be read by their .idx from now on. */
static int seal_all_late(const struct maplog *log, struct survey *survey)
{
	const uint64_t *bases = survey->bases;
	size_t n;
	int ret = 0;

	/* Where there was something to look at, the log ends in one of them. */
	assert(!survey->count || survey->tail < survey->count);

	for (n = survey->sealed; !ret && n < survey->tail; n++)
		ret = seal_late(log, survey, bases[n], bases[n + 1] - bases[n]);
	if (!ret && !survey->open && n < survey->count && survey->entries)
		ret = seal_late(log, survey, bases[n], survey->entries);
	return ret;
}

/* Cuts a segment that was sealed late, now that the checkpoint says that it is
 * to be read by its .idx: the copy may be gone before the size is. Until then
 * it can be done again. Damaged at its end, it is left as it is: for repair. */
static void cut_late(const struct maplog *log, const struct survey *survey,
		     size_t n)
{
	uint64_t base = survey->bases[n];
	struct segment *segment;
	uint64_t end;
	bool known;

	/* Where the log ends there is a segment, for this one is before it. */
	assert(n + 1 < survey->count);

	end = survey->bases[n + 1];
	if (log->checkpointed < end || open_suspect(log, base, &segment))
		return;
	segment->overstated = survey->overstated;
	if (!find_late_end(log, base, end - base, segment, &known) && known)
		(void)cut(segment);
	segment_close(segment);
}

static int set_aside(struct maplog *log, const struct survey *survey,
		     uint64_t base)
{
	uint64_t bytes;
	int ret = 0;

	/* Where the log ends, the segment before it may have more. */
	if (base != survey->next)
		ret = dir_unlink(log->dirfd, base, DIR_END);
	if (!ret)
		ret = torn_set_aside(log->dirfd, base, &bytes);
	if (!ret && bytes) {
		log->recovery.torn_index = base;
		log->recovery.torn_bytes += bytes;
	}
	return ret;
}

/* What lies behind the end of the log goes, last first. */
static int drop_behind(struct maplog *log, struct survey *survey)
{
	size_t keep = survey->tail;
	int ret = 0;

	assert(survey->tail <= survey->count);

	/* The one it ends in stays if it has entries or can take some. */
	if (survey->tail < survey->count && (survey->open || survey->entries))
		keep++;
	while (!ret && survey->count > keep)
		ret = set_aside(log, survey, survey->bases[--survey->count]);
	return ret;
}

/* Holds the place of a segment that is lost: the one before it may have more
 * than it had when that one was begun. */
static int hold_place(const struct maplog *log, struct survey *survey)
{
	int ret;

	assert(survey->missing <= survey->next);

	if (survey->missing == survey->next)
		return 0;
	ret = dir_mark_end(log->dirfd, survey->missing, log->mode);
	/* On a full disk, too: without it there would be entries there, to the
	 * next writer, that a truncation has taken away. */
	return ret ? ret : survey_add_missing(survey);
}

static int reopen_tail(struct maplog *log, const struct survey *survey,
		       struct segment **segment)
{
	uint64_t base = survey->bases[survey->tail];
	uint64_t bytes;
	int ret;

	assert(survey->open && survey->tail < survey->count);

	ret = open_suspect(log, base, segment);
	if (ret)
		return ret;
	set_end(*segment, survey->entries, survey->used);
	ret = torn_cut(log->dirfd, log->mode, *segment, &bytes);
	if (!ret && bytes) {
		log->recovery.torn_index = survey->next;
		log->recovery.torn_bytes += bytes;
	}
	if (!ret)
		ret = idx_rebuild(*segment, log->seed,
				  since(survey->checkpoint.durable, base));
	if (!ret)
		ret = idx_clear(*segment);
	if (!ret)
		ret = make_durable(log, *segment, since(survey->mark, base));
	if (ret)
		segment_close(*segment);
	return ret;
}

static int restore_table(struct maplog *log, const struct survey *survey)
{
	int ret;

	pthread_mutex_lock(&log->segments);
	ret = follow_set_table(log, survey->bases, survey->count, false);
	pthread_mutex_unlock(&log->segments);
	return ret;
}

/* What new segments are made with. */
static void restore_end(struct maplog *log, const struct survey *survey)
{
	struct maplog_head *page = log->head.page;

	assert(!log->active);

	/* Or, with a bit flipped, a number that no checkpoint can have. */
	if (page->generation < survey->checkpoint.generation ||
	    page->generation > INT64_MAX) {
		/* Who sees the generation must not see how long a file was
		 * that has been replaced since. */
		publish_active(log, NULL);
		head_store(&page->generation, survey->checkpoint.generation);
	}
	/* Who looks up the segments now must not look for what is gone. */
	if (page->next > survey->next)
		head_store(&page->next, survey->next);
	log->tail = survey->next;
	log->last_time = survey->time;
	log->checkpointed = survey->checkpoint.durable;
}

/* Shows what was found, now that it is durable. */
static void restore_counters(struct maplog *log, const struct survey *survey)
{
	struct maplog_head *page = log->head.page;

	assert(log->tail == survey->next);
	assert(survey->first <= survey->next);

	head_store(&page->first, survey->first);
	head_store(&page->next, log->tail);
	head_set_durable(&log->head, log->tail);
	if (log->active)
		head_store(&page->active_bytes, log->active->used);
	__atomic_fetch_add(&page->wake, 1, __ATOMIC_RELEASE);
}

static int restore_active(struct maplog *log, const struct survey *survey)
{
	struct segment *segment;
	int ret;

	if (!survey->open)
		return roll_if_room(log);
	ret = reopen_tail(log, survey, &segment);
	if (ret)
		return ret;
	ret = roll_take(log, segment);
	if (ret) {
		roll_let_go(log, segment);
		return ret;
	}
	roll_activate(log, segment);
	return 0;
}

static int apply(struct maplog *log, struct survey *survey)
{
	int ret;

	assert(survey->sealed <= survey->tail);
	assert(survey->tail <= survey->count);

	log->recovery.scanned = survey->scanned;
	log->recovery.damaged = survey->damaged;
	ret = seal_all_late(log, survey);
	if (!ret)
		ret = drop_behind(log, survey);
	if (!ret)
		ret = hold_place(log, survey);
	if (!ret)
		ret = restore_table(log, survey);
	if (ret)
		return ret;
	restore_end(log, survey);
	ret = restore_active(log, survey);
	if (!ret)
		restore_counters(log, survey);
	return ret;
}

/* Says that all of this was done. On a full disk that can wait, unless it would
 * be done again later, to what the log goes on with. */
static int write_checkpoint(struct maplog *log)
{
	bool truncated = log->recovery.truncation;
	int ret = 0;

	if (log->active)
		ret = segment_finish(log->active);
	if (ret)
		return ret;
	ret = truncated ? sync_clear_intent(log, log->tail)
			: sync_write_durable(log, log->tail);
	if (ret != -ENOSPC)
		return ret;
	if (truncated)
		sync_failed(log, ret);
	return 0;
}

int recover(struct maplog *log)
{
	struct survey found;
	int ret;

	assert(!log->active && !log->sealing);

	/* Others may have written since. */
	log->left = NULL;
	ret = pending_finish(log);
	if (!ret)
		ret = survey(log->dirfd, log->head.page, &found);
	if (ret)
		return ret;
	ret = apply(log, &found);
	if (!ret)
		ret = write_checkpoint(log);
	for (size_t n = found.sealed; !ret && n < found.tail; n++)
		cut_late(log, &found, n);
	survey_free(&found);
	return ret;
}
