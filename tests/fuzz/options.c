/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: log.ini, and the values of options. What was understood and is
 * written down is understood again, as the same.
 */
#include "options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct maplog_options *options)
{
	const char *key;

	for (size_t n = 0; (key = maplog_options_key(n)); n++) {
		struct maplog_options again;
		char text[32];
		char other[32];

		require(!maplog_options_get(options, key, text, sizeof(text)));
		maplog_options_init(&again);
		require(!maplog_options_set(&again, key, text));
		require(!maplog_options_get(&again, key, other, sizeof(other)));
		require(!strcmp(text, other));
	}
}

static void load(const uint8_t *data, size_t size)
{
	struct maplog_options options;
	bool damaged;
	int fd = openat(store_fd(), OPTIONS_NAME,
			O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0);
	require(write(fd, data, size) == (ssize_t)size);
	close(fd);
	require(!options_load(store_fd(), &options, &damaged));
	check(&options);
	require(!unlinkat(store_fd(), OPTIONS_NAME, 0));
}

static void set(const uint8_t *data, size_t size)
{
	struct maplog_options options;
	char *value = malloc(size + 1);
	const char *key;

	require(value);
	memcpy(value, data, size);
	value[size] = 0;
	maplog_options_init(&options);
	for (size_t n = 0; (key = maplog_options_key(n)); n++) {
		if (!maplog_options_set(&options, key, value))
			check(&options);
	}
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	load(data, size);
	set(data, size);
	return 0;
}
