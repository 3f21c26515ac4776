/* SPDX-License-Identifier: MIT */
/* What the daemon was told: command line, -o options, INI file. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse.h"
#include "report.h"

#define THREADS_DEFAULT 8
#define THREADS_MAX	64

static const char usage[] =
	"usage: maplogfs STORE MOUNTPOINT [options]\n"
	"\n"
	"Mount a directory of maplog logs, for tools that read files.\n"
	"\n"
	"  -f, --foreground       stay in the foreground, log to stderr\n"
	"  -d, --debug            print every request; implies -f\n"
	"  -c, --config FILE      read options from an INI file first\n"
	"  -o OPT[=VALUE][,...]   options, as in /etc/fstab\n"
	"  -h, --help             this text\n"
	"  -V, --version          versions of maplogfs and libfuse\n"
	"\n"
	"Options for -o, and keys for the section [mount] of the INI file:\n"
	"  ro                     the logs can only be read\n"
	"  passthrough=yes|no     let the kernel read the store's own files, "
	"if\n"
	"                         it allows that (yes)\n"
	"  io_uring=yes|no        take requests by io_uring, if that works "
	"(no)\n"
	"  hide-entries           entries/ is not listed; its files are there\n"
	"  threads=N              requests worked on at once (8)\n"
	"  allow_other, allow_root, fsname=NAME, dev, suid, noexec, ...\n"
	"                         as for all FUSE mounts\n"
	"Options of logs made with mkdir, also keys for the section [log]:\n"
	"  segment-size, max-entry, sync, retain-bytes, retain-age, "
	"retain-unread,\n"
	"  map-limit\n"
	"\n"
	"Unmount with `fusermount3 -u MOUNTPOINT`, or end the process.\n";

/* Where a setting came from, to say so when it is wrong. */
struct source {
	struct config *config;
	const char *file; /* NULL: the command line */
	int line;
};

/* That page has all of them, with their limits. */
#define MANUAL "(see maplogfs.ini(5))"

static int wrong(const struct source *source, const char *what,
		 const char *name, const char *value)
{
	const char *equals = value ? "=" : "";

	value = value ? value : "";
	if (source->file)
		report(LOG_ERR, "%s:%d: %s: %s%s%s " MANUAL, source->file,
		       source->line, what, name, equals, value);
	else
		report(LOG_ERR, "%s: %s%s%s " MANUAL, what, name, equals,
		       value);
	return -EINVAL;
}

static int parse_bool(const char *value, bool *result)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			*result = !strcmp(value, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_threads(const char *value, unsigned *threads)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno)
		return -EINVAL;
	if (number < 1 || number > THREADS_MAX)
		return -ERANGE;
	*threads = (unsigned)number;
	return 0;
}

/* An option of the mount itself. -ENOKEY if it is none of ours. */
static int set_mount(struct config *config, const char *name, const char *value)
{
	if (!strcmp(name, "passthrough"))
		return parse_bool(value ? value : "yes", &config->passthrough);
	if (!strcmp(name, "io_uring"))
		return parse_bool(value ? value : "yes", &config->io_uring);
	if (!strcmp(name, "hide-entries"))
		return parse_bool(value ? value : "yes", &config->hide_entries);
	if (!strcmp(name, "threads"))
		return value ? parse_threads(value, &config->threads) : -EINVAL;
	if (!strcmp(name, "ro"))
		return parse_bool(value ? value : "yes", &config->read_only);
	if (!strcmp(name, "rw") && !value) {
		config->read_only = false;
		return 0;
	}
	return -ENOKEY;
}

