/* SPDX-License-Identifier: MIT */
/* Options of logs as given on the command line: KEY=VALUE. */
#ifndef MAPLOG_CLI_SETTINGS_H
#define MAPLOG_CLI_SETTINGS_H

#include <stddef.h>

#include "args.h"
#include "log.h"

struct setting {
	const char *key;
	const char *value;
};

/* All zero to begin with; to be given to settings_free(). */
struct settings {
	struct setting *list;
	size_t count;
};

/** settings_check() - exits unless that option may have that value */
void settings_check(const struct args *args, const char *key,
		    const char *value);

/** settings_fail_key() - exits: there is no such key, but others */
__attribute__((noreturn)) void settings_fail_key(const struct args *args,
						 const char *key);

/** settings_add() - add one from "key=value", which is changed; or exit */
void settings_add(struct settings *settings, const struct args *args,
		  char *text);

/** settings_apply() - set them all; they have been checked */
void settings_apply(const struct settings *settings,
		    struct maplog_options *options);

/** settings_differ() - a key whose value in @options is another, or NULL */
const char *settings_differ(const struct settings *settings,
			    const struct maplog_options *options);

/** settings_free() - free the list, not the text */
void settings_free(struct settings *settings);

#endif
