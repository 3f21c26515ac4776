/* SPDX-License-Identifier: MIT */
/* What all programs of the bench share: see harness.h. */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ARGS_MAX 32

static struct {
	const char *text[ARGS_MAX];
	bool used[ARGS_MAX];
	int n;
} args;

const unsigned char *payload_noise;

void die(const char *what, int err)
{
	if (err)
		fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
			what, strerror(err));
	else
		fprintf(stderr, "%s: %s\n", program_invocation_short_name,
			what);
	_Exit(1);
}

long must_call(long ret, const char *what)
{
	if (ret == -1)
		die(what, errno);
	return ret;
}

void *must_alloc(size_t bytes)
{
	void *memory = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		die("memory", errno);
	return memory;
}

void args_init(int argc, char **argv)
{
	if (argc - 1 > ARGS_MAX)
		die("too many arguments", 0);
	args.n = argc - 1;
	for (int i = 0; i < args.n; i++)
		args.text[i] = argv[i + 1];
}

const char *arg_text(const char *name, const char *otherwise)
{
	size_t bytes = strlen(name);

	for (int i = 0; i < args.n; i++) {
		if (strncmp(args.text[i], name, bytes) ||
		    args.text[i][bytes] != '=')
			continue;
		args.used[i] = true;
		return args.text[i] + bytes + 1;
	}
	if (!otherwise)
		die(name, EINVAL);
	return otherwise;
}

uint64_t arg_number(const char *name, uint64_t otherwise)
{
	const char *text = arg_text(name, "");
	char *end;
	uint64_t value;

	if (!*text)
		return otherwise;
	value = strtoull(text, &end, 10);
	if (*end)
		die(name, EINVAL);
	return value;
}

void args_done(void)
{
	for (int i = 0; i < args.n; i++)
		if (!args.used[i])
			die(args.text[i], EINVAL);
}

void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	must_call(sched_setaffinity(0, sizeof(set), &set), "pinning");
}

void payload_init(size_t bytes)
{
	size_t words = (PAYLOAD_SPAN + bytes) / sizeof(uint64_t) + 1;
	uint64_t *noise = must_alloc(words * sizeof(uint64_t));
	unsigned char *noise_bytes = (unsigned char *)noise;
	uint64_t state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < words; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		noise[i] = state;
	}
	for (size_t i = 0; i < words * sizeof(uint64_t); i++)
		if (noise_bytes[i] == '\n')
			noise_bytes[i] = '.';
	payload_noise = noise_bytes;
}

void emit(const char *metric, const char *unit, double value)
{
	printf("%s,%s,%.9g\n", metric, unit, value);
}
