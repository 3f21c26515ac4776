/* SPDX-License-Identifier: MIT */
/* Surveying a log that a crash may have left. */
#include "survey.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "head.h"
#include "record.h"
#include "suspect.h"
#include "truncate.h"

void survey_free(struct survey *survey)
{
	free(survey->bases);
	survey->bases = NULL;
}

int survey_add_missing(struct survey *survey)
{
	uint64_t *bases;

	assert(survey->missing <= survey->next);

	if (survey->missing == survey->next)
		return 0;
	bases = reallocarray(survey->bases, survey->count + 1, sizeof(*bases));
	if (!bases)
		return -ENOMEM;
	bases[survey->count++] = survey->missing;
	survey->bases = bases;
	return 0;
}

/* How many entries a segment can have, for the next one begins there. */
static uint64_t bound(const struct survey *survey, size_t n)
{
	assert(n < survey->count);

	if (n + 1 == survey->count)
		return UINT64_MAX;
	return survey->bases[n + 1] - survey->bases[n];
}

/* Whether the last truncation ended a segment for good: what it holds behind
 * that must not come back, not even if the next segment is lost. */
static bool is_ended(const struct survey *survey, size_t n,
		     const struct suspect *suspect)
{
	const struct maplog_checkpoint *checkpoint = &survey->checkpoint;

	return survey->bases[n] < checkpoint->truncate_to &&
	       !(suspect->has_trailer &&
		 suspect->trailer.generation >= checkpoint->generation);
}

/* Likewise, by that truncation too. */
static uint64_t limit(const struct survey *survey, size_t n,
		      const struct suspect *suspect)
{
	uint64_t most = bound(survey, n);
	uint64_t end = survey->checkpoint.truncate_to - survey->bases[n];

	return is_ended(survey, n, suspect) && end < most ? end : most;
}

/* Entries of a segment that are below the mark. */
static uint64_t below_mark(const struct survey *survey, size_t n)
{
	uint64_t base = survey->bases[n];
	uint64_t below = survey->mark > base ? survey->mark - base : 0;
	uint64_t most = bound(survey, n);

	return below < most ? below : most;
}

/* The log ends in segment n, as far as it has been looked at. */
static int end_in(struct survey *survey, size_t n, uint64_t entries,
		  const struct suspect *suspect)
{
	struct maplog_record last;
	int ret;

	assert(survey->sealed <= n && n < survey->count);

	ret = suspect_last(suspect, entries, &last);
	if (ret && ret != -EUCLEAN)
		return ret;
	survey->tail = n;
	survey->entries = entries;
	survey->used = ret ? 0 : last.end;
	survey->next = survey->bases[n] + entries;
	survey->open =
		!ret && suspect->has_trailer && !is_ended(survey, n, suspect);
	return 0;
}

/* An empty segment where the log ends was begun there for good: the one before
 * it may hold, behind its end, what a truncation took away. */
static bool is_next(const struct survey *survey, size_t n,
		    const struct suspect *suspect)
{
	return n == survey->sealed ||
	       (suspect->has_trailer && survey->next == survey->bases[n]);
}

static int scan_suspect(struct survey *survey, size_t n,
			const struct suspect *suspect)
{
	uint64_t most = limit(survey, n, suspect);
	uint64_t from = below_mark(survey, n);
	struct scan scan;
	int ret;

	from = from < most ? from : most;
	assert(from <= most);
	ret = suspect_scan(suspect, from, most, &scan);
	if (ret)
		return ret;
	assert(scan.good >= from);
	if (!scan.good && !is_next(survey, n, suspect))
		return 0;
	/* What the ones before it lack is damage, since this one is good. */
	if (n > survey->sealed && survey->next < survey->bases[n])
		survey->damaged += survey->bases[n] - survey->next;
	survey->damaged += scan.damaged;
	survey->scanned += scan.good - from;
	return end_in(survey, n, scan.good, suspect);
}

/* The one before segment n is not appended to if a truncation has ended it. */
static int find_mark(int dirfd, struct survey *survey, size_t n)
{
	bool ended = false;
	int ret = 0;

	if (n > survey->sealed && survey->next == survey->bases[n])
		ret = dir_is_named(dirfd, survey->bases[n], DIR_END, &ended);
	if (ended)
		survey->open = false;
	return ret;
}

static int look_at(int dirfd, const struct maplog_head *page,
		   struct survey *survey, size_t n)
{
	struct suspect suspect;
	int ret;

	ret = find_mark(dirfd, survey, n);
	if (ret)
		return ret;
	ret = suspect_open(dirfd, page, survey->bases[n], &suspect);
	if (!ret) {
		ret = scan_suspect(survey, n, &suspect);
		suspect_close(&suspect);
		return ret;
	}
	if (ret != -EUCLEAN)
		return ret;
	/* Nothing to be seen: it has what the mark says it had. */
	if (n == survey->sealed || below_mark(survey, n)) {
		survey->tail = n;
		survey->entries = below_mark(survey, n);
		survey->next = survey->bases[n] + survey->entries;
		survey->open = false;
	}
	return 0;
}

