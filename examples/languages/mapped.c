/* SPDX-License-Identifier: MIT */
/* A log from C through the mount: open, write and mmap.
 *     mapped append LOG TEXT... | mapped read LOG | mapped follow LOG */
#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format.h"

static void *map(const char *path, int prot, int flags, size_t *size)
{
	int fd = open(path, O_RDONLY);

	*size = fd < 0 ? 0 : (size_t)lseek(fd, 0, SEEK_END);
	void *data = mmap(NULL, *size + 1, prot, flags, fd, 0); /* not 0 */
	return data == MAP_FAILED ? err(1, "%s", path), data : data;
}

static void show(char *path)
{
	size_t n, size, start = 0, base = 0;
	struct maplog_record *at = map(path, PROT_READ, MAP_SHARED, &n);

	sscanf(path, "segments/%zu", &base);
	memcpy(strrchr(path, '.'), ".log", 4);
	const char *log = map(path, PROT_READ, MAP_SHARED, &size);
	for (size_t i = 0; i < n / sizeof(*at); start = at[i++].end) {
		if (at[i].end < start || at[i].end > size)
			errx(1, "entry %zu has no end", base + i);
		printf("%zu: %.*s", base + i, (int)(at[i].end - start),
		       log + start);
	}
	/* Private: copied where it is written to, the log does not change. */
	char *copy = map(path, PROT_READ | PROT_WRITE, MAP_PRIVATE, &size);
	if (size)
		printf("copy %c, log %c\n", copy[0] = '*', log[0]);
}

int main(int argc, char **argv)
{
	glob_t found = { 0 };

	if (argc < 3 || chdir(argv[2]))
		err(1, "mapped append|read|follow LOG");
	for (int i = 3, fd = open("append", O_WRONLY); i < argc; i++)
		if (dprintf(fd, "%s\n", argv[i]) < 0)
			err(1, "append");
	if (!strcmp(argv[1], "read"))
		glob("segments/*.idx", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		show(found.gl_pathv[i]);
	FILE *file = strcmp(argv[1], "follow") ? NULL : fopen("follow", "r");
	for (char line[4096]; file && fgets(line, sizeof(line), file);)
		printf("%s", line), fflush(stdout);
}
