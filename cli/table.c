/* SPDX-License-Identifier: MIT */
/* Values as text, and tables of them: columns as wide as they need be. */
#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error.h"

#define COLUMNS 16

struct column {
	int width;
	bool right;
};

void table_add(struct table *table, const char *format, ...)
{
	char **grown =
		reallocarray(table->lines, table->count + 1, sizeof(*grown));
	va_list args;
	int n;

	if (!grown)
		error_no_memory();
	table->lines = grown;
	va_start(args, format);
	n = vasprintf(&grown[table->count], format, args);
	va_end(args);
	if (n < 0)
		error_no_memory();
	table->count++;
}

static void measure(const char *line, struct column column[COLUMNS])
{
	for (int i = 0; i < COLUMNS && *line; i++) {
		int n = (int)strcspn(line, "\t");

		if (column[i].width < n)
			column[i].width = n;
		line += n + (line[n] == '\t');
	}
}

/* Takes the marks of columns away that stand to the right. */
static void read_head(char *line, struct column column[COLUMNS])
{
	char *to = line;
	int i = 0;

	for (const char *from = line; *from; from++) {
		if (*from == '\t')
			i++;
		if (*from == '>' && i < COLUMNS)
			column[i].right = true;
		else
			*to++ = *from;
	}
	*to = 0;
}

static void print_line(const char *line, const struct column column[COLUMNS])
{
	for (int i = 0; i < COLUMNS && *line; i++) {
		int n = (int)strcspn(line, "\t");
		int fill = column[i].width - n;
		bool last = !line[n];

		if (column[i].right)
			printf("%*s%.*s", fill, "", n, line);
		else
			printf("%.*s%*s", n, line, last ? 0 : fill, "");
		fputs(last ? "\n" : "  ", stdout);
		line += n + !last;
	}
}

void table_print(struct table *table)
{
	struct column column[COLUMNS] = { { 0, false } };

	if (table->count)
		read_head(table->lines[0], column);
	for (size_t n = 0; n < table->count; n++)
		measure(table->lines[n], column);
	for (size_t n = 0; n < table->count; n++) {
		print_line(table->lines[n], column);
		free(table->lines[n]);
	}
	free(table->lines);
	*table = (struct table){ .count = 0 };
}

const char *text_time(uint64_t time, char text[TEXT_TIME_SIZE])
{
	time_t seconds = (time_t)(time / 1000000000);
	unsigned rest = (unsigned)(time % 1000000000);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, TEXT_TIME_SIZE - n, ".%09uZ", rest);
	return text;
}

void text_name(char *name)
{
	for (; *name; name++) {
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			*name = '?';
	}
}
