/* SPDX-License-Identifier: MIT */
/*
 * The text of .maplog/metrics, as OpenMetrics has it: families of metrics, in
 * each a line for every log. So all logs are looked at first.
 */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"
#include "retain.h"
#include "utf8.h"

#define SEC 1000000000

/* What is known of a log. The order is that of the table below. */
enum value {
	APPENDS,
	ENTRIES,
	BYTES,
	ERRORS,
	FIRST,
	NEXT,
	DURABLE,
	GENERATION,
	SEGMENTS,
	STORED,
	DISK,
	MAPPED,
	WRITABLE,
	FAILED,
	OPEN_FILES,
	FOLLOWERS,
	RECOVERED,
	TORN,
	DAMAGED,
	VALUES,
};

static const struct family {
	const char *name;
	const char *type;
	const char *unit; /* the end of the name, or NULL */
	const char *help;
} families[] = {
	[APPENDS] = { "maplog_appends", "counter", NULL,
		      "Batches appended since the mount." },
	[ENTRIES] = { "maplog_entries", "counter", NULL,
		      "Entries appended since the mount." },
	[BYTES] = { "maplog_appended_bytes", "counter", "bytes",
		    "Payload appended since the mount." },
	[ERRORS] = { "maplog_append_errors", "counter", NULL,
		     "Appends that failed since the mount." },
	[FIRST] = { "maplog_first_index", "gauge", NULL,
		    "Index of the first entry." },
	[NEXT] = { "maplog_next_index", "gauge", NULL,
		   "One past the last entry." },
	[DURABLE] = { "maplog_durable_index", "gauge", NULL,
		      "Entries below it survive a power cut." },
	[GENERATION] = { "maplog_generation", "gauge", NULL,
			 "Truncations of the log so far." },
	[SEGMENTS] = { "maplog_segments", "gauge", NULL,
		       "Segments of the log." },
	[STORED] = { "maplog_stored_bytes", "gauge", "bytes",
		     "Payload of all entries." },
	[DISK] = { "maplog_disk_bytes", "gauge", "bytes",
		   "Bytes that all files of the log take on disk." },
	[MAPPED] = { "maplog_mapped_bytes", "gauge", "bytes",
		     "Bytes mapped for reading." },
	[WRITABLE] = { "maplog_writable", "gauge", NULL,
		       "1 if the mount appends to the log." },
	[FAILED] = { "maplog_failed", "gauge", NULL,
		     "1 if the log cannot be opened, or a sync has failed." },
	[OPEN_FILES] = { "maplog_open_files", "gauge", NULL,
			 "Files of the log that are open." },
	[FOLLOWERS] = { "maplog_followers", "gauge", NULL,
			"Open follow files." },
	[RECOVERED] = { "maplog_recovered_entries", "gauge", NULL,
			"Entries that opening the log scanned." },
	[TORN] = { "maplog_torn_bytes", "gauge", "bytes",
		   "Torn tail that opening the log cut off." },
	[DAMAGED] = { "maplog_damaged_entries", "gauge", NULL,
		      "Damaged entries that opening the log found." },
};

struct sample {
	struct book *book;	    /* held */
	char log[4 * NAME_MAX + 1]; /* as the value of a label */
	uint64_t value[VALUES];
	struct maplog_metrics metrics;
	struct maplog_reader_info *readers; /* named ones */
	size_t reader_count;
};

static void put_family(FILE *out, const char *name, const char *type,
		       const char *unit, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
	if (unit)
		fprintf(out, "# UNIT %s %s\n", name, unit);
}

/* Two names that are not UTF-8 must not become one. */
static void escape(const char *name, char *to)
{
	while (*name) {
		size_t n = utf8_length(name);

		if (*name == '"' || *name == '\\')
			*to++ = '\\';
		if (!n)
			to += sprintf(to, "?%02x", (unsigned char)*name++);
		for (; n; n--)
			*to++ = *name++;
	}
	*to = 0;
}

static void count_files(struct server *server, struct sample *sample)
{
	pthread_mutex_lock(&server->handles_lock);
	for (struct handle *h = server->handles; h; h = h->next) {
		if (h->book != sample->book)
			continue;
		sample->value[OPEN_FILES]++;
		sample->value[FOLLOWERS] += h->node->key.kind == NODE_FOLLOW;
	}
	pthread_mutex_unlock(&server->handles_lock);
}

static void look(struct server *server, struct sample *sample)
{
	uint64_t *value = sample->value;
	struct maplog *log = sample->book->log;
	struct maplog_retention retention;
	struct maplog_status status;

	count_files(server, sample);
	value[FAILED] = !log;
	if (!log)
		return;
	value[FAILED] = maplog_status(log, &status) || status.error;
	maplog_metrics(log, &sample->metrics);
	if (maplog_reader_list(log, &sample->readers, &sample->reader_count))
		sample->reader_count = 0;
	if (!maplog_retention(log, &retention))
		value[DISK] = retention.disk;
	value[APPENDS] = sample->metrics.appends;
	value[ENTRIES] = sample->metrics.entries;
	value[BYTES] = sample->metrics.bytes;
	value[ERRORS] = sample->metrics.errors;
	value[FIRST] = status.counters.first;
	value[NEXT] = status.counters.next;
	value[DURABLE] = status.counters.durable;
	value[GENERATION] = status.counters.generation;
	value[SEGMENTS] = status.segments;
	value[STORED] = status.bytes;
	value[MAPPED] = status.mapped;
	value[WRITABLE] = status.writer && !status.error;
	value[RECOVERED] = status.recovery.scanned;
	value[TORN] = status.recovery.torn_bytes;
	value[DAMAGED] = status.recovery.damaged;
}

