/* SPDX-License-Identifier: MIT */
/* Options of a log as text, and the file log.ini that keeps them. */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc.h"
#include "io.h"

#define FILE_MAX ((size_t)64 << 10)

/* The first line: a number that is cut short, or has a bit flipped, is another
 * number, and entries may be dropped by it. */
#define CHECK "# crc32c %08" PRIx32
#define HINT  " of the lines below; to edit them, remove this one"

#define MIB  ((uint64_t)1 << 20)
#define GIB  ((uint64_t)1 << 30)
#define MSEC ((uint64_t)1000000)
#define SEC  (1000 * MSEC)

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: the first that divides a value is used to write it. */
static const struct unit sizes[] = {
	{ "T", 1024 * GIB }, { "G", GIB }, { "M", MIB },
	{ "K", 1024 },	     { "", 1 },
};

static const struct unit times[] = {
	{ "d", 86400 * SEC }, { "h", 3600 * SEC }, { "m", 60 * SEC },
	{ "s", SEC },	      { "ms", MSEC },	   { "us", 1000 },
	{ "ns", 1 },
};

#define SIZES (sizeof(sizes) / sizeof(*sizes))
#define TIMES (sizeof(times) / sizeof(*times))

/* The options that are plain numbers. */
struct number {
	const char *key;
	size_t offset; /* in struct maplog_options */
	const struct unit *units;
	size_t n_units;
	uint64_t min;
	uint64_t max;
};

#define FIELD(name) offsetof(struct maplog_options, name)

static const struct number numbers[] = {
	{ "segment-size", FIELD(segment_size), sizes, SIZES, MIB,
	  4 * GIB - OPTIONS_ALIGN },
	{ "max-entry", FIELD(max_entry), sizes, SIZES, 1,
	  4 * GIB - OPTIONS_ALIGN },
	{ "retain-bytes", FIELD(retain_bytes), sizes, SIZES, 0, INT64_MAX },
	{ "retain-age", FIELD(retain_age), times, TIMES, 0, INT64_MAX },
	{ "map-limit", FIELD(map_limit), sizes, SIZES, 8 * MIB, 1024 * GIB },
};

static const char *const keys[] = {
	"segment-size", "max-entry",	 "sync",      "retain-bytes",
	"retain-age",	"retain-unread", "map-limit",
};

#define KEYS (sizeof(keys) / sizeof(*keys))

static_assert(KEYS > sizeof(numbers) / sizeof(*numbers), "all, and words");

static uint64_t *value_of(struct maplog_options *options,
			  const struct number *number)
{
	return (uint64_t *)(void *)((char *)options + number->offset);
}

static const struct number *find_number(const char *key)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (!strcmp(numbers[i].key, key))
			return &numbers[i];
	}
	return NULL;
}

void maplog_options_init(struct maplog_options *options)
{
	*options = (struct maplog_options){
		.segment_size = 256 * MIB,
		.max_entry = 16 * MIB,
		.sync = MAPLOG_SYNC_ALWAYS,
		.map_limit = 4 * GIB,
	};
}

const char *maplog_options_key(size_t n)
{
	return n < KEYS ? keys[n] : NULL;
}

static int parse_number(const char *text, const struct unit *units,
			size_t n_units, uint64_t *value)
{
	const struct unit *unit = NULL;
	uint64_t number;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	for (size_t i = 0; i < n_units && !unit; i++) {
		if (!strcmp(units[i].name, end))
			unit = &units[i];
	}
	/* 0 needs no unit, whatever it counts. */
	if (!unit && (number || *end))
		return -EINVAL;
	if (unit && __builtin_mul_overflow(number, unit->factor, &number))
		return -ERANGE;
	*value = number;
	return 0;
}

int options_parse_time(const char *text, uint64_t *nsec)
{
	return parse_number(text, times, TIMES, nsec);
}

static int set_number(struct maplog_options *options,
		      const struct number *number, const char *text)
{
	uint64_t value;
	int ret;

	ret = parse_number(text, number->units, number->n_units, &value);
	if (ret)
		return ret;
	if (value < number->min || value > number->max)
		return -ERANGE;
	*value_of(options, number) = value;
	return 0;
}

static int set_sync(struct maplog_options *options, const char *text)
{
	static const char interval[] = "interval=";
	const size_t skip = sizeof(interval) - 1;
	uint64_t time;
	int ret;

	if (!strcmp(text, "always")) {
		options->sync = MAPLOG_SYNC_ALWAYS;
		return 0;
	}
	if (!strcmp(text, "manual")) {
		options->sync = MAPLOG_SYNC_MANUAL;
		return 0;
	}
	if (strncmp(text, interval, skip) != 0)
		return -EINVAL;
	ret = parse_number(text + skip, times, TIMES, &time);
	if (ret)
		return ret;
	if (time < MSEC || time > 86400 * SEC)
		return -ERANGE;
	options->sync = MAPLOG_SYNC_INTERVAL;
	options->interval = time;
	return 0;
}

