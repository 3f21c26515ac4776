/* SPDX-License-Identifier: MIT */
/* Evidence: what a repair has changed, as it was before. */
#include "evidence.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "dir.h"
#include "io.h"

/* Names tried: 42.repaired, 42.repaired.1 and so on. */
#define TRIES 1000

void evidence_init(struct evidence *evidence, int dirfd, mode_t mode,
		   uint64_t base)
{
	*evidence = (struct evidence){
		.dirfd = dirfd,
		.mode = mode,
		.base = base,
		.fd = -1,
	};
}

void evidence_close(struct evidence *evidence)
{
	if (evidence->fd >= 0)
		close(evidence->fd);
	evidence->fd = -1;
}

static int create(struct evidence *evidence)
{
	int ret = -EEXIST;

	assert(evidence->fd < 0);

	for (int n = 0; n < TRIES && ret == -EEXIST; n++) {
		char name[64];

		snprintf(name, sizeof(name),
			 n ? "%020" PRIu64 ".repaired.%d"
			   : "%020" PRIu64 ".repaired",
			 evidence->base, n);
		ret = io_open(evidence->dirfd, name,
			      O_WRONLY | O_CREAT | O_EXCL, evidence->mode,
			      &evidence->fd, NULL);
	}
	return ret ? ret : io_sync_dir(evidence->dirfd);
}

static int put(struct evidence *evidence, const void *bytes, size_t n)
{
	int ret = io_write(evidence->fd, bytes, n, evidence->size);

	if (!ret)
		evidence->size += n;
	return ret;
}

int evidence_keep(struct evidence *evidence,
		  const struct maplog_finding *finding, const void *bytes)
{
	char line[160];
	int n = snprintf(line, sizeof(line),
			 "entry %" PRIu64 ": %" PRIu32 " bytes of %020" PRIu64
			 ".%s from offset %" PRIu64 " were\n",
			 finding->index, finding->bytes, finding->base,
			 finding->file == MAPLOG_DATA ? DIR_LOG : DIR_INDEX,
			 finding->offset);
	int ret = evidence->fd < 0 ? create(evidence) : 0;

	assert(n > 0 && (size_t)n < sizeof(line));
	if (!ret)
		ret = put(evidence, line, (size_t)n);
	if (!ret)
		ret = put(evidence, bytes, finding->bytes);
	if (!ret)
		ret = put(evidence, "\n", 1);
	return ret ? ret : io_sync(evidence->fd);
}
