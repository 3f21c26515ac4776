/* SPDX-License-Identifier: MIT */
/* Reading the trail of a logging disk. */
#include "trail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static size_t data_bytes(const struct trail_record *record)
{
	return record->what == TRAIL_WRITE || record->what == TRAIL_MARK
		       ? record->bytes
		       : 0;
}

static void add_step(struct trail *trail, const struct trail_step *step)
{
	if (trail->steps % 1024 == 0) {
		size_t bytes = (trail->steps + 1024) * sizeof(*step);

		trail->step = realloc(trail->step, bytes);
		require(trail->step);
	}
	trail->step[trail->steps++] = *step;
}

static void load_file(struct trail *trail, int fd, size_t bytes)
{
	trail->file = malloc(bytes + 1);
	require(trail->file);
	for (size_t at = 0; at < bytes;) {
		ssize_t n = pread(fd, trail->file + at, bytes - at, (off_t)at);

		require(n > 0);
		at += (size_t)n;
	}
}

void trail_load(struct trail *trail, int fd)
{
	struct stat st;
	size_t bytes;

	memset(trail, 0, sizeof(*trail));
	require(!fstat(fd, &st));
	bytes = (size_t)st.st_size;
	load_file(trail, fd, bytes);
	for (size_t at = 0; at < bytes;) {
		struct trail_step step;

		memcpy(&step.record, trail->file + at, sizeof(step.record));
		at += sizeof(step.record);
		step.data = trail->file + at;
		at += data_bytes(&step.record);
		require(at <= bytes);
		add_step(trail, &step);
	}
}

void trail_free(struct trail *trail)
{
	free(trail->step);
	free(trail->file);
}

int trail_number(const struct trail_step *step, const char *word)
{
	char text[64] = "";
	size_t n = step->record.bytes;

	if (step->record.what != TRAIL_MARK)
		return -1;
	memcpy(text, step->data, n < sizeof(text) ? n : sizeof(text) - 1);
	n = strlen(word);
	return strncmp(text, word, n) == 0 ? atoi(text + n) : -1;
}