/* All logs that are open now, held. */
static struct sample *take_samples(struct store *store, size_t *count)
{
	struct sample *samples;
	size_t n = 0;

	pthread_mutex_lock(&store->lock);
	for (struct book *b = store->books; b; b = b->next)
		n++;
	samples = calloc(n + 1, sizeof(*samples));
	n = 0;
	for (struct book *b = store->books; samples && b; b = b->next) {
		book_hold(b);
		samples[n].book = b;
		escape(b->name, samples[n++].log);
	}
	pthread_mutex_unlock(&store->lock);
	*count = n;
	return samples;
}

static void put_values(FILE *out, const struct sample *samples, size_t n)
{
	for (int i = 0; i < VALUES; i++) {
		const struct family *family = &families[i];
		bool counter = !strcmp(family->type, "counter");

		put_family(out, family->name, family->type, family->unit,
			   family->help);
		for (size_t s = 0; s < n; s++)
			fprintf(out, "%s%s{log=\"%s\"} %" PRIu64 "\n",
				family->name, counter ? "_total" : "",
				samples[s].log, samples[s].value[i]);
	}
}

static void put_readers(FILE *out, const struct sample *samples, size_t n)
{
	static const char name[] = "maplog_reader_lag_entries";

	put_family(out, name, "gauge", "entries",
		   "Entries that a named reader has not read.");
	for (size_t s = 0; s < n; s++) {
		const struct sample *sample = &samples[s];
		uint64_t next = sample->value[NEXT];

		for (size_t r = 0; r < sample->reader_count; r++) {
			const struct maplog_reader_info *reader =
				&sample->readers[r];
			uint64_t lag =
				next > reader->next ? next - reader->next : 0;

			fprintf(out,
				"%s{log=\"%s\",reader=\"%s\"} %" PRIu64 "\n",
				name, sample->log, reader->name, lag);
		}
	}
}

static void put_histogram(FILE *out, const char *name, const char *log,
			  const struct maplog_histogram *histogram,
			  double scale)
{
	uint64_t n = 0;

	for (int i = 0; i < MAPLOG_BUCKETS; i++) {
		n += histogram->count[i];
		fprintf(out, "%s_bucket{log=\"%s\",le=\"%.12g\"} %" PRIu64 "\n",
			name, log, (double)(histogram->unit << i) / scale, n);
	}
	n += histogram->count[MAPLOG_BUCKETS];
	fprintf(out,
		"%s_bucket{log=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
		"%s_count{log=\"%s\"} %" PRIu64 "\n%s_sum{log=\"%s\"} %.*f\n",
		name, log, n, name, log, n, name, log, scale > 1 ? 9 : 0,
		(double)histogram->sum / scale);
}

static void put_histograms(FILE *out, const struct sample *samples, size_t n)
{
	static const char batch[] = "maplog_batch_entries";
	static const char sync[] = "maplog_sync_seconds";

	put_family(out, batch, "histogram", NULL, "Entries of a batch.");
	for (size_t s = 0; s < n; s++)
		if (samples[s].book->log)
			put_histogram(out, batch, samples[s].log,
				      &samples[s].metrics.batch, 1);
	put_family(out, sync, "histogram", "seconds",
		   "Time that the device took to make entries durable.");
	for (size_t s = 0; s < n; s++)
		if (samples[s].book->log)
			put_histogram(out, sync, samples[s].log,
				      &samples[s].metrics.sync, SEC);
}

/* In seconds, with the clock on the wall. */
static double started(const struct server *server)
{
	struct timespec wall, now;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(wall.tv_sec - now.tv_sec + server->started.tv_sec) +
	       (double)(wall.tv_nsec - now.tv_nsec + server->started.tv_nsec) /
		       SEC;
}

static void put_server(FILE *out, const struct server *server, size_t logs)
{
	put_family(out, "maplog_build_info", "gauge", NULL, "What is running.");
	fprintf(out,
		"maplog_build_info{version=\"" MAPLOG_VERSION
		"\",libfuse=\"%s\"} 1\n",
		fuse_pkgversion());
	put_family(out, "maplog_start_time_seconds", "gauge", "seconds",
		   "When the daemon began, since 1970.");
	fprintf(out, "maplog_start_time_seconds %.3f\n", started(server));
	put_family(out, "maplog_logs", "gauge", NULL, "Logs that are open.");
	fprintf(out, "maplog_logs %zu\n", logs);
	put_family(out, "maplog_passthrough", "gauge", NULL,
		   "1 if the kernel reads the store's files itself.");
	fprintf(out, "maplog_passthrough %d\n", server->passthrough);
}

int metrics_of_server(struct server *server, char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);
	struct sample *samples;
	size_t n;

	if (!out)
		return -ENOMEM;
	samples = take_samples(&server->store, &n);
	for (size_t i = 0; i < n; i++)
		look(server, &samples[i]);
	put_server(out, server, n);
	put_values(out, samples, n);
	put_readers(out, samples, n);
	put_histograms(out, samples, n);
	fputs("# EOF\n", out);
	for (size_t i = 0; i < n; i++) {
		free(samples[i].readers);
		book_put(samples[i].book);
	}
	free(samples);
	return fclose(out) ? -ENOMEM : 0;
}
