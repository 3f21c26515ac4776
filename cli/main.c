/* SPDX-License-Identifier: MIT */
/* maplog: logs of a store, from the command line. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "command.h"
#include "format.h"
#include "output.h"

static const struct command *const commands[] = {
	&command_create,     &command_ls,     &command_append, &command_read,
	&command_follow,     &command_dump,   &command_export, &command_import,
	&command_stat,	     &command_status, &command_verify, &command_repair,
	&command_truncate,   &command_trim,   &command_sync,   &command_seal,
	&command_set,	     &command_config, &command_retain, &command_forget,
	&command_completion, &command_help,
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

const struct command *command_at(size_t n)
{
	return n < COMMANDS ? commands[n] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t n = 0; n < COMMANDS; n++) {
		if (!strcmp(commands[n]->name, name))
			return commands[n];
	}
	return NULL;
}

static int version(void)
{
	printf("maplog %s, format %d\n", MAPLOG_VERSION, MAPLOG_FORMAT_VERSION);
	return STATUS_OK;
}

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "maplog: %s%s (see maplog --help)\n", what, word);
	return STATUS_USAGE;
}

/* "--help read" is "help read". */
static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int run(int argc, char **argv)
{
	const char *word = argv[1];
	const struct command *command;
	struct args args;

	if (argc < 2)
		return wrong("which command?", "");
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		return version();
	command = command_find(is_help(word) ? "help" : word);
	if (!command)
		return wrong(*word == '-' ? "no such option: "
					  : "no such command: ",
			     word);
	args_init(&args, command, argc - 1, argv + 1);
	return command->run(&args);
}

/* Or a file of the store would get the number of a standard one, and be
 * written what is meant for that. What is opened here fails when used. */
static void take_standard_files(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd ? O_RDONLY : O_WRONLY);
	}
}

int main(int argc, char **argv)
{
	take_standard_files();
	/* A reader that leaves early is no reason to leave a log behind as a
	 * crash would: writing says EPIPE. */
	signal(SIGPIPE, SIG_IGN);
	return output_finish(run(argc, argv));
}
