// SPDX-License-Identifier: GPL-2.0-only
//
// Linux' own conf for many requests. It reads the Kconfig files once; then a copy of the process completes each file of
// the directory REQUESTS into one of the same name in MADE, as `make allnoconfig` and `make olddefconfig` after it do.
// Linked with upstream's objects, in which conf's main is called conf_main, and its call of conf_parse leads here.

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void conf_parse(const char *name);
int conf_main(int count, char **words);

void conf_parsed(const char *name)
{
	(void)name; // it was read before
}

static int failed;

static void reap(void)
{
	int status;

	if (wait(&status) > 0 && status)
		failed = 1;
}

static void complete(char *request, char *made, char *kconfig)
{
	setenv("KCONFIG_ALLCONFIG", request, 1);
	setenv("KCONFIG_CONFIG", made, 1);
	if (!fork())
		exit(conf_main(4, (char *[]){ "conf", "-s", "--allnoconfig", kconfig, NULL }));
	reap();
	exit(failed || conf_main(4, (char *[]){ "conf", "-s", "--olddefconfig", kconfig, NULL }));
}

int main(int count, char **words)
{
	char *kconfig = words[count - 1];
	int free_places = atoi(getenv("JOBS"));
	struct dirent *entry;
	DIR *requests = opendir(getenv("REQUESTS"));

	conf_parse(kconfig);
	while (requests && (entry = readdir(requests))) {
		char request[4096], made[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(request, sizeof(request), "%s/%s", getenv("REQUESTS"), entry->d_name);
		snprintf(made, sizeof(made), "%s/%s", getenv("MADE"), entry->d_name);
		if (free_places)
			free_places--;
		else
			reap();
		if (!fork())
			complete(request, made, kconfig);
	}
	while (waitpid(-1, NULL, WNOHANG) >= 0)
		reap();
	return failed || !requests;
}
