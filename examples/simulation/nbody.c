/* SPDX-License-Identifier: MIT */
/*
 * An n-body run that logs every update of every particle as it goes.
 *     nbody PARTICLES STEPS [STORE/LOG]     without a log it writes nothing
 */
#include <err.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

#define MAX	4096 /* particles, and updates in a buffer */
#define BUFFERS 4
#define DT	1e-3f
#define SOFTEN	1e-2f /* keeps two that meet from being thrown out */

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

/* Updates on their way from the thread that computes to the one that logs. */
struct buffer {
	int n;
	struct update updates[MAX];
};

struct output {
	struct maplog *log;
	struct buffer buffers[BUFFERS];
	sem_t empty, full;
	unsigned next; /* the buffer that is being filled */
	pthread_t thread;
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

/* A buffer is a batch: after a crash all of it is there, or nothing. */
static void append(struct maplog *log, const struct buffer *buffer)
{
	static struct maplog_entry entries[MAX];

	for (int i = 0; i < buffer->n; i++)
		entries[i] = (struct maplog_entry){
			.data = &buffer->updates[i],
			.bytes = sizeof(buffer->updates[i]),
		};
	int ret = maplog_append(log, entries, (size_t)buffer->n, NULL);
	if (ret)
		errx(1, "append: %s", strerror(-ret));
}

/* Appends what comes, until an empty buffer does. */
static void *output_run(void *arg)
{
	struct output *out = arg;

	for (unsigned i = 0;; i++) {
		struct buffer *buffer = &out->buffers[i % BUFFERS];

		sem_wait(&out->full);
		if (!buffer->n)
			return NULL;
		append(out->log, buffer);
		buffer->n = 0;
		sem_post(&out->empty);
	}
}

/* Hands the buffer over, and waits until there is an empty one. */
static void output_flush(struct output *out)
{
	sem_post(&out->full);
	out->next++;
	sem_wait(&out->empty);
}

static void output_step(struct output *out, const struct bodies *b, float now)
{
	struct buffer *buffer = &out->buffers[out->next % BUFFERS];
	struct update *update = &buffer->updates[buffer->n];

	for (int i = 0; i < b->n; i++)
		update[i] = (struct update){
			.particle = (uint32_t)i,
			.time = now,
			.position = { b->x[i], b->y[i], b->z[i] },
			.velocity = { b->vx[i], b->vy[i], b->vz[i] },
		};
	buffer->n += b->n;
	if (buffer->n + b->n > MAX)
		output_flush(out);
}

static void output_open(struct output *out, const char *name)
{
	struct maplog_options options;
	int ret;

	maplog_options_init(&options);
	options.sync = MAPLOG_SYNC_INTERVAL;
	options.interval = 1000000000;
	ret = maplog_create(AT_FDCWD, name, 0755, &options);
	if (!ret)
		ret = maplog_open(AT_FDCWD, name, MAPLOG_WRITE, &out->log);
	if (ret)
		errx(1, "%s: %s", name, strerror(-ret));
	sem_init(&out->full, 0, 0);
	sem_init(&out->empty, 0, BUFFERS - 1);
	ret = pthread_create(&out->thread, NULL, output_run, out);
	if (ret)
		errx(1, "thread: %s", strerror(ret));
}

static void output_close(struct output *out)
{
	if (out->buffers[out->next % BUFFERS].n)
		output_flush(out);
	sem_post(&out->full);
	pthread_join(out->thread, NULL);
	maplog_close(out->log);
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
	const double before = seconds(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 1; i <= steps; i++) {
		step(&bodies);
		if (logs)
			output_step(&output, &bodies, (float)i * DT);
	}
	const double took = seconds(CLOCK_MONOTONIC) - start;
	printf("%.3f s, processor %.3f s, %.2f million updates/s\n", took,
	       seconds(CLOCK_THREAD_CPUTIME_ID) - before,
	       1e-6 * steps * n / took);
	if (logs)
		output_close(&output);
}