static int set_unread(struct maplog_options *options, const char *text)
{
	bool drop = !strcmp(text, "drop");

	if (!drop && strcmp(text, "keep") != 0)
		return -EINVAL;
	options->drop_unread = drop;
	return 0;
}

int maplog_options_set(struct maplog_options *options, const char *key,
		       const char *value)
{
	const struct number *number = find_number(key);

	if (number)
		return set_number(options, number, value);
	if (!strcmp(key, "sync"))
		return set_sync(options, value);
	if (!strcmp(key, "retain-unread"))
		return set_unread(options, value);
	return -ENOKEY;
}

/* snprintf's length as 0 or -ENOSPC. */
static int fits(int n, size_t size)
{
	return n >= 0 && (size_t)n < size ? 0 : -ENOSPC;
}

static int put_number(uint64_t value, const struct unit *units, size_t n_units,
		      const char *before, char *text, size_t size)
{
	size_t i = 0;

	assert(n_units && units[n_units - 1].factor == 1);

	while (i < n_units - 1 && (!value || value % units[i].factor))
		i++;
	return fits(snprintf(text, size, "%s%" PRIu64 "%s", before,
			     value / units[i].factor,
			     value ? units[i].name : ""),
		    size);
}

static int put_sync(const struct maplog_options *options, char *text,
		    size_t size)
{
	switch (options->sync) {
	case MAPLOG_SYNC_INTERVAL:
		return put_number(options->interval, times, TIMES,
				  "interval=", text, size);
	case MAPLOG_SYNC_MANUAL:
		return fits(snprintf(text, size, "manual"), size);
	case MAPLOG_SYNC_ALWAYS:
		break;
	}
	return fits(snprintf(text, size, "always"), size);
}

int maplog_options_get(const struct maplog_options *options, const char *key,
		       char *text, size_t size)
{
	const struct number *number = find_number(key);
	struct maplog_options copy = *options;

	if (number)
		return put_number(*value_of(&copy, number), number->units,
				  number->n_units, "", text, size);
	if (!strcmp(key, "sync"))
		return put_sync(options, text, size);
	if (!strcmp(key, "retain-unread"))
		return fits(snprintf(text, size, "%s",
				     options->drop_unread ? "drop" : "keep"),
			    size);
	return -ENOKEY;
}

/* "  key = value  " into its two words, in place; false if it is none. */
static bool split(char *line, char **key, char **value)
{
	static const char blanks[] = " \t\r";
	char *equals = strchr(line, '=');
	char *end;

	line += strspn(line, blanks);
	if (!equals || equals <= line || *line == '#' || *line == ';')
		return false;
	*equals = 0;
	*key = line;
	line[strcspn(line, blanks)] = 0;
	*value = equals + 1 + strspn(equals + 1, blanks);
	end = *value + strlen(*value);
	while (end > *value && strchr(blanks, end[-1]))
		*--end = 0;
	return true;
}

static void parse_lines(char *text, struct maplog_options *options)
{
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		char *key;
		char *value;

		/* A line that is not understood leaves the default. */
		if (split(line, &key, &value))
			(void)maplog_options_set(options, key, value);
	}
}

/* Whether it is no text, or the first line says what the checksum of the others
 * is, and they have another one. Who edits them by hand leaves it out. */
static bool is_damaged(const char *text, size_t size)
{
	const char *body = strchr(text, '\n');
	uint32_t crc;

	if (strlen(text) < size)
		return true;
	if (sscanf(text, CHECK, &crc) != 1)
		return false;
	body = body ? body + 1 : text + size;
	return crc_extend(0, body, size - (size_t)(body - text)) != crc;
}

int options_load(int dirfd, struct maplog_options *options, bool *damaged)
{
	uint64_t size;
	char *text;
	int ret;
	int fd;

	*damaged = false;
	maplog_options_init(options);
	ret = io_open(dirfd, OPTIONS_NAME, O_RDONLY, 0, &fd, &size);
	if (ret)
		return io_is_no_file(ret) ? 0 : ret;
	if (size > FILE_MAX)
		size = FILE_MAX;
	text = calloc(1, size + 1);
	ret = text ? io_read(fd, text, size, 0) : -ENOMEM;
	close(fd);
	if (!ret)
		*damaged = is_damaged(text, size);
	if (!ret && !*damaged)
		parse_lines(text, options);
	free(text);
	return ret == -ENODATA ? 0 : ret;
}

int options_store(int dirfd, const struct maplog_options *options, mode_t mode)
{
	char lines[512];
	char text[sizeof(lines) + 128];
	size_t used = 0;
	int n;

	for (size_t i = 0; i < KEYS; i++) {
		char value[64];
		int ret;

		ret = maplog_options_get(options, keys[i], value,
					 sizeof(value));
		assert(!ret);
		(void)ret;
		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
					 "%s = %s\n", keys[i], value);
		assert(used < sizeof(lines));
	}
	n = snprintf(text, sizeof(text), CHECK "%s\n%s",
		     crc_extend(0, lines, used), HINT, lines);
	assert(n > 0 && (size_t)n < sizeof(text));
	return io_replace(dirfd, OPTIONS_NAME, text, (size_t)n, mode);
}
