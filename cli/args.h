/* SPDX-License-Identifier: MIT */
/* Command lines: options and operands in any order, and their mistakes. */
#ifndef MAPLOG_CLI_ARGS_H
#define MAPLOG_CLI_ARGS_H

#include <stdint.h>

#include "command.h"

/* What is left of a command line once args_next() has returned ARGS_END. */
struct args {
	const struct command *command;
	int argc;
	char **argv;
	int count;	 /* operands */
	char **operands; /* they begin behind the command's name, in argv */
};

#define ARGS_END (-1)

/** args_init() - @argv begins with the command's name */
void args_init(struct args *args, const struct command *command, int argc,
	       char **argv);

/**
 * args_next() - the next option
 *
 * A word like -10 is an operand: the last ten entries. Does not return on -h
 * and --help, which it prints, nor on a mistake.
 *
 * Return: the option as in getopt_long(3), its value in optarg; ARGS_END when
 * all are read, and the operands are as many as the command takes.
 */
int args_next(struct args *args);

/** args_number() - a number from @text, called @name in the message if not */
uint64_t args_number(const struct args *args, const char *name,
		     const char *text);

/** args_moment() - a point in time that is not in the future, likewise
 *
 * Return: nanoseconds since 1970.
 */
uint64_t args_moment(const struct args *args, const char *name,
		     const char *text);

/** args_fail() - say what is wrong with the command line, and exit */
__attribute__((noreturn, format(printf, 2, 3))) void args_fail(
	const struct args *args, const char *format, ...);

#endif
