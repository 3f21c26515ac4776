/* SPDX-License-Identifier: MIT */
/* The daemon's log. */
#include "report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define NAME "maplogfs"

static bool to_syslog;

void report_to_syslog(void)
{
	openlog(NAME, LOG_PID, LOG_DAEMON);
	to_syslog = true;
}

void report(int priority, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (to_syslog)
		syslog(priority, "%s", line);
	else
		fprintf(stderr, NAME ": %s\n", line);
}
