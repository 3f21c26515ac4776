/* SPDX-License-Identifier: MIT */
/* Fuzz target: the daemon's command line, its -o options and its INI file. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuse.h"
#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGS 8

const char *fuse_pkgversion(void)
{
	return "";
}

/* getopt() may move these about, but not change them. */
static char maplogfs[] = "maplogfs";
static char store[] = "store";
static char mount[] = "mount";
static char config_flag[] = "-c";
static char option_flag[] = "-o";

static void parse(int argc, char **argv)
{
	struct config config;

	if (config_parse(&config, argc, argv) != CONFIG_RUN)
		return;
	require(config.threads && config.store && config.mountpoint);
	require(strlen(config.mount_options) < CONFIG_MOUNT_OPTIONS);
}

/* An INI file, in a file that has no name. */
static void parse_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("ini", MFD_CLOEXEC);
	char path[64];
	char *argv[] = { maplogfs, config_flag, path, store, mount, NULL };

	require(fd >= 0);
	require(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	parse(5, argv);
	close(fd);
}

/* The words of a command line, and of them the rest as one option. */
static void parse_words(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *argv[ARGS + 1] = { maplogfs };
	int argc = 1;
	char *rest = text;

	require(text);
	memcpy(text, data, size);
	text[size] = 0;
	while (rest && argc < ARGS)
		argv[argc++] = strsep(&rest, " ");
	/* No file of this machine is to be read. */
	for (int i = 1; i < argc; i++) {
		if (strchr(argv[i], 'c') && *argv[i] == '-')
			argv[i] = store;
	}
	parse(argc, argv);
	free(text);
}

static void parse_option(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *argv[] = { maplogfs, store, mount, option_flag, text, NULL };

	require(text);
	memcpy(text, data, size);
	text[size] = 0;
	parse(5, argv);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse_file(data, size);
	parse_option(data, size);
	parse_words(data, size);
	return 0;
}
