/* SPDX-License-Identifier: MIT */
/*
 * Repairing a log that is damaged.
 *
 * Each entry is proven in turn, as a reader would: by a record and the end of
 * the record before it. What is to be changed is kept first, then changed.
 */
#include "repair.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"
#include "evidence.h"
#include "head.h"
#include "io.h"
#include "lock.h"
#include "pair.h"
#include "salvage.h"
#include "survey.h"

#define RECORD sizeof(struct maplog_record)

struct repair {
	int dirfd;
	mode_t mode;
	bool apply;
	void (*report)(void *arg, const struct maplog_finding *finding);
	void *arg;
	struct survey found;
	struct pair pair; /* the segment that is looked at */
	struct evidence evidence;
};

static void tell(const struct repair *repair,
		 const struct maplog_finding *finding)
{
	if (repair->report)
		repair->report(repair->arg, finding);
}

/* Changes some bytes, having kept those that were there. */
static int change(struct repair *repair, const struct maplog_finding *finding,
		  const void *bytes)
{
	struct pair *pair = &repair->pair;
	int ret;

	tell(repair, finding);
	if (!repair->apply)
		return 0;
	ret = evidence_keep(&repair->evidence, finding,
			    pair->map[finding->file] + finding->offset);
	if (ret)
		return ret;
	return pair_write(pair, repair->dirfd, finding->file, bytes,
			  finding->bytes, finding->offset);
}

/* Puts a true record in each place where another one is. */
static int put_record(struct repair *repair, uint64_t rel,
		      enum maplog_remedy remedy,
		      const struct maplog_record *record)
{
	int ret = 0;

	assert(repair->pair.base + rel >= repair->pair.base);

	for (enum pair_place place = 0; !ret && place < PAIR_PLACES; place++) {
		struct pair_record there;

		if (!pair_record(&repair->pair, place, rel, &there) ||
		    !memcmp(&there.record, record, RECORD))
			continue;
		ret = change(repair,
			     &(struct maplog_finding){
				     .remedy = remedy,
				     .index = repair->pair.base + rel,
				     .count = 1,
				     .base = repair->pair.base,
				     .file = there.file,
				     .offset = there.offset,
				     .bytes = RECORD,
			     },
			     record);
	}
	return ret;
}

static int put_mended(struct repair *repair, uint64_t rel,
		      const struct mend *mended)
{
	int ret;

	if (!mended->in_payload)
		return put_record(repair, rel, MAPLOG_REMEDY_BIT,
				  &mended->record);
	ret = change(repair,
		     &(struct maplog_finding){
			     .remedy = MAPLOG_REMEDY_BIT,
			     .index = repair->pair.base + rel,
			     .count = 1,
			     .base = repair->pair.base,
			     .file = MAPLOG_DATA,
			     .offset = mended->offset,
			     .bytes = 1,
		     },
		     &mended->byte);
	return ret ? ret
		   : put_record(repair, rel, MAPLOG_REMEDY_COPY,
				&mended->record);
}

/* Entries from <= i < to cannot be had. */
static void give_up(const struct repair *repair, uint64_t base, uint64_t from,
		    uint64_t to)
{
	if (from < repair->found.first)
		from = repair->found.first;
	if (from < to)
		tell(repair, &(struct maplog_finding){
				     .remedy = MAPLOG_REMEDY_NONE,
				     .index = from,
				     .count = to - from,
				     .base = base,
			     });
}

/* What the one record could not be made into the other one cannot, either. */
static bool is_same(const struct pair_record there[PAIR_PLACES],
		    const bool has[PAIR_PLACES])
{
	return has[PAIR_COPY] && has[PAIR_INDEX] &&
	       !memcmp(&there[PAIR_COPY].record, &there[PAIR_INDEX].record,
		       RECORD);
}

/* Repairs one entry that begins at *start; that is then where the next one
 * does, as far as it is known. */
static int repair_entry(struct repair *repair, uint64_t rel, uint32_t *start)
{
	struct pair *pair = &repair->pair;
	struct pair_record there[PAIR_PLACES];
	bool has[PAIR_PLACES];
	uint32_t from = *start;

	for (enum pair_place place = 0; place < PAIR_PLACES; place++) {
		has[place] = pair_record(pair, place, rel, &there[place]);
		if (!has[place])
			continue;
		*start = there[place].record.end;
		if (pair_is_true(pair, rel, &there[place].record, from))
			return put_record(repair, rel, MAPLOG_REMEDY_COPY,
					  &there[place].record);
	}
	for (enum pair_place place = 0; place < PAIR_PLACES; place++) {
		struct mend mended;

		if (!has[place] || (place && is_same(there, has)) ||
		    !pair_mend(pair, rel, &there[place].record, from, &mended))
			continue;
		*start = mended.record.end;
		return put_mended(repair, rel, &mended);
	}
	give_up(repair, pair->base, pair->base + rel, pair->base + rel + 1);
	return 0;
}

