/* SPDX-License-Identifier: MIT */
/* Values as text, and tables of them: columns as wide as they need be. */
#ifndef MAPLOG_CLI_TABLE_H
#define MAPLOG_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* All zero to begin with; lines are kept until table_print(). */
struct table {
	char **lines;
	size_t count;
};

/**
 * table_add() - add a line, the first one being the head
 * @format: the cells, as for printf(3), with a tab between them; a column
 *          whose head begins with '>' stands to the right
 */
__attribute__((format(printf, 2, 3))) void table_add(struct table *table,
						     const char *format, ...);

/** table_print() - print it on stdout, and free it */
void table_print(struct table *table);

#define TEXT_TIME_SIZE 32

/** text_time() - a time as RFC 3339 has it, in UTC, to the nanosecond */
const char *text_time(uint64_t time, char text[TEXT_TIME_SIZE]);

/** text_name() - what would move a terminal's cursor becomes '?', in place */
void text_name(char *name);

#endif
