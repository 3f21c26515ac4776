/* SPDX-License-Identifier: MIT */
/* maplog config: the options of a log, all of them or one, shown or set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "mounted.h"
#include "settings.h"
#include "store.h"

#define VALUE_SIZE 64

static void print_value(const struct maplog_options *options, const char *key,
			bool json, bool first)
{
	char value[VALUE_SIZE];

	if (maplog_options_get(options, key, value, sizeof(value)))
		return;
	if (json)
		printf("%s\"%s\":\"%s\"", first ? "{" : ",", key, value);
	else
		printf("%s = %s\n", key, value);
}

static void print_all(const struct maplog_options *options, bool json)
{
	const char *key;

	for (size_t n = 0; (key = maplog_options_key(n)); n++)
		print_value(options, key, json, !n);
	if (json)
		puts("}");
}

/* Only the values, in the order in which they were asked for. */
static void print_some(const struct maplog_options *options, char *const *keys,
		       int count)
{
	for (int i = 0; i < count; i++) {
		char value[VALUE_SIZE];

		if (!maplog_options_get(options, keys[i], value, sizeof(value)))
			puts(value);
	}
}

static int show(const char *path, char *const *keys, int count, bool json)
{
	struct maplog_options options;
	struct maplog *log;

	maplog_options_init(&options);
	if (path) {
		log = store_open(path, MAPLOG_READ);
		if (!log)
			return STATUS_FAILED;
		maplog_options(log, &options);
		maplog_close(log);
	}
	if (count)
		print_some(&options, keys, count);
	else
		print_all(&options, json);
	return STATUS_OK;
}

static int set_mounted(const char *path, const struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];
		char command[256];
		char reply[256];
		int ret;

		snprintf(command, sizeof(command), "set %s %s", setting->key,
			 setting->value);
		ret = mounted_command(path, command, reply, sizeof(reply));
		if (ret)
			return error_system(path, ret);
	}
	return STATUS_OK;
}

static int set(const char *path, const struct settings *settings)
{
	struct maplog *log;
	int status = STATUS_OK;
	int ret = 0;

	if (store_is_mount(path))
		return set_mounted(path, settings);
	log = store_open(path, MAPLOG_WRITE);
	if (!log)
		return STATUS_FAILED;
	for (size_t i = 0; !ret && i < settings->count; i++)
		ret = maplog_set(log, settings->list[i].key,
				 settings->list[i].value);
	if (ret)
		status = explain_change(path, log, ret);
	ret = maplog_close(log);
	return ret && !status ? explain_close(path, ret) : status;
}

static bool is_key(const char *word)
{
	const char *key;

	for (size_t n = 0; (key = maplog_options_key(n)); n++) {
		if (!strcmp(key, word))
			return true;
	}
	return false;
}

/* Either all are KEY=VALUE, or none is. */
static void take_words(struct args *args, struct settings *settings)
{
	bool setting = args->count > 1 && strchr(args->operands[1], '=');

	for (int i = 1; i < args->count; i++) {
		char *word = args->operands[i];

		if (setting != (strchr(word, '=') != NULL))
			args_fail(args, "either KEY or KEY=VALUE: '%s'", word);
		if (setting)
			settings_add(settings, args, word);
		else if (!is_key(word))
			settings_fail_key(args, word);
	}
}

static int run(struct args *args)
{
	struct settings settings = { .count = 0 };
	char *path = NULL;
	bool json = false;
	int status;

	while (args_next(args) != ARGS_END)
		json = true;
	take_words(args, &settings);
	if (args->count)
		path = args->operands[0];
	if (path)
		store_clean_path(path);
	if (settings.count)
		status = set(path, &settings);
	else
		status = show(path, args->operands + 1,
			      args->count ? args->count - 1 : 0, json);
	settings_free(&settings);
	return status;
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_config = {
	.name = "config",
	.operands = "[STORE/LOG [KEY|KEY=VALUE...]]",
	.summary = "Show or set the options of a log",
	.help = "Without a log: the defaults. With KEY only its value, with "
		"KEY=VALUE it is set\n"
		"for good.\n\n"
		"  -j, --json              all of them as a JSON object\n",
	.letters = "j",
	.options = options,
	.least = 0,
	.most = OPERANDS_ANY,
	.run = run,
};
