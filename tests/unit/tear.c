/* SPDX-License-Identifier: MIT */
/* A log with a torn tail: what the tests of recovery begin with. */
#include "tear.h"

#include "files.h"
#include "fixture.h"

static void append_torn(void)
{
	static const struct maplog_entry entries[TORN] = {
		{ "torn1", 5, UINT64_MAX },
		{ "torn2", 5, UINT64_MAX },
		{ "tor", 3, UINT64_MAX },
	};

	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_append(tlog, entries, TORN, NULL), 0);
}

void tear_make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
	append_batch("kept", "too!", NULL);
	close_log();
	ck_assert_int_eq(run_child(append_torn), 0);
}

const char *tear_data(void)
{
	return log_path(0, "log");
}

void tear_payload(uint64_t from)
{
	zero_file(tear_data(), KEPT_END + from, TORN_END);
}

void tear_records(uint64_t from)
{
	zero_file(tear_data(), RECORD_AT(KEPT) + from, RECORD_AT(KEPT + TORN));
}

void tear_expect_kept(uint64_t next)
{
	expect_range(0, next);
	expect_text(0, "kept");
	expect_text(1, "too!");
}
