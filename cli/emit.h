/* SPDX-License-Identifier: MIT */
/* Entries as they are written: their bytes, or what is said of them. */
#ifndef MAPLOG_CLI_EMIT_H
#define MAPLOG_CLI_EMIT_H

#include <stdint.h>

#include "args.h"
#include "log.h"
#include "text.h"

enum emit_form {
	EMIT_BYTES,   /* of the entries, with nothing between them */
	EMIT_INFO,    /* a line: index, time, tag and length */
	EMIT_PATTERN, /* as --format has it */
	EMIT_JSON,    /* a line of JSON */
	EMIT_TEXT,    /* a line: as EMIT_INFO, checksum, bytes in quotes */
	EMIT_HEX,     /* likewise, then lines of bytes in hexadecimal */
	EMIT_LINES,   /* bytes that are one line, with its newline */
	EMIT_FRAMES,  /* struct maplog_frame and the bytes */
};

/* All zero to begin with, for EMIT_BYTES on stdout; to be given to
 * emit_free(). */
struct emit {
	enum emit_form form;
	const char *pattern;
	/* In the place of output_write(), if it is set. */
	int (*write)(const void *data, size_t bytes, size_t *written);
	uint64_t bytes; /* of entries that were written */
	struct text text;
};

/** emit_set() - choose a form; exits if another was chosen before */
void emit_set(struct emit *emit, const struct args *args, enum emit_form form);

/** emit_set_pattern() - likewise, EMIT_PATTERN; exits if it has a fault */
void emit_set_pattern(struct emit *emit, const struct args *args,
		      const char *pattern);

/**
 * emit_view() - write all entries of a view
 * @done: out: how many were written whole, also on failure
 *
 * Return: as output_write(); -EILSEQ if entry @done cannot be written in this
 * form.
 */
int emit_view(struct emit *emit, const struct maplog_view *view,
	      uint32_t *done);

void emit_free(struct emit *emit);

#endif