/* Where the first entry begins that was not trimmed: by what is said of the
 * one before it, though that may be gone. */
static void find_start(const struct repair *repair, uint64_t rel,
		       uint32_t *start)
{
	struct pair_record before;

	*start = 0;
	for (enum pair_place place = 0; rel && place < PAIR_PLACES; place++) {
		if (pair_record(&repair->pair, place, rel - 1, &before))
			*start = before.record.end;
	}
}

static int repair_entries(struct repair *repair, uint64_t entries)
{
	uint64_t base = repair->pair.base;
	uint64_t first = repair->found.first;
	uint64_t rel = first > base ? first - base : 0;
	uint32_t start;
	int ret = 0;

	find_start(repair, rel, &start);
	for (; !ret && rel < entries; rel++)
		ret = repair_entry(repair, rel, &start);
	return ret;
}

static int repair_segment(struct repair *repair, const struct maplog_head *page,
			  uint64_t base, uint64_t entries)
{
	struct pair *pair = &repair->pair;
	int synced;
	int ret;

	assert(page);

	ret = pair_open(repair->dirfd, page, base,
			repair->found.checkpoint.durable, pair);
	if (ret == -EUCLEAN) {
		give_up(repair, base, base, base + entries);
		return 0;
	}
	if (ret)
		return ret;
	evidence_init(&repair->evidence, repair->dirfd, repair->mode, base);
	ret = repair_entries(repair,
			     entries < pair->room ? entries : pair->room);
	if (!ret)
		give_up(repair, base, base + pair->room, base + entries);
	evidence_close(&repair->evidence);
	synced = pair_close(pair);
	return ret ? ret : synced;
}

/* Which segments there are, as a reader sees it. */
static int look(struct repair *repair, const struct maplog_head *page)
{
	struct survey *found = &repair->found;
	int ret;

	ret = survey(repair->dirfd, page, found);
	if (ret)
		return ret;
	if (found->tail < found->count)
		found->count = found->tail + 1;
	/* A truncation may have left entries where the lost ones were. */
	ret = survey_add_missing(found);
	if (ret)
		survey_free(found);
	return ret;
}

static int repair_segments(struct repair *repair,
			   const struct maplog_head *page)
{
	const struct survey *found = &repair->found;
	int ret = 0;

	if (found->count)
		give_up(repair, found->bases[0], found->first, found->bases[0]);
	for (size_t n = 0; !ret && n < found->count; n++) {
		uint64_t base = found->bases[n];
		uint64_t end = n + 1 < found->count ? found->bases[n + 1]
						    : found->next;

		if (end > base && end > found->first)
			ret = repair_segment(repair, page, base, end - base);
	}
	return ret;
}

/* Whether there is a head afterwards by which to go on. */
static int repair_head(struct repair *repair, struct head *head, bool *is)
{
	int ret = head_open(repair->dirfd, false, head);

	*is = !ret;
	if (!io_is_no_file(ret))
		return ret;
	tell(repair, &(struct maplog_finding){ .remedy = MAPLOG_REMEDY_HEAD });
	if (!repair->apply)
		return 0;
	ret = salvage_head(repair->dirfd, repair->mode);
	if (!ret)
		ret = head_open(repair->dirfd, false, head);
	*is = !ret;
	return ret;
}

static int repair_log(struct repair *repair)
{
	struct head head;
	struct stat st;
	bool has_head;
	int ret;

	if (fstat(repair->dirfd, &st))
		return -errno;
	repair->mode = st.st_mode & 0666;
	ret = lock_take(repair->dirfd);
	if (!ret)
		ret = repair_head(repair, &head, &has_head);
	if (ret || !has_head)
		return ret;
	ret = look(repair, head.page);
	if (!ret) {
		ret = repair_segments(repair, head.page);
		survey_free(&repair->found);
	}
	head_close(&head);
	return ret;
}

int maplog_repair(int dirfd, const char *name, bool apply,
		  void (*report)(void *arg,
				 const struct maplog_finding *finding),
		  void *arg)
{
	struct repair repair = {
		.apply = apply,
		.report = report,
		.arg = arg,
	};
	int ret;

	ret = io_open_dir(dirfd, name, &repair.dirfd);
	if (ret)
		return ret;
	ret = repair_log(&repair);
	/* With this the lock goes, too. */
	close(repair.dirfd);
	return ret;
}
