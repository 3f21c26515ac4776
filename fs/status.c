/* SPDX-License-Identifier: MIT */
/* The text of the status files. */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "retain.h"

#define SEC 1000000000

static void put_time(FILE *out, const char *key, uint64_t time)
{
	time_t seconds = (time_t)(time / SEC);
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "%s: %s.%09uZ\n", key, text, (unsigned)(time % SEC));
}

static void put_uuid(FILE *out, const uint8_t uuid[16])
{
	fputs("uuid: ", out);
	for (int i = 0; i < 16; i++)
		fprintf(out, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			uuid[i]);
	fputc('\n', out);
}

static void put_options(FILE *out, struct maplog *log)
{
	struct maplog_options options;
	const char *key;

	maplog_options(log, &options);
	for (size_t i = 0; (key = maplog_options_key(i)); i++) {
		char value[64];

		if (!maplog_options_get(&options, key, value, sizeof(value)))
			fprintf(out, "%s: %s\n", key, value);
	}
}

static void put_recovery(FILE *out, const struct maplog_recovery *recovery)
{
	if (recovery->scanned)
		fprintf(out, "recovered: %" PRIu64 "\n", recovery->scanned);
	if (recovery->torn_bytes)
		fprintf(out, "torn: entry %" PRIu64 ", %" PRIu64 " bytes\n",
			recovery->torn_index, recovery->torn_bytes);
	if (recovery->damaged)
		fprintf(out, "damaged: %" PRIu64 "\n", recovery->damaged);
	if (recovery->truncation)
		fputs("finished: an interrupted truncation\n", out);
	if (recovery->head)
		fputs("rebuilt: head\n", out);
	if (recovery->options)
		fputs("damaged: log.ini\n", out);
}

static void put_readers(FILE *out, struct maplog *log, uint64_t next)
{
	struct maplog_reader_info *list;
	size_t count;

	if (maplog_reader_list(log, &list, &count))
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "reader: %s next=%" PRIu64 " lag=%" PRIu64 "\n",
			list[i].name, list[i].next,
			list[i].next < next ? next - list[i].next : 0);
	free(list);
}

/* What it takes, and why the oldest segment is still there. */
static void put_retention(FILE *out, struct maplog *log)
{
	struct maplog_retention retention;
	struct maplog_segment oldest;
	char reason[128];

	oldest.id = 0;
	(void)maplog_segment(log, 0, &oldest);
	if (maplog_retention(log, &retention) || !oldest.id)
		return;
	maplog_retention_reason(&retention, &oldest, reason, sizeof(reason));
	fprintf(out, "disk: %" PRIu64 "\nkept: %020" PRIu64 ", %s\n",
		retention.disk, oldest.base, reason);
}

static void put_verify(FILE *out, struct book *book)
{
	uint64_t total = __atomic_load_n(&book->to_verify, __ATOMIC_RELAXED);

	if (total)
		fprintf(out, "verify: %" PRIu64 "/%" PRIu64 "\n",
			__atomic_load_n(&book->verified, __ATOMIC_RELAXED),
			total);
}

/* What a person would say of the log in one word, and why. */
static void put_state(FILE *out, const struct book *book,
		      const struct maplog_status *status)
{
	if (status->error)
		fprintf(out,
			"state: read-only\nerror: %s (mount again to "
			"recover)\n",
			strerror(-status->error));
	else if (status->writer)
		fputs("state: writable\n", out);
	else if (status->live)
		fputs("state: read-only\nreason: another process writes\n",
		      out);
	else
		fprintf(out, "state: read-only\nreason: %s\n",
			book_problem(book));
	if (status->holder)
		fprintf(out, "writer: %d\n", (int)status->holder);
}

static void put_log(FILE *out, struct server *server, struct book *book)
{
	struct maplog_status status;
	int ret = maplog_status(book->log, &status);

	fprintf(out,
		"first: %" PRIu64 "\nnext: %" PRIu64 "\ndurable: %" PRIu64
		"\ngeneration: %" PRIu64 "\nsegments: %" PRIu64
		"\nbytes: %" PRIu64 "\n",
		status.counters.first, status.counters.next,
		status.counters.durable, status.counters.generation,
		status.segments, status.bytes);
	put_retention(out, book->log);
	put_options(out, book->log);
	put_readers(out, book->log, status.counters.next);
	put_state(out, book, &status);
	put_recovery(out, &status.recovery);
	if (ret)
		fprintf(out, "damage: %s in a segment\n", strerror(-ret));
	put_verify(out, book);
	fprintf(out, "mapped: %" PRIu64 "\n", status.mapped);
	fprintf(out, "mode: %s\n",
		server->passthrough ? "passthrough" : "cached");
	put_uuid(out, status.uuid);
	put_time(out, "created", status.created);
}

int status_of_book(struct server *server, struct book *book, char **text,
		   size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (!out)
		return -ENOMEM;
	if (book->log)
		put_log(out, server, book);
	else
		fprintf(out, "state: unusable\nerror: %s\n",
			book_problem(book));
	return fclose(out) ? -ENOMEM : 0;
}

static unsigned count_books(struct server *server)
{
	unsigned count = 0;

	pthread_mutex_lock(&server->store.lock);
	for (struct book *b = server->store.books; b; b = b->next)
		count++;
	pthread_mutex_unlock(&server->store.lock);
	return count;
}

/* Where the store is, whatever it was called on the command line. */
static const char *store_path(struct server *server, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", server->store.dirfd);
	n = readlink(link, path, size - 1);
	if (n <= 0)
		return server->config->store;
	path[n] = 0;
	return path;
}

int status_of_server(struct server *server, char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);
	struct timespec now;
	char path[PATH_MAX];

	if (!out)
		return -ENOMEM;
	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(out, "version: %s\nlibfuse: %s\nformat: %d\n", MAPLOG_VERSION,
		fuse_pkgversion(), MAPLOG_FORMAT_VERSION);
	fprintf(out, "pid: %d\nuptime: %ld\nstore: %s\nlogs: %u\n",
		(int)getpid(), (long)(now.tv_sec - server->started.tv_sec),
		store_path(server, path, sizeof(path)), count_books(server));
	if (server->passthrough)
		fputs("passthrough: yes\n", out);
	else
		fprintf(out, "passthrough: no (%s)\n", server->no_passthrough);
	if (__atomic_load_n(&server->io_uring_works, __ATOMIC_RELAXED))
		fputs("io_uring: yes\n", out);
	else
		fprintf(out, "io_uring: no (%s)\n",
			server->no_io_uring ? server->no_io_uring
					    : "libfuse does not start it");
	fprintf(out, "threads: %u\nmax_write: %u\n", server->config->threads,
		server->max_write);
	return fclose(out) ? -ENOMEM : 0;
}
