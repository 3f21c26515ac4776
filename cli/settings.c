/* SPDX-License-Identifier: MIT */
/* Options of logs as given on the command line: KEY=VALUE. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

#define TEXT_SIZE 64

void settings_fail_key(const struct args *args, const char *key)
{
	char keys[256] = "";
	const char *known;

	for (size_t n = 0; (known = maplog_options_key(n)); n++) {
		size_t used = strlen(keys);

		snprintf(keys + used, sizeof(keys) - used, "%s%s",
			 n ? ", " : "", known);
	}
	args_fail(args, "no such option of a log: '%s': there are %s", key,
		  keys);
}

void settings_check(const struct args *args, const char *key, const char *value)
{
	struct maplog_options scratch;
	int ret;

	maplog_options_init(&scratch);
	ret = maplog_options_set(&scratch, key, value);
	if (ret == -ENOKEY)
		settings_fail_key(args, key);
	if (ret == -ERANGE)
		args_fail(args, "%s: outside of its limits: '%s'", key, value);
	if (ret)
		args_fail(args, "%s: not a value for it: '%s'", key, value);
}

void settings_add(struct settings *settings, const struct args *args,
		  char *text)
{
	size_t n = settings->count;
	char *equals = strchr(text, '=');
	struct setting *grown;

	if (!equals)
		args_fail(args, "not KEY=VALUE: '%s'", text);
	*equals = 0;
	settings_check(args, text, equals + 1);
	grown = reallocarray(settings->list, n + 1, sizeof(*grown));
	if (!grown)
		error_no_memory();
	grown[n] = (struct setting){ text, equals + 1 };
	settings->list = grown;
	settings->count++;
}

void settings_apply(const struct settings *settings,
		    struct maplog_options *options)
{
	for (size_t i = 0; i < settings->count; i++)
		(void)maplog_options_set(options, settings->list[i].key,
					 settings->list[i].value);
}

const char *settings_differ(const struct settings *settings,
			    const struct maplog_options *options)
{
	struct maplog_options wanted = *options;

	settings_apply(settings, &wanted);
	for (size_t i = 0; i < settings->count; i++) {
		const char *key = settings->list[i].key;
		char theirs[TEXT_SIZE];
		char ours[TEXT_SIZE];

		if (maplog_options_get(options, key, theirs, sizeof(theirs)) ||
		    maplog_options_get(&wanted, key, ours, sizeof(ours)) ||
		    strcmp(ours, theirs) != 0)
			return key;
	}
	return NULL;
}

void settings_free(struct settings *settings)
{
	free(settings->list);
}
