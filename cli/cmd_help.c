/* SPDX-License-Identifier: MIT */
/* maplog help: what there is, and what one of it takes. */
#include <stdio.h>
#include <string.h>

#include "args.h"

int help_all(void)
{
	const struct command *command;

	puts("Usage: maplog COMMAND [OPTION...] STORE/LOG ...\n"
	     "Append-only logs in memory-mapped files.\n"
	     "\n"
	     "A store is a directory of logs, and a log a directory in it.\n");
	for (size_t n = 0; (command = command_at(n)); n++)
		printf("  %-10s %-30s %s\n", command->name, command->operands,
		       command->summary);
	puts("\n"
	     "maplog help COMMAND, or maplog COMMAND --help, explains a "
	     "command,\n"
	     "maplog(1) all of them.\n"
	     "Exit status: 0 done, 1 failed or found damage, 2 wrong usage.");
	return STATUS_OK;
}

void help_command(const struct command *command)
{
	printf("Usage: maplog %s %s%s\n%s.\n\n%s"
	       "  -h, --help              print this\n",
	       command->name, command->options ? "[OPTION...] " : "",
	       command->operands, command->summary, command->help);
}

static int run(struct args *args)
{
	const struct command *command;

	(void)args_next(args);
	if (!args->count)
		return help_all();
	command = command_find(args->operands[0]);
	if (!command)
		args_fail(args, "no such command: '%s'", args->operands[0]);
	help_command(command);
	return STATUS_OK;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "Explain a command, or list them",
	.help = "",
	.letters = "",
	.least = 0,
	.most = 1,
	.run = run,
};
