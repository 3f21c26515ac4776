/* SPDX-License-Identifier: MIT */
/* Damage to one durable entry of a directory that a power cut has left. */
#include "scar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "files.h"
#include "fixture.h"
#include "head.h"

enum kind { KIND_PAYLOAD, KIND_COPY, KIND_INDEX, KINDS };

struct scar {
	char log[80]; /* paths of the segment's files */
	char idx[80];
	bool has_copy;
	uint64_t rel;	/* of the entry, in its segment */
	uint64_t index; /* of the entry */
	uint64_t next;	/* of the first one behind that it does not concern */
};

/* Up to where the log is durable by what is there, as recovery sees it; 0 if
 * it is about to take files away. */
static uint64_t durable_of(int dirfd)
{
	struct maplog_checkpoint checkpoint;
	uint64_t durable = 0;
	struct head head;

	if (head_open(dirfd, false, &head))
		return 0;
	if (head_checkpoint(head.page, &checkpoint) &&
	    !(checkpoint.flags & MAPLOG_TRUNCATING))
		durable = head_durable(head.page, &checkpoint);
	head_close(&head);
	return durable;
}

/* The segment that has the entry. Return: whether there is one. */
static bool find_segment(int dirfd, const char *name, struct scar *scar)
{
	uint64_t base = UINT64_MAX;
	uint64_t *bases;
	size_t count;

	must(!dir_segments(dirfd, &bases, &count));
	for (size_t i = 0; i < count && bases[i] <= scar->index; i++)
		base = bases[i];
	free(bases);
	if (base > scar->index)
		return false;
	snprintf(scar->log, sizeof(scar->log), "%s/%020" PRIu64 ".log", name,
		 base);
	snprintf(scar->idx, sizeof(scar->idx), "%s/%020" PRIu64 ".idx", name,
		 base);
	scar->rel = scar->index - base;
	scar->has_copy = file_size(scar->log) > TRAILER_AT;
	return true;
}

static uint64_t record_at(const struct scar *scar, bool copy)
{
	return copy ? RECORD_AT(scar->rel) : scar->rel * RECORD_SIZE;
}

/* Flips a bit of a record, where there is one: then the next entry's beginning
 * may be unknown, too. */
static void harm_record(struct scar *scar, bool copy, uint64_t random)
{
	const char *path = copy ? scar->log : scar->idx;
	uint64_t at = record_at(scar, copy) + random % RECORD_SIZE;

	if (!file_exists(path) || file_size(path) <= at)
		return;
	flip_bit(path, at, random / RECORD_SIZE % 8);
	scar->next = scar->index + 2;
}

static void harm_payload(const struct scar *scar, uint64_t random)
{
	const char *path = scar->has_copy ? scar->log : scar->idx;
	uint64_t at = record_at(scar, scar->has_copy);
	uint32_t start = 0;
	uint32_t end;

	if (!file_exists(path) || file_size(path) < at + RECORD_SIZE)
		return;
	if (scar->rel)
		read_file(path, at - RECORD_SIZE, &start, sizeof(start));
	read_file(path, at, &end, sizeof(end));
	if (start < end && end <= file_size(scar->log))
		flip_bit(scar->log, start + random % (end - start), random % 8);
}

static void harm(struct scar *scar, bool is_last, uint64_t random)
{
	enum kind kind = (enum kind)(random % KINDS);

	random /= KINDS;
	/* What is not durable is found from the last record on that is. */
	if (kind == KIND_PAYLOAD || is_last)
		harm_payload(scar, random);
	else if (kind == KIND_INDEX || scar->has_copy)
		harm_record(scar, kind == KIND_COPY, random);
}

/* Return: whether there is an entry that can be harmed. */
static bool harm_one(const char *name, const struct model *model,
		     struct scar *scar, uint64_t random)
{
	int dirfd = openat(store, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t durable = durable_of(dirfd);
	uint64_t end = durable < model->next ? durable : model->next;
	bool found = false;

	if (model->first < end) {
		scar->index = model->first + random % (end - model->first);
		scar->next = scar->index + 1;
		found = find_segment(dirfd, name, scar);
	}
	close(dirfd);
	if (found)
		harm(scar, scar->next == durable, random >> 8);
	return found;
}

static const char *entry_differs(uint64_t index, const struct model *model,
				 const struct scar *scar)
{
	const uint32_t value = model->value[index];
	const char *differs = model_entry_differs(tlog, index, value);
	int ret;

	if (!differs || index < scar->index || index >= scar->next)
		return differs;
	ret = read_error(index);
	if (ret == -EBADMSG || ret == -EUCLEAN || ret == -EIO)
		return NULL;
	/* The writer may have mended its .idx meanwhile. */
	return model_entry_differs(tlog, index, value);
}

static const char *writer_differs(const char *name, const struct model *model,
				  const struct scar *scar)
{
	struct maplog_counters now;
	const char *differs;
	int ret = maplog_open(store, name, MAPLOG_WRITE, &tlog);

	if (ret)
		return strerror(-ret);
	maplog_counters(tlog, &now);
	differs = model_counters_differ(&now, model);
	for (uint64_t i = model->first; !differs && i < model->next; i++)
		differs = entry_differs(i, model, scar);
	close_log();
	return differs;
}

const char *scar_differs(const char *name, const struct model *model,
			 uint64_t random)
{
	const bool in_memory = calls_in_memory;
	const char *differs = NULL;
	static char text[200];
	struct scar scar;

	if (!harm_one(name, model, &scar, random))
		return NULL;
	/* What a damaged record says may lie behind the end of its file: that
	 * is found by asking the kernel. */
	calls_in_memory = false;
	for (int i = 0; i < 2 && !differs; i++)
		differs = writer_differs(name, model, &scar);
	calls_in_memory = in_memory;
	if (!differs)
		return NULL;
	snprintf(text, sizeof(text), "%s, with entry %d harmed (%#llx)",
		 differs, (int)scar.index, (unsigned long long)random);
	return text;
}
