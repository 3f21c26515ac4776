/* SPDX-License-Identifier: MIT */
/*
 * An n-body run that logs every update of every particle as it goes.
 *     nbody PARTICLES STEPS [STORE/LOG]     without a log it writes nothing
 */
#include <err.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

#define MAX    4096 /* particles */
#define DT     1e-3f
#define SOFTEN 1e-2f /* keeps two that meet from being thrown out */

/* What is logged: 32 bytes, one entry. */
struct update {
	uint32_t particle;
	float time;
	float position[3];
	float velocity[3];
};

/* A coordinate is an array, so that the compiler works on many at once. */
struct bodies {
	int n;
	float x[MAX], y[MAX], z[MAX];
	float vx[MAX], vy[MAX], vz[MAX];
	float ax[MAX], ay[MAX], az[MAX];
};

/* The updates of a step, and what makes an entry of each of them. */
struct output {
	struct maplog *log;
	struct update updates[MAX];
	struct maplog_entry entries[MAX];
};

static struct bodies bodies;
static struct output output;

static float uniform(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (float)(state >> 40) / (float)(1 << 24);
}

/* A disc that turns about a heavy body in its middle. */
static void begin(struct bodies *b, int n)
{
	b->n = n;
	for (int i = 1; i < n; i++) {
		const float r = 0.2f + uniform(), a = 6.2831853f * uniform();
		const float v = sqrtf(1 / r);

		b->x[i] = r * cosf(a);
		b->y[i] = r * sinf(a);
		b->z[i] = 0.1f * (uniform() - 0.5f);
		b->vx[i] = -v * sinf(a);
		b->vy[i] = v * cosf(a);
	}
}

/* What all bodies pull one of them with: the first has mass 1, the rest of
 * them 0.1 together. */
static void accelerate(struct bodies *b, int i)
{
	const float mass = 0.1f / (float)b->n;
	float ax = 0, ay = 0, az = 0;

	for (int j = 0; j < b->n; j++) {
		const float dx = b->x[j] - b->x[i];
		const float dy = b->y[j] - b->y[i];
		const float dz = b->z[j] - b->z[i];
		const float d2 = dx * dx + dy * dy + dz * dz + SOFTEN * SOFTEN;
		const float pull = (j ? mass : 1) / (d2 * sqrtf(d2));

		ax += pull * dx;
		ay += pull * dy;
		az += pull * dz;
	}
	b->ax[i] = ax;
	b->ay[i] = ay;
	b->az[i] = az;
}

static void step(struct bodies *b)
{
	for (int i = 0; i < b->n; i++)
		accelerate(b, i);
	for (int i = 0; i < b->n; i++) {
		b->x[i] += DT * (b->vx[i] += DT * b->ax[i]);
		b->y[i] += DT * (b->vy[i] += DT * b->ay[i]);
		b->z[i] += DT * (b->vz[i] += DT * b->az[i]);
	}
}

static void output_open(struct output *out, const char *name)
{
	struct maplog_options options;
	int ret;

	/* What is appended outlives this process at once, and a power cut when
	 * the log is closed: no step waits for the disk. */
	maplog_options_init(&options);
	options.sync = MAPLOG_SYNC_MANUAL;
	ret = maplog_create(AT_FDCWD, name, 0755, &options);
	if (!ret)
		ret = maplog_open(AT_FDCWD, name, MAPLOG_WRITE, &out->log);
	if (ret)
		errx(1, "%s: %s", name, strerror(-ret));
	for (int i = 0; i < MAX; i++) {
		out->updates[i].particle = (uint32_t)i;
		out->entries[i].data = &out->updates[i];
		out->entries[i].bytes = sizeof(out->updates[i]);
	}
}

/* A step is a batch: after a crash all of it is there, or nothing. */
static void output_step(struct output *out, const struct bodies *b, float now)
{
	for (int i = 0; i < b->n; i++) {
		struct update *update = &out->updates[i];

		update->time = now;
		update->position[0] = b->x[i];
		update->position[1] = b->y[i];
		update->position[2] = b->z[i];
		update->velocity[0] = b->vx[i];
		update->velocity[1] = b->vy[i];
		update->velocity[2] = b->vz[i];
	}
	int ret = maplog_append(out->log, out->entries, (size_t)b->n, NULL);
	if (ret)
		errx(1, "append: %s", strerror(-ret));
}

static void output_close(struct output *out)
{
	int ret = maplog_close(out->log);

	if (ret)
		errx(1, "close: %s", strerror(-ret));
}

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

int main(int argc, char **argv)
{
	const int n = argc > 2 ? atoi(argv[1]) : 0;
	const int steps = argc > 2 ? atoi(argv[2]) : 0;
	const bool logs = argc > 3;

	if (n < 1 || n > MAX || steps < 1)
		errx(2, "nbody PARTICLES STEPS [STORE/LOG]");
	if (logs)
		output_open(&output, argv[3]);
	begin(&bodies, n);
	const double start = seconds(CLOCK_MONOTONIC);
	const double busy = seconds(CLOCK_THREAD_CPUTIME_ID);
	const double all = seconds(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 1; i <= steps; i++) {
		step(&bodies);
		if (logs)
			output_step(&output, &bodies, (float)i * DT);
	}
	const double took = seconds(CLOCK_MONOTONIC) - start;
	printf("%.3f s, processor %.3f s, all threads %.3f s, "
	       "%.2f million updates/s\n",
	       took, seconds(CLOCK_THREAD_CPUTIME_ID) - busy,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - all,
	       1e-6 * steps * n / took);
	if (logs)
		output_close(&output);
}
