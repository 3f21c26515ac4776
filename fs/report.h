/* SPDX-License-Identifier: MIT */
/*
 * The daemon's log: standard error in the foreground, else syslog(3). Where
 * standard error is systemd's journal, each line has its priority.
 */
#ifndef MAPLOG_FS_REPORT_H
#define MAPLOG_FS_REPORT_H

#include <syslog.h>

/** report_to_syslog() - from now on, nobody reads standard error */
void report_to_syslog(void);

/**
 * report() - write one line
 * @priority: of syslog(3): LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO
 */
void report(int priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** report_libfuse() - from now on, what libfuse has to say is reported, too */
void report_libfuse(void);

#endif
