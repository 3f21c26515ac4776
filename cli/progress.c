/* SPDX-License-Identifier: MIT */
/* How far a long command is: a bar on stderr, if that is a terminal. */
#include "progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MSEC	    1000000
#define PATIENCE    (500 * (int64_t)MSEC)
#define STEP	    (100 * (int64_t)MSEC)
#define CLEAR_LINE  "\r\033[K"
#define BAR_COLUMNS 24

static struct {
	bool wanted;
	bool shown;
	const char *what;
	uint64_t total;
	int64_t begun;
	int64_t due; /* when the next drawing is */
} progress;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 * MSEC + ts.tv_nsec;
}

void progress_begin(const char *what, uint64_t total)
{
	progress.wanted = isatty(STDERR_FILENO);
	progress.shown = false;
	progress.what = what;
	progress.total = total;
	progress.begun = now();
	progress.due = progress.begun + PATIENCE;
}

static const char *scaled(double bytes, char *text, size_t size)
{
	static const char *const units[] = { "B",   "KiB", "MiB",
					     "GiB", "TiB", "PiB" };
	size_t n = 0;

	while (bytes >= 1024 && n < 5) {
		bytes /= 1024;
		n++;
	}
	snprintf(text, size, n ? "%.1f %s" : "%.0f %s", bytes, units[n]);
	return text;
}

/* " 45% [##########              ]" */
static void draw_bar(double done)
{
	int columns = (int)(done * BAR_COLUMNS);

	fprintf(stderr, " %3d%% [", (int)(done * 100));
	for (int i = 0; i < BAR_COLUMNS; i++)
		fputc(i < columns ? '#' : ' ', stderr);
	fputc(']', stderr);
}

/* " 1:05 left" */
static void draw_time_left(double seconds)
{
	unsigned left = (unsigned)(seconds + 0.5);

	if (left >= 3600)
		fprintf(stderr, ", %u:%02u:%02u left", left / 3600,
			left / 60 % 60, left % 60);
	else
		fprintf(stderr, ", %u:%02u left", left / 60, left % 60);
}

static void draw(uint64_t steps, uint64_t bytes, uint64_t entries,
		 double seconds)
{
	/* A file that grows meanwhile is not over when it is done. */
	bool known = progress.total && steps && steps <= progress.total;
	char done[32];
	char rate[32];

	fputs(CLEAR_LINE, stderr);
	fputs(progress.what, stderr);
	if (known)
		draw_bar((double)steps / (double)progress.total);
	fprintf(stderr, " %s, %s/s, %" PRIu64 " entries",
		scaled((double)bytes, done, sizeof(done)),
		scaled((double)bytes / seconds, rate, sizeof(rate)), entries);
	if (known)
		draw_time_left(seconds * (double)(progress.total - steps) /
			       (double)steps);
	fflush(stderr);
	progress.shown = true;
}

void progress_at(uint64_t steps, uint64_t bytes, uint64_t entries)
{
	int64_t time;

	if (!progress.wanted)
		return;
	time = now();
	if (time < progress.due)
		return;
	progress.due = time + STEP;
	draw(steps, bytes, entries, (double)(time - progress.begun) / 1e9);
}

void progress_clear(void)
{
	if (progress.shown)
		fputs(CLEAR_LINE, stderr);
	progress.shown = false;
}
