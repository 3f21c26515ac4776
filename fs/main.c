/* SPDX-License-Identifier: MIT */
/* maplogfs: mounts a store of logs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "handle.h"
#include "loop.h"
#include "mount.h"
#include "notify.h"
#include "privilege.h"
#include "report.h"
#include "retainer.h"
#include "server.h"
#include "supervisor.h"
#include "uring.h"

#define EXIT_USAGE 2

/* Signals are waited for by the main thread: blocked in all of them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* In the background, the parent stays until the child says that all is well;
 * its exit status is that of mounting. */
static int go_to_background(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 ? EXIT_SUCCESS
						    : EXIT_FAILURE);
	}
	close(ready[0]);
	return ready[1];
}

static void say_ready(int ready)
{
	int null;

	if (ready < 0)
		return;
	report_to_syslog();
	/* Not before the mount: where autofs waits for it, those of another
	 * process group than systemd's would wait for it, too. */
	setsid();
	(void)!chdir("/");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	(void)!write(ready, "", 1);
	close(ready);
}

static int run(struct server *server, int ready)
{
	struct loop *loop = NULL;
	int ret;

	ret = notify_start(server);
	if (ret)
		return ret;
	store_open_all(&server->store, server->mountpoint);
	ret = retainer_start(server);
	if (!ret)
		ret = loop_start(server, &loop);
	if (!ret) {
		mount_read_ahead(server);
		say_ready(ready);
		supervisor_tell("READY=1");
		loop_wait(loop);
		supervisor_tell("STOPPING=1");
	}
	notify_stop(server);
	if (loop)
		loop_stop(loop);
	retainer_stop(server);
	notify_free(server);
	return ret;
}

static int serve(struct server *server, int ready)
{
	const struct config *config = server->config;
	int ret;

	ret = store_open(&server->store, config->store, config->read_only,
			 &config->defaults);
	if (ret) {
		report(LOG_ERR, "%s: %s%s", config->store, strerror(-ret),
		       ret == -ENOENT ? ": mkdir makes an empty store" : "");
		return ret;
	}
	ret = tree_init(&server->tree);
	if (ret)
		return ret;
	ret = mount_start(server);
	if (!ret) {
		ret = run(server, ready);
		handle_release_all(server);
		mount_end(server);
	}
	tree_destroy(&server->tree);
	store_close(&server->store);
	return ret;
}

int main(int argc, char **argv)
{
	struct config config;
	struct server server = {
		.config = &config,
		.handles_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	enum config_result result = config_parse(&config, argc, argv);
	int ready = -1;

	if (result != CONFIG_RUN)
		return result == CONFIG_DONE ? EXIT_SUCCESS : EXIT_USAGE;
	report_libfuse();
	/* Modes come from directories and callers, already masked. */
	umask(0);
	privilege_many_files();
	block_signals();
	clock_gettime(CLOCK_MONOTONIC, &server.started);
	server.no_passthrough = "switched off";
	server.passthrough = config.passthrough &&
			     privilege_passthrough(&server.no_passthrough);
	server.no_io_uring = config.io_uring ? uring_missing() : "switched off";
	server.io_uring = !server.no_io_uring;
	if (!config.foreground) {
		ready = go_to_background();
		if (ready < 0) {
			report(LOG_ERR, "%s", strerror(-ready));
			return EXIT_FAILURE;
		}
	}
	return serve(&server, ready) ? EXIT_FAILURE : EXIT_SUCCESS;
}