static bool is_listed(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

/* What only says how to treat an fstab line. */
static bool is_for_fstab(const char *name)
{
	static const char *const names[] = {
		"auto",	  "noauto",	 "user",	  "nouser",
		"users",  "nofail",	 "_netdev",	  "defaults",
		"owner",  "group",	 "comment",	  "loud",
		"silent", "strictatime", "nostrictatime", "lazytime",
		"atime",  "relatime",	 "norelatime",	  NULL,
	};

	return is_listed(names, name) || !strncmp(name, "x-", 2) ||
	       !strncmp(name, "X-", 2);
}

static void add_text(struct config *config, const char *text, size_t *used)
{
	for (; *text && *used + 2 < sizeof(config->mount_options); text++) {
		/* A comma would end the option. */
		if (*text == ',' || *text == '\\')
			config->mount_options[(*used)++] = '\\';
		config->mount_options[(*used)++] = *text;
	}
	config->mount_options[*used] = 0;
}

static int pass_on(struct config *config, const char *name, const char *value)
{
	size_t used = strlen(config->mount_options);

	if (used + strlen(name) + 2 * (value ? strlen(value) : 0) + 4 >
	    sizeof(config->mount_options))
		return -ERANGE;
	if (used)
		config->mount_options[used++] = ',';
	add_text(config, name, &used);
	if (value)
		config->mount_options[used++] = '=';
	add_text(config, value ? value : "", &used);
	return 0;
}

/* What libfuse, the kernel or mount(8) understands. -ENOKEY if none does. */
static int set_for_mount(struct config *config, const char *name,
			 const char *value)
{
	static const char *const texts[] = {
		"fsname",     "subtype",     "context", "fscontext",
		"defcontext", "rootcontext", NULL,
	};
	static const char *const switches[] = {
		"allow_other", "allow_root",
		"dev",	       "nodev",
		"suid",	       "nosuid",
		"exec",	       "noexec",
		"noatime",     "nodiratime",
		"sync",	       "async",
		"dirsync",     "default_permissions",
		NULL,
	};
	bool on = true;
	int ret;

	if (is_listed(texts, name))
		return value && *value ? pass_on(config, name, value) : -EINVAL;
	if (!is_listed(switches, name))
		return -ENOKEY;
	ret = value ? parse_bool(value, &on) : 0;
	return ret || !on ? ret : pass_on(config, name, NULL);
}

static int explain(const struct source *source, int ret, const char *name,
		   const char *value)
{
	if (ret == -ENOKEY)
		return wrong(source, "unknown option", name, value);
	if (ret == -ERANGE)
		return wrong(source, "value out of range", name, value);
	if (ret)
		return wrong(source, "bad value", name, value);
	return 0;
}

/* "sync" without a value is the kernel's option, with one it is ours. */
static int set_option(const struct source *source, const char *name,
		      const char *value)
{
	struct config *config = source->config;
	int ret;

	ret = set_mount(config, name, value);
	if (ret == -ENOKEY && value)
		ret = maplog_options_set(&config->defaults, name, value);
	if (ret == -ENOKEY && is_for_fstab(name))
		return 0;
	if (ret == -ENOKEY)
		ret = set_for_mount(config, name, value);
	return explain(source, ret, name, value);
}

/* "a,b=c" as after -o. */
static int set_options(const struct source *source, char *text)
{
	char *name;
	int ret = 0;

	while (!ret && (name = strsep(&text, ","))) {
		char *value = strchr(name, '=');

		if (value)
			*value++ = 0;
		if (*name)
			ret = set_option(source, name, value);
	}
	return ret;
}

static int set_key(struct source *source, const char *section, const char *name,
		   const char *value)
{
	struct config *config = source->config;
	int ret;

	if (!strcmp(section, "log")) {
		ret = maplog_options_set(&config->defaults, name, value);
		return explain(source, ret, name, value);
	}
	if (!*section)
		return wrong(source, "key outside of any section", name, value);
	if (strcmp(section, "mount") != 0)
		return wrong(source, "unknown section", section, NULL);
	ret = set_mount(config, name, value);
	if (ret == -ENOKEY)
		ret = set_for_mount(config, name, value);
	return explain(source, ret, name, value);
}

/* Reads lines for inih, which does not tell its handler where it is. */
struct reader {
	struct source source;
	FILE *file;
	bool inside; /* of a line that was too long for one piece */
	bool failed;
	int error; /* of reading */
};

static char *read_line(char *text, int size, void *arg)
{
	struct reader *reader = arg;

	if (reader->failed)
		return NULL;
	errno = 0;
	if (!fgets(text, size, reader->file)) {
		reader->error = errno;
		return NULL;
	}
	reader->source.line += !reader->inside;
	reader->inside = !strchr(text, '\n');
	return text;
}

static int on_key(void *arg, const char *section, const char *name,
		  const char *value)
{
	struct reader *reader = arg;

	reader->failed = set_key(&reader->source, section, name, value);
	return !reader->failed;
}

static int read_file(struct config *config, const char *path)
{
	struct reader reader = {
		.source = { .config = config, .file = path },
	};
	int line;

	reader.file = fopen(path, "re");
	if (!reader.file) {
		report(LOG_ERR, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	line = ini_parse_stream(read_line, &reader, on_key, &reader);
	fclose(reader.file);
	if (reader.error)
		report(LOG_ERR, "%s: %s", path, strerror(reader.error));
	else if (!line)
		return 0;
	else if (!reader.failed)
		report(LOG_ERR, "%s:%d: neither [section] nor key = value",
		       path, line);
	return -EINVAL;
}

static const struct option long_options[] = {
	{ "foreground", no_argument, NULL, 'f' },
	{ "debug", no_argument, NULL, 'd' },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char short_options[] = ":fdc:o:hV";

/* The INI file comes first, wherever it is named: the command line wins. */
static int parse_config_file(struct config *config, int argc, char **argv)
{
	int ret = 0;
	int c;

	optind = 0;
	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, short_options, long_options,
					NULL)) != -1) {
		if (c == 'c')
			ret = read_file(config, optarg);
	}
	return ret;
}

static int parse_flags(struct config *config, int argc, char **argv)
{
	const struct source source = { .config = config };
	int ret = 0;
	int c;

	optind = 0;
	opterr = 0;
	while (!ret && (c = getopt_long(argc, argv, short_options, long_options,
					NULL)) != -1) {
		if (c == 'f')
			config->foreground = true;
		else if (c == 'd')
			config->debug = config->foreground = true;
		else if (c == 'o')
			ret = set_options(&source, optarg);
	}
	return ret;
}

static int parse_arguments(struct config *config, int argc, char **argv)
{
	if (argc - optind != 2) {
		if (argc - optind > 2)
			report(LOG_ERR,
			       "one word too many: %s (see maplogfs --help)",
			       argv[optind + 2]);
		else
			report(LOG_ERR, "needs a STORE and a MOUNTPOINT (see "
					"maplogfs --help)");
		return -EINVAL;
	}
	config->store = argv[optind];
	config->mountpoint = argv[optind + 1];
	return 0;
}

static void tell_wrong(int c, char *const *argv)
{
	const char letter[] = { '-', (char)optopt, 0 };

	report(LOG_ERR, "%s: %s (see maplogfs --help)",
	       optopt ? letter : argv[optind - 1],
	       c == ':' ? "its value is missing" : "no such option, or not so");
}

/* Whether --help or --version was asked for, anywhere; '?' for what nobody
 * understands, which is told. */
static int asked_for(int argc, char **argv)
{
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h' || c == 'V')
			return c;
		if (c == '?' || c == ':') {
			tell_wrong(c, argv);
			return '?';
		}
	}
	return 0;
}

enum config_result config_parse(struct config *config, int argc, char **argv)
{
	int asked = asked_for(argc, argv);

	*config = (struct config){
		.passthrough = true,
		.threads = THREADS_DEFAULT,
	};
	maplog_options_init(&config->defaults);
	if (asked == 'h')
		fputs(usage, stdout);
	if (asked == 'V')
		printf("maplogfs %s, libfuse %s\n", MAPLOG_VERSION,
		       fuse_pkgversion());
	if (asked && asked != '?')
		return CONFIG_DONE;
	if (asked)
		return CONFIG_WRONG;
	if (parse_config_file(config, argc, argv) ||
	    parse_flags(config, argc, argv) ||
	    parse_arguments(config, argc, argv))
		return CONFIG_WRONG;
	return CONFIG_RUN;
}
