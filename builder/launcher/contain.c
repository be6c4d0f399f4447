// SPDX-License-Identifier: GPL-2.0-only
//
// contain: start a program with no more of the system than it was given.
//
//   contain --name NAME [OPTION VALUE]... [--strict] [--executable-memory] -- COMMAND [ARGUMENT]...
//
//   --name NAME              what messages call it
//   --user USER              run as this user of /etc/passwd, in its groups of /etc/group (default: as whoever starts it)
//   --namespaces LIST        of its own: mount, pid, ipc, uts, net; separated by commas
//   --capabilities LIST      the only ones it has, such as net_bind_service,setuid (default: none)
//   --seccomp FILE           a filter of system calls: struct sock_filter[], as the kernel takes it
//   --write PATH             stays writable in a read-only view; again for every further one; / for all
//   --env NAME=VALUE         in its environment, beside PATH, HOME and USER; again for every further one
//   --directory PATH:MODE:USER   made before it starts if it is not there; again for every further one
//   --strict                 fail where the kernel refuses a limit, instead of saying so once and going on
//   --executable-memory      it may execute what it wrote into memory, as programs that compile while they run must
//
// With a mount namespace, everything is read-only and without set-user-ID but what --write names; what it names is
// not executable, unless that is /; and /tmp is its own, unless --write names something there. With a PID namespace,
// /proc shows that namespace alone, and contain stays: outside it forwards signals, inside it is process 1, which
// reaps. When COMMAND ends, all that it left behind ends. Without one, contain becomes COMMAND.
//
// Exit status: COMMAND's own; 128 and the number of the signal that ended it; 125 contain failed; 126 COMMAND cannot be
// executed; 127 there is no COMMAND. Messages are "contain: NAME: what".
//
// options.c reads the command line, users.c /etc/passwd; view.c makes namespaces and the read-only view, rights.c takes
// capabilities and system calls away, processes.c waits for what was started.
//
// What would make it twice as large is left out: stdio, getpwnam, strtoul, malloc, and musl's setuid and its kin, which
// see to threads.

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contain.h"

static void set_environment(const char *user_name, const struct user *user)
{
	static char home[sizeof user->home + 5] = "HOME=", who[256] = "USER=";
	static char *list[128] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
	int count = 1;
	char **at = options;
	if (user) {
		if (strlen(user_name) > 250)
			fail("--user", NULL, strerror(ENAMETOOLONG));
		list[count++] = strcat(home, user->home);
		list[count++] = strcat(who, user_name);
	}
	for (char *given; (given = next("--env", &at));) {
		char *equals = strchr(given, '=');
		if (!equals || equals == given)
			fail("--env ", given, "wants NAME=VALUE");
		int i = 0;
		while (i < count && strncmp(list[i], given, equals - given + 1))
			i++;
		if (i == 127)
			fail("--env", NULL, strerror(E2BIG));
		list[i] = given;
		count += i == count;
	}
	environ = list;
}

static _Noreturn void execute(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (*refused)
		say("runs without what the kernel refuses: ", refused, NULL);
	// Last: from here on the filter must allow what is still to do.
	apply_filter();
	execvp(*command, command);
	say(*command, ": ", strerror(errno), NULL);
	_exit(errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

int main(int argc, char **argv)
{
	struct user user, *as = NULL;
	gid_t groups[64];
	int count = 0;
	char **at;

	(void)argc;
	parse(argv);
	syscall(SYS_close_range, 3, ~0U, 0);
	umask(022);
	int flags = wanted_namespaces();
	uint64_t capabilities = wanted_capabilities();
	char *user_name = value_of("--user"), *seccomp = value_of("--seccomp");
	at = options;
	for (char *given; (given = next("--directory", &at));)
		make_directory(given);
	if (user_name) {
		user = find_user(user_name, "--user");
		count = groups_of(user_name, user.gid, groups);
		as = &user;
	}
	set_environment(user_name, as);
	if (seccomp)
		read_filter(seccomp);

	flags = leave(flags);
	if (flags & CLONE_NEWPID) {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		descend(); // to process 1
	}
	if (flags & CLONE_NEWNS)
		make_view(flags & CLONE_NEWPID);
	if (chdir("/"))
		fail_errno("/", NULL);
	if (flags & CLONE_NEWPID)
		descend();
	become(as, groups, count, capabilities);
	lock();
	execute();
}
