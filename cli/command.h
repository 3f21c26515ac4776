/* SPDX-License-Identifier: MIT */
/* The commands of maplog, and what they share: how they are described. */
#ifndef MAPLOG_CLI_COMMAND_H
#define MAPLOG_CLI_COMMAND_H

#include <getopt.h>
#include <stddef.h>

/* Exit statuses, documented in maplog(1). */
enum command_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1, /* damage that was found is a failure, too */
	STATUS_USAGE = 2,
};

#define OPERANDS_ANY 1000000000

struct args;

struct command {
	const char *name;
	const char *operands; /* "STORE/LOG INDEX" */
	const char *summary;  /* one line, for maplog --help */
	const char *help;     /* options and more, for maplog CMD --help */
	const char *letters;  /* short options, as getopt(3) takes them */
	const struct option *options; /* long ones; NULL if there are none */
	int least;		      /* operands */
	int most;
	/* Returns an enum command_status. */
	int (*run)(struct args *args);
};

/** command_at() - the n-th command, NULL behind the last */
const struct command *command_at(size_t n);

/** command_find() - the command of this name; NULL if there is none */
const struct command *command_find(const char *name);

/** help_all() - print a line about each command */
int help_all(void);

/** help_command() - print what a command does and takes */
void help_command(const struct command *command);

extern const struct command command_append;
extern const struct command command_completion;
extern const struct command command_config;
extern const struct command command_create;
extern const struct command command_dump;
extern const struct command command_export;
extern const struct command command_follow;
extern const struct command command_forget;
extern const struct command command_help;
extern const struct command command_import;
extern const struct command command_ls;
extern const struct command command_read;
extern const struct command command_repair;
extern const struct command command_retain;
extern const struct command command_seal;
extern const struct command command_set;
extern const struct command command_stat;
extern const struct command command_status;
extern const struct command command_sync;
extern const struct command command_trim;
extern const struct command command_truncate;
extern const struct command command_verify;

#endif
