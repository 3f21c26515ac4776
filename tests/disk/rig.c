/* SPDX-License-Identifier: MIT */
/* The rig: a logging disk with a file system on it. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct rig rig = { .dir = -1 };

void rig_fail(const char *text, ...)
{
	int error = errno;
	va_list list;

	va_start(list, text);
	vfprintf(stderr, text, list);
	va_end(list);
	fprintf(stderr, " (%s)\n  %s: %s\n", strerror(error), rig.fs,
		rig.state);
	exit(1);
}

uint64_t rig_dice(uint64_t *chance)
{
	*chance = *chance * 6364136223846793005U + 1442695040888963407U;
	return *chance >> 33;
}

static void on_signal(int number)
{
	fprintf(stderr, "signal %d\n  %s: %s\n", number, rig.fs, rig.state);
	_exit(1);
}

static void map_image(void)
{
	int fd = open("image", O_RDWR | O_CLOEXEC);
	struct stat st;

	require(fd >= 0 && !fstat(fd, &st));
	rig.size = (uint64_t)st.st_size;
	rig.image =
		mmap(NULL, rig.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require(rig.image != MAP_FAILED);
	close(fd);
}

void rig_open(const char *place, const char *fs)
{
	static const int signals[] = { SIGABRT, SIGBUS, SIGSEGV };

	rig.fs = fs;
	for (size_t n = 0; n < sizeof(signals) / sizeof(*signals); n++)
		signal(signals[n], on_signal);
	require(!chdir(place));
	map_image();
	rig.mark = open("log/mark", O_RDWR | O_CLOEXEC);
	require(rig.mark >= 0);
	rig.trail = open("trail", O_RDWR | O_CLOEXEC);
	require(rig.trail >= 0);
}

int rig_mount(void)
{
	static const char *loop;

	if (!loop)
		loop = realpath("loop", NULL);
	require(loop);
	if (mount(loop, "mnt", rig.fs, 0, NULL))
		return -errno;
	rig.dir = open("mnt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(rig.dir >= 0);
	return 0;
}

void rig_unmount(void)
{
	close(rig.dir);
	rig.dir = -1;
	require(!umount2("mnt", 0));
}

void rig_mark(const char *text, ...)
{
	char line[64];
	va_list list;
	int n;

	va_start(list, text);
	n = vsnprintf(line, sizeof(line), text, list);
	va_end(list);
	require(write(rig.mark, line, (size_t)n) == n);
}

unsigned rig_failed(void)
{
	unsigned long writes;
	unsigned long flushes;
	unsigned failed;
	char text[96] = "";

	require(pread(rig.mark, text, sizeof(text) - 1, 0) > 0);
	require(sscanf(text, "%lu %lu %u", &writes, &flushes, &failed) == 3);
	return failed;
}

void rig_take(struct trail *trail)
{
	trail_load(trail, rig.trail);
	require(!ftruncate(rig.trail, 0));
}
