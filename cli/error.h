/* SPDX-License-Identifier: MIT */
/* Messages on stderr: one line each, saying what can be done. */
#ifndef MAPLOG_CLI_ERROR_H
#define MAPLOG_CLI_ERROR_H

#include <stddef.h>
#include <stdint.h>

/** error_print() - a line on stderr; returns STATUS_FAILED */
__attribute__((format(printf, 1, 2))) int error_print(const char *format, ...);

/** error_no_memory() - say so, and exit: nothing that is durable is lost */
__attribute__((noreturn)) void error_no_memory(void);

/** error_system() - what an -errno of the system means; STATUS_FAILED */
int error_system(const char *path, int ret);

/** error_size() - a size for a message, with a unit if it is a round number */
const char *error_size(uint64_t bytes, char *text, size_t size);

#endif