/* Whether a power cut may have taken the trailer of segment n, which was not
 * sealed then: it is not said to be durable, and its end is not there. What
 * cannot be read now is not what is not there. */
static int has_lost_end(int dirfd, const struct maplog_head *page,
			const struct survey *survey, size_t n, bool *has)
{
	struct suspect suspect;
	bool ends;
	int ret;

	/* A segment is cut when the mark holds its end. That may be gone with
	 * the head that it was in. */
	*has = false;
	if (survey->bases[n + 1] <= survey->mark)
		return 0;
	ret = suspect_open(dirfd, page, survey->bases[n], &suspect);
	*has = ret == -EUCLEAN;
	if (ret)
		return *has ? 0 : ret;
	ret = suspect_ends(&suspect, bound(survey, n), &ends);
	*has = !ends;
	suspect_close(&suspect);
	return ret;
}

/* Those that were not sealed are at the end. One that seems to be, for its end
 * is there without a trailer, proves nothing of those before it; a checkpoint
 * that holds it does. */
static int find_sealed(int dirfd, const struct maplog_head *page,
		       struct survey *survey)
{
	const uint64_t *bases = survey->bases;
	bool is = true;
	int ret = 0;

	assert(survey->count);

	survey->sealed = survey->count - 1;
	for (size_t n = survey->sealed; !ret && n--;) {
		ret = suspect_is(dirfd, page, bases[n], &is);
		if (!ret && !is)
			ret = has_lost_end(dirfd, page, survey, n, &is);
		if (!ret && is)
			survey->sealed = n;
		else if (bases[n + 1] <= survey->checkpoint.durable)
			break;
	}
	return ret;
}

static int find_end(int dirfd, const struct maplog_head *page,
		    struct survey *survey)
{
	int ret;

	survey->next = survey->mark;
	survey->missing = survey->mark;
	survey->tail = survey->count;
	if (!survey->count)
		return 0;
	ret = find_sealed(dirfd, page, survey);
	for (size_t n = survey->sealed; !ret && n < survey->count; n++)
		ret = look_at(dirfd, page, survey, n);
	survey->missing = survey->next;
	if (survey->next < survey->mark) {
		/* The end of the log is missing. Its indexes stay taken. */
		survey->damaged += survey->mark - survey->next;
		survey->next = survey->mark;
		survey->open = false;
	}
	return ret;
}

/* The time of the last entry of segment n; 0 if it is damaged. */
static uint64_t last_time(int dirfd, const struct maplog_head *page,
			  const struct survey *survey, size_t n,
			  uint64_t entries)
{
	struct maplog_record last;
	struct suspect suspect;
	int ret;

	assert(n < survey->count);

	if (suspect_open(dirfd, page, survey->bases[n], &suspect))
		return 0;
	ret = suspect_last(&suspect, entries, &last);
	suspect_close(&suspect);
	return ret ? 0 : record_time(&last);
}

/* Times never go back: the next entry's begins with that of the last one. */
static void find_time(int dirfd, const struct maplog_head *page,
		      struct survey *survey)
{
	size_t n = survey->tail;

	if (n < survey->count && survey->entries)
		survey->time =
			last_time(dirfd, page, survey, n, survey->entries);
	else if (n)
		survey->time = last_time(dirfd, page, survey, n - 1,
					 survey->next - survey->bases[n - 1]);
}

/* Leaves out what a truncation that is not finished is to remove. */
static int drop_truncated(int dirfd, const struct maplog_head *page,
			  struct survey *survey)
{
	const struct maplog_checkpoint *checkpoint = &survey->checkpoint;
	uint64_t index = checkpoint->truncate_to;
	enum replacement replacement;
	int ret;

	if (!(checkpoint->flags & MAPLOG_TRUNCATING))
		return 0;
	ret = truncate_replacement(dirfd, page, checkpoint, &replacement);
	if (ret)
		return ret;
	while (survey->count && survey->bases[survey->count - 1] >= index) {
		/* With its own name, what was prepared is what comes next. */
		if (replacement == REPLACEMENT_NAMED &&
		    survey->bases[survey->count - 1] == index)
			return 0;
		survey->count--;
	}
	if (survey->mark > index)
		survey->mark = index;
	return 0;
}

int survey(int dirfd, const struct maplog_head *page, struct survey *survey)
{
	int ret;

	memset(survey, 0, sizeof(*survey));
	head_checkpoint(page, &survey->checkpoint);
	survey->mark = head_durable(page, &survey->checkpoint);
	ret = dir_segments(dirfd, &survey->bases, &survey->count);
	if (!ret)
		ret = drop_truncated(dirfd, page, survey);
	if (!ret)
		ret = find_end(dirfd, page, survey);
	if (ret) {
		survey_free(survey);
		return ret;
	}
	/* Entries whose segments are lost were not trimmed. */
	survey->first = survey->checkpoint.first;
	assert(survey->first <= survey->next);
	assert(survey->tail <= survey->count);
	find_time(dirfd, page, survey);
	return 0;
}
