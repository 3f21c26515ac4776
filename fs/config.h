/* SPDX-License-Identifier: MIT */
/* What the daemon was told: command line, -o options, INI file. */
#ifndef MAPLOG_FS_CONFIG_H
#define MAPLOG_FS_CONFIG_H

#include <stdbool.h>

#include "log.h"

/* The most that an option for the kernel or libfuse, like allow_other, takes.
 */
#define CONFIG_MOUNT_OPTIONS 1024

struct config {
	const char *store;
	const char *mountpoint;
	bool foreground;
	bool debug;
	bool read_only;
	bool passthrough;
	bool io_uring;
	bool hide_entries; /* entries/ is empty when it is listed */
	unsigned threads;
	struct maplog_options defaults; /* of logs made through the mount */
	char mount_options[CONFIG_MOUNT_OPTIONS]; /* "a,b=c", for libfuse */
};

enum config_result {
	CONFIG_RUN,
	CONFIG_DONE, /* --help or --version was printed */
	CONFIG_WRONG /* what is wrong was printed: exit with status 2 */
};

/** config_parse() - read the command line, and the INI file that it names */
enum config_result config_parse(struct config *config, int argc, char **argv);

#endif
