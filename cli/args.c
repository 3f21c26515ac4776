/* SPDX-License-Identifier: MIT */
/* Command lines: options and operands in any order, and their mistakes. */
#include "args.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "moment.h"
#include "number.h"
#include "output.h"

/* No command has this letter for something else. */
#define OPTION_HELP 'h'

#define OPTIONS_MAX 16

void args_init(struct args *args, const struct command *command, int argc,
	       char **argv)
{
	*args = (struct args){
		.command = command,
		.argc = argc,
		.argv = argv,
		.operands = argv + 1,
	};
	optind = 1;
	opterr = 0;
}

void args_fail(const struct args *args, const char *format, ...)
{
	va_list list;

	fprintf(stderr, "maplog %s: ", args->command->name);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, " (see maplog %s --help)\n", args->command->name);
	exit(STATUS_USAGE);
}

uint64_t args_number(const struct args *args, const char *name,
		     const char *text)
{
	uint64_t number;

	if (!number_parse(text, &number))
		args_fail(args, "%s: not a number from 0 to 2^64-1: '%s'", name,
			  text);
	return number;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t args_moment(const struct args *args, const char *name,
		     const char *text)
{
	uint64_t today = now();
	uint64_t moment;

	if (maplog_moment_parse(text, today, &moment))
		args_fail(args,
			  "%s: neither a time like 2026-11-20T10:00:00Z nor "
			  "how long ago, like 10m: '%s'",
			  name, text);
	if (moment > today)
		args_fail(args, "%s: is in the future: '%s'", name, text);
	return moment;
}

__attribute__((noreturn)) static void help(const struct command *command)
{
	help_command(command);
	exit(output_finish(STATUS_OK));
}

/* "-10": the last ten entries, not options called 1 and 0. */
static bool is_last_n(const char *word)
{
	return word[0] == '-' && word[1] &&
	       !word[1 + strspn(word + 1, "0123456789")];
}

static void add_operand(struct args *args)
{
	/* Never in front of the word it comes from. */
	args->operands[args->count++] = args->argv[optind++];
}

static int next_option(const struct args *args)
{
	struct option options[OPTIONS_MAX] = {
		{ "help", no_argument, NULL, OPTION_HELP },
	};
	const struct option *own = args->command->options;
	char letters[32] = "+:h";

	for (size_t i = 1; own && own->name && i < OPTIONS_MAX - 1; i++)
		options[i] = *own++;
	strncat(letters, args->command->letters, sizeof(letters) - 4);
	return getopt_long(args->argc, args->argv, letters, options, NULL);
}

static void check_count(const struct args *args)
{
	const struct command *command = args->command;

	if (args->count < command->least)
		args_fail(args, "too few words: it takes %s",
			  command->operands);
	if (args->count > command->most)
		args_fail(args, "one word too many: '%s'",
			  args->operands[command->most]);
}

static int end(struct args *args)
{
	while (optind < args->argc)
		add_operand(args);
	check_count(args);
	return ARGS_END;
}

int args_next(struct args *args)
{
	while (optind < args->argc) {
		const char *word = args->argv[optind];
		int before = optind;
		int c;

		if (is_last_n(word)) {
			add_operand(args);
			continue;
		}
		c = next_option(args);
		if (c == OPTION_HELP)
			help(args->command);
		if (c == ':')
			args_fail(args, "%s: its value is missing", word);
		if (c == '?')
			args_fail(args, "no such option, or not so: '%s'",
				  word);
		if (c != -1)
			return c;
		/* It has stepped over "--", or stands at an operand. */
		if (optind > before)
			break;
		add_operand(args);
	}
	return end(args);
}
