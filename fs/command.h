/* SPDX-License-Identifier: MIT */
/* Commands of the control file: their text. */
#ifndef MAPLOG_FS_COMMAND_H
#define MAPLOG_FS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A command line is at most so long, its newline included. */
#define COMMAND_LINE_MAX 1024

enum command_verb {
	COMMAND_NONE, /* an empty line */
	COMMAND_APPEND,
	COMMAND_APPEND_AT,
	COMMAND_OVERWRITE,
	COMMAND_TRUNCATE,
	COMMAND_TRIM,
	COMMAND_SYNC,
	COMMAND_SEAL,
	COMMAND_RETAIN,
	COMMAND_SET,
	COMMAND_VERIFY,
};

struct command {
	enum command_verb verb;
	uint64_t index;
	uint64_t length; /* bytes that follow the line */
	uint64_t tag;
	const char *key; /* into the line */
	const char *value;
	const char *wrong; /* what is to be said if this is none */
};

/**
 * command_parse() - understand one line
 * @line: without its newline, ends with a zero byte; is cut into words
 *
 * Return: 0; -EINVAL if it is no command, or has too many or too few words:
 * then wrong says that, or what this command takes.
 */
int command_parse(char *line, struct command *command);

/** command_has_bytes() - whether bytes follow the line, if perhaps none */
bool command_has_bytes(const struct command *command);

#endif
