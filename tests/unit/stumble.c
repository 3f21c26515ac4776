/* SPDX-License-Identifier: MIT */
/*
 * Tests of recovery that stumbles: a writer was killed before any of its
 * calls, perhaps a file was damaged or lost besides, and now the calls of
 * recovery fail, one after the other. It says so, or finds what it finds
 * without a fault; and it leaves nothing that keeps the next one from that.
 */
#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "content.h"
#include "files.h"
#include "fixture.h"
#include "folder.h"
#include "model.h"

#define LARGE (300 << 10)

/* Moments to a test: the n-th, and each that is so many after it. */
#define TESTS 12

/* Sanitizers make it ten times slower: there it is not every call. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STRIDE 41
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRIDE 41
#endif
#endif

#ifndef STRIDE
#define STRIDE 7
#endif

static const struct step steps[] = {
	{ STEP_APPEND, 2, 0, 10 },    { STEP_APPEND, 2, 0, LARGE },
	{ STEP_APPEND, 2, 0, LARGE }, { STEP_APPEND, 3, 0, 10 },
	{ STEP_SEAL, 0, 0, 0 },	      { STEP_APPEND, 2, 0, 10 },
	{ STEP_OVERWRITE, 2, 1, 10 }, { STEP_TRUNCATE, 0, 5, 0 },
	{ STEP_APPEND, 2, 0, 5000 },  { STEP_TRIM, 0, 3, 0 },
	{ STEP_SEAL, 0, 0, 0 },	      { STEP_APPEND, 3, 0, 10 },
	{ STEP_OVERWRITE, 1, 4, 10 }, { STEP_APPEND, 2, 0, LARGE },
};

#define STEPS ((unsigned)(sizeof(steps) / sizeof(*steps)))

static const struct kind {
	enum call call;
	int error;
} kinds[] = {
	{ CALL_OPEN, EMFILE },	   { CALL_OPEN, ENOSPC },
	{ CALL_READ, EIO },	   { CALL_READ, FAULT_SHORT },
	{ CALL_WRITE, ENOSPC },	   { CALL_WRITE, EIO },
	{ CALL_RESIZE, EIO },	   { CALL_ALLOCATE, ENOSPC },
	{ CALL_ALLOCATE, EIO },	   { CALL_SYNC, EIO },
	{ CALL_SYNC, ENOSPC },	   { CALL_SYNC_DIR, EIO },
	{ CALL_UNLINK, EIO },	   { CALL_RENAME, EIO },
	{ CALL_MAP, ENOMEM },	   { CALL_ADVISE, EFAULT },
	{ CALL_NEW, ENOMEM },	   { CALL_LOCK, ENOLCK },
	{ CALL_THREAD, EAGAIN },   { CALL_OPEN, EDQUOT },
	{ CALL_ALLOCATE, EDQUOT }, { CALL_WRITE, EDQUOT },
	{ CALL_ADVISE, ENOMEM },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* What a log shows. */
struct shown {
	int opened; /* what open said */
	uint64_t first;
	uint64_t next;
	uint32_t entry[MODEL_ENTRIES]; /* its value; 0: it reads as damaged */
};

static struct folder files;
static struct shown right;
static struct shown right_as_reader;
static int die_at;
static char where[160];

static void work(void)
{
	struct model model = { 0 };

	open_log(MAPLOG_WRITE);
	fault_die(die_at);
	for (unsigned i = 0; i < STEPS; i++) {
		must(!model_do(tlog, &model, &steps[i], i));
		model_step(&model, &steps[i], i);
	}
}

/* Files of a segment with a suffix: the last one, or the one before it. */
static const char *nth_last(const char *suffix, int back)
{
	static char found[2][64];
	DIR *dir;
	struct dirent *entry;
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", store_path(), LOG);
	dir = opendir(path);
	must(dir);
	memset(found, 0, sizeof(found));
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		size_t n = strlen(name);

		if (n != 24 || strcmp(name + 20, suffix) != 0)
			continue;
		if (strcmp(name, found[0]) > 0) {
			memcpy(found[1], found[0], sizeof(found[0]));
			snprintf(found[0], sizeof(found[0]), "%.24s", name);
		} else if (strcmp(name, found[1]) > 0) {
			snprintf(found[1], sizeof(found[1]), "%.24s", name);
		}
	}
	closedir(dir);
	if (!*found[back])
		return NULL;
	snprintf(path, sizeof(path), LOG "/%s", found[back]);
	snprintf(found[back], sizeof(found[back]), "%.60s", path);
	return found[back];
}

static void lose(const char *path)
{
	if (path)
		must(!unlinkat(store, path, 0));
}

static void lose_last_log(void)
{
	lose(nth_last(".log", 0));
}

static void lose_last_segment(void)
{
	lose(nth_last(".log", 0));
	lose(nth_last(".idx", 0));
}

static void lose_last_segment_and_its_place(void)
{
	lose_last_segment();
	lose(nth_last(".end", 0));
}

static void lose_last_index(void)
{
	lose(nth_last(".idx", 0));
}

static void lose_head(void)
{
	lose(LOG "/head");
}

static void damage_head(void)
{
	zero_file(LOG "/head", 0, 44);
}

