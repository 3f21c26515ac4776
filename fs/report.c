/* SPDX-License-Identifier: MIT */
/* The daemon's log. */
#include "report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse.h"

#define NAME "maplogfs"

static bool to_syslog;

void report_to_syslog(void)
{
	openlog(NAME, LOG_PID, LOG_DAEMON);
	to_syslog = true;
}

/* The journal names the file that it reads from: it may not be ours any more.
 */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char name[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return !strcmp(stream, name);
}

/* One line without commands to a terminal, whatever a file has in it that is
 * quoted here. */
static void make_plain(char *line)
{
	line[strcspn(line, "\n")] = 0;
	for (; *line; line++) {
		if (iscntrl((unsigned char)*line))
			*line = '?';
	}
}

static void write_line(int priority, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	make_plain(line);
	if (to_syslog)
		syslog(priority, "%s", line);
	else if (to_journal())
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, NAME ": %s\n", line);
}

void report(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(priority, format, args);
	va_end(args);
}

/* Its levels are those of syslog(3). */
static void hear(enum fuse_log_level level, const char *format, va_list args)
{
	write_line((int)level, format, args);
}

void report_libfuse(void)
{
	fuse_set_log_func(hear);
}
