/* SPDX-License-Identifier: MIT */
/*
 * What the machine itself takes for the steps that a log is made of.
 *
 *	bench-limits dir=DIR [rounds=]
 *
 * rounds says how often each step is repeated.
 */
#include <fcntl.h>
#include <isa-l.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"
#include "histogram.h"

#define PAGE   4096
#define MAPPED (UINT64_C(64) << 20)

static int dir;
static uint64_t rounds;

static void measure_crc(size_t bytes)
{
	uint64_t n = rounds * 1000 / (1 + bytes / 64) + 1;
	uint64_t begin = clock_ns();
	char metric[40];
	uint32_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum ^= crc32_iscsi((unsigned char *)payload(i), (int)bytes,
				   0xffffffff);
	keep(sum);
	snprintf(metric, sizeof(metric), "CRC-32C of %zu bytes", bytes);
	emit(metric, "ns", (double)(clock_ns() - begin) / (double)n);
}

static void measure_calls(void)
{
	uint64_t n = rounds * 100, sum = 0;
	uint64_t begin = clock_ns(), end;

	for (uint64_t i = 0; i < n; i++)
		sum += clock_ns();
	end = clock_ns();
	keep(sum);
	emit("a look at the clock", "ns", (double)(end - begin) / (double)n);
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_getppid);
	emit("a system call", "ns", (double)(clock_ns() - end) / (double)n);
}

/* A new file, allocated and mapped; no page of it is there yet. */
static char *map_new(int *fd)
{
	char *map;

	*fd = (int)must_call(
		openat(dir, "map", O_RDWR | O_CREAT | O_TRUNC, 0644), "open");
	must_call(fallocate(*fd, 0, 0, MAPPED), "fallocate");
	map = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (map == MAP_FAILED)
		die("mmap", 0);
	return map;
}

static void unmap(char *map, int fd)
{
	munmap(map, MAPPED);
	close(fd);
	must_call(unlinkat(dir, "map", 0), "unlink");
}

static void measure_faults(void)
{
	double pages = (double)MAPPED / PAGE;
	uint64_t begin;
	char *map;
	int fd;

	map = map_new(&fd);
	begin = clock_ns();
	for (uint64_t at = 0; at < MAPPED; at += PAGE)
		((volatile char *)map)[at] = 1;
	emit("a page fault, allocated file", "ns",
	     (double)(clock_ns() - begin) / pages);
	unmap(map, fd);

	map = map_new(&fd);
	begin = clock_ns();
	must_call(madvise(map, MAPPED, MADV_POPULATE_WRITE), "madvise");
	emit("a page, MADV_POPULATE_WRITE", "ns",
	     (double)(clock_ns() - begin) / pages);
	unmap(map, fd);
}

/* fdatasync() with nothing to write: the flush of the device alone. */
static void measure_flush(void)
{
	static struct histogram histogram;
	int fd = (int)must_call(openat(dir, "flush", O_RDWR | O_CREAT, 0644),
				"open");

	must_call(pwrite(fd, "x", 1, 0), "pwrite");
	must_call(fsync(fd), "fsync");
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t begin = clock_ns();

		must_call(fdatasync(fd), "fdatasync");
		histogram_add(&histogram, clock_ns() - begin);
	}
	close(fd);
	emit("fdatasync, nothing to write", "us",
	     (double)histogram_at(&histogram, 0.5) / 1000);
}

int main(int argc, char **argv)
{
	args_init(argc, argv);
	dir = (int)must_call(
		open(arg_text("dir", NULL), O_DIRECTORY | O_RDONLY), "open");
	rounds = arg_number("rounds", 1000);
	args_done();

	payload_init(1 << 16);
	measure_crc(51);
	measure_crc(510);
	measure_crc(4096);
	measure_crc(65536);
	measure_calls();
	measure_faults();
	measure_flush();
	return 0;
}
