// SPDX-License-Identifier: GPL-2.0-only
//
// Processes between whoever started contain and the command.

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contain.h"

// Wait for `child`, forward signals to it and reap what is left to us; its status as an exit status.
static int wait_for(pid_t child)
{
	sigset_t all;
	sigfillset(&all);
	for (;;) {
		siginfo_t signal;
		int number = sigwaitinfo(&all, &signal), status;
		// What a terminal sends goes to the whole group, COMMAND included.
		if (number > 0 && number != SIGCHLD && signal.si_code != SI_KERNEL)
			kill(child, number);
		for (pid_t gone; number == SIGCHLD && (gone = waitpid(-1, &status, WNOHANG)) > 0;) {
			if (gone != child)
				continue;
			if (WIFEXITED(status))
				return WEXITSTATUS(status);
			if (WTERMSIG(status) == SIGSYS)
				say("killed: it tried a system call that its filter forbids", NULL);
			return SIGNALLED + WTERMSIG(status);
		}
	}
}

// Go on in a child; its parent keeps no rights, waits, and does not return.
void descend(void)
{
	int ready[2];
	char byte = 0;

	if (pipe2(ready, O_CLOEXEC))
		fail_errno("pipe", NULL);
	pid_t child = fork();
	if (child < 0)
		fail_errno("fork", NULL);
	if (child) {
		give_up_rights();
		if (write(ready[1], &byte, 1) != 1)
			fail_errno("pipe", NULL);
		_exit(wait_for(child));
	}
	close(ready[1]);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	// COMMAND must find nobody with rights above it; and a parent that died before the kernel was told to care is seen.
	if (read(ready[0], &byte, 1) != 1)
		_exit(FAILED);
	close(ready[0]);
}
