/* SPDX-License-Identifier: MIT */
/* maplog: logs of a store, from the command line. */
#include <fcntl.h>
#include <signal.h>
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
	&command_completion,
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

const struct command *command_at(size_t n)
{
	return n < COMMANDS ? commands[n] : NULL;
}

static int help(void)
{
	puts("Usage: maplog COMMAND [OPTION...] STORE/LOG ...\n"
	     "Append-only logs in memory-mapped files.\n"
	     "\n"
	     "A store is a directory of logs, and a log a directory in it.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s %-30s %s\n", commands[i]->name,
		       commands[i]->operands, commands[i]->summary);
	puts("\n"
	     "maplog COMMAND --help explains a command, maplog(1) all of "
	     "them.\n"
	     "Exit status: 0 done, 1 failed or found damage, 2 wrong usage.");
	return STATUS_OK;
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

static int run(int argc, char **argv)
{
	const char *word = argv[1];

	if (argc < 2)
		return wrong("which command?", "");
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return help();
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		return version();
	for (size_t i = 0; i < COMMANDS; i++) {
		struct args args;

		if (strcmp(word, commands[i]->name) != 0)
			continue;
		args_init(&args, commands[i], argc - 1, argv + 1);
		return commands[i]->run(&args);
	}
	return wrong(*word == '-' ? "no such option: " : "no such command: ",
		     word);
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
