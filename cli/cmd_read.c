/* SPDX-License-Identifier: MIT */
/* maplog read and dump: entries, checked, on standard output. */
#include <stdbool.h>
#include <string.h>

#include "args.h"
#include "extract.h"

static int run_read(struct args *args)
{
	struct extract extract = { .keep_going = false };
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END)
		extract_option(&extract, args, c);
	extract_operands(&extract, args, false);
	status = extract_run(&extract);
	extract_free(&extract);
	return status;
}

static enum emit_form form_of(const struct args *args, const char *name)
{
	if (!strcmp(name, "text"))
		return EMIT_TEXT;
	if (!strcmp(name, "hex"))
		return EMIT_HEX;
	if (!strcmp(name, "json"))
		return EMIT_JSON;
	args_fail(args, "--as: not text, hex or json: '%s'", name);
}

static int run_dump(struct args *args)
{
	/* Damage is what it is looked for. */
	struct extract extract = { .keep_going = true };
	enum emit_form form = EMIT_TEXT;
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'a')
			form = form_of(args, optarg);
		else if (c == 'j')
			form = EMIT_JSON;
		else
			extract_option(&extract, args, c);
	}
	extract_operands(&extract, args, true);
	emit_set(&extract.emit, args, form);
	status = extract_run(&extract);
	extract_free(&extract);
	return status;
}

static const struct option read_options[] = {
	{ "format", required_argument, NULL, 'F' },
	{ "info", no_argument, NULL, 'i' },
	{ "json", no_argument, NULL, 'j' },
	{ "keep-going", no_argument, NULL, 'k' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_read = {
	.name = "read",
	.operands = "STORE/LOG [INDEX|A-B|A-|-N...]",
	.summary = "Write entries to standard output",
	.help = "INDEX is one entry, A-B are those from A to B, both included, "
		"A- those from A\n"
		"to the end, -N the last N.\n\n"
		"  -F, --format=FORMAT     write each entry so: %i index, %t "
		"time, %n in\n"
		"                          nanoseconds, %g tag, %l length, %c "
		"checksum, %p\n"
		"                          payload, %x in hexadecimal, %q in "
		"quotes, %j JSON,\n"
		"                          %%, \\n, \\t, \\0, \\\\; nothing is "
		"added at the end\n"
		"  -i, --info              a line about each entry instead: "
		"index, time, tag,\n"
		"                          length\n"
		"  -j, --json              a line of JSON for each entry "
		"instead\n"
		"  -k, --keep-going        leave damaged entries out and go "
		"on\n"
		"  -s, --since=TIME        instead of a range: entries that "
		"are not older than\n"
		"                          2026-11-20T10:00:00Z, or than 10m "
		"(ns, us, ms, s, m,\n"
		"                          h, d)\n",
	.letters = "F:ijks:",
	.options = read_options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run_read,
};

static const struct option dump_options[] = {
	{ "as", required_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_dump = {
	.name = "dump",
	.operands = "STORE/LOG [INDEX|A-B|A-|-N...]",
	.summary = "Show all that is known of entries",
	.help = "For each entry a line: index, time, tag, length, checksum, "
		"bytes in quotes. All\n"
		"entries if no range is given; damaged ones are named and "
		"left out.\n\n"
		"  -a, --as=text|hex|json  bytes in quotes; in hexadecimal, in "
		"lines of their\n"
		"                          own; all of it as JSON\n"
		"  -j, --json              --as=json\n"
		"  -s, --since=TIME        as for read\n",
	.letters = "a:js:",
	.options = dump_options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run_dump,
};