static void damage_trailer_of(const char *path)
{
	uint64_t size = path ? file_size(path) : 0;

	if (size > 4096)
		zero_file(path, size - 4096, size);
}

static void damage_last_trailer(void)
{
	damage_trailer_of(nth_last(".log", 0));
}

static void damage_trailer_before(void)
{
	damage_trailer_of(nth_last(".log", 1));
}

static void damage_payload(void)
{
	const char *path = nth_last(".log", 0);

	if (path && file_size(path) > 8)
		flip_bit(path, 5, 1);
}

static void damage_nothing(void)
{
}

static void (*const damages[])(void) = {
	damage_nothing,	   lose_last_log,
	lose_last_segment, lose_last_segment_and_its_place,
	lose_last_index,   lose_head,
	damage_head,	   damage_last_trailer,
	damage_payload,	   damage_trailer_before,
};

#define DAMAGES (sizeof(damages) / sizeof(*damages))

static uint32_t value_of(uint64_t index)
{
	static char bytes[LARGE + 16];
	struct maplog_info info;
	int ret = maplog_read(tlog, index, bytes, sizeof(bytes), &info);

	return ret ? 0 : (uint32_t)info.tag;
}

/* Opens the log; what it shows is of no interest where that fails. */
static void look(enum maplog_mode mode, struct shown *shown)
{
	struct maplog_counters now;

	memset(shown, 0, sizeof(*shown));
	shown->opened = maplog_open(store, LOG, mode, &tlog);
	if (shown->opened) {
		tlog = NULL;
		return;
	}
	calls_spare(true);
	maplog_counters(tlog, &now);
	shown->first = now.first;
	shown->next = now.next;
	must(now.next < MODEL_ENTRIES);
	for (uint64_t i = now.first; i < now.next; i++)
		shown->entry[i] = value_of(i);
	calls_spare(false);
}

static void leave(void)
{
	(void)maplog_close(tlog);
	tlog = NULL;
}

static void expect_right(const struct shown *shown, const struct shown *as,
			 const char *when)
{
	if (memcmp(shown, as, sizeof(*as)) != 0)
		ck_abort_msg("%s, %s: %d, %d..%d instead of %d, %d..%d", where,
			     when, shown->opened, (int)shown->first,
			     (int)shown->next, as->opened, (int)as->first,
			     (int)as->next);
}

/* Whether there was an n-th call of that kind. */
static bool stumbles(enum maplog_mode mode, const struct kind *kind, int n)
{
	const struct shown *as =
		mode == MAPLOG_WRITE ? &right : &right_as_reader;
	struct shown shown;
	bool reached;

	fault_clear();
	fault_set(kind->call, n, 1, kind->error);
	look(mode, &shown);
	reached = calls_made(kind->call) > n;
	if (!shown.opened)
		expect_right(&shown, as, "stumbled");
	leave();
	fault_clear();
	look(MAPLOG_WRITE, &shown);
	expect_right(&shown, &right, "afterwards");
	leave();
	return reached;
}

/* Of each kind one call in so many. */
static int stride(void)
{
	const char *text = getenv("MAPLOG_STRIDE");

	return text ? atoi(text) : STRIDE;
}

static void try_faults(enum maplog_mode mode, int damage)
{
	for (size_t i = 0; i < KINDS; i++) {
		bool reached = true;

		for (int n = (die_at + (int)i) % stride(); reached;
		     n += stride()) {
			snprintf(where, sizeof(where),
				 "killed before call %d, damage %d, mode %d, "
				 "call %d of kind %d, error %d",
				 die_at, damage, (int)mode, n,
				 (int)kinds[i].call, kinds[i].error);
			folder_store(&files, LOG);
			reached = stumbles(mode, &kinds[i], n);
			folder_remove(LOG);
		}
	}
}

static void stumble(int damage)
{
	damages[damage]();
	folder_load(&files, LOG);
	look(MAPLOG_READ, &right_as_reader);
	leave();
	look(MAPLOG_WRITE, &right);
	leave();
	folder_remove(LOG);
	if (!right.opened) {
		try_faults(MAPLOG_WRITE, damage);
		if (damage % 2 == die_at % 2)
			try_faults(MAPLOG_READ, damage);
	}
	folder_free(&files);
}

/* Looped over the moments at which the writer is killed. */
START_TEST(recovery_that_stumbles_can_be_repeated)
{
	bool died = true;

	for (die_at = _i; died; die_at += TESTS) {
		/* Where each store may need space, or not. */
		calls_file_system = die_at % 3 ? 0 : BTRFS_SUPER_MAGIC;
		create_log("segment-size", "1M", "sync",
			   die_at % 2 ? "manual" : "always", NULL);
		died = run_child(work) == DIED;
		fault_clear();
		stumble(die_at / TESTS % 2 ? 0 : die_at / 2 % (int)DAMAGES);
	}
}
END_TEST

static Suite *stumble_suite(void)
{
	Suite *suite = suite_create("stumble");

	tcase_add_loop_test(unit_case(suite, "stumble"),
			    recovery_that_stumbles_can_be_repeated, 0, TESTS);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(stumble_suite());
}
