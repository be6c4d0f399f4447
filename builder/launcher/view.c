// SPDX-License-Identifier: GPL-2.0-only
//
// What is seen of the system: namespaces, directories, the read-only view.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contain.h"

// The kernel's, from Linux 5.2 and 5.12; musl has neither names nor functions for them.
#define OPEN_TREE_CLONE_RECURSIVE (1 | AT_RECURSIVE)
#define MOVE_MOUNT_FROM_FD 0x4
#define ATTR_RDONLY 0x1
#define ATTR_NOSUID 0x2
#define ATTR_NOEXEC 0x8
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
struct attributes {
	uint64_t set, clear, propagation, userns;
};

static const struct namespace {
	const char *name;
	int flag;
} namespaces[] = {
	{ "namespaces.mount", CLONE_NEWNS }, { "namespaces.pid", CLONE_NEWPID }, { "namespaces.ipc", CLONE_NEWIPC },
	{ "namespaces.uts", CLONE_NEWUTS }, { "namespaces.net", CLONE_NEWNET },
};

int wanted_namespaces(void)
{
	char *list = value_of("--namespaces");
	int flags = 0;
	for (char *word; (word = word_of(&list));) {
		size_t i = 0;
		while (i < 5 && strcmp(word, namespaces[i].name + strlen("namespaces.")))
			i++;
		if (i == 5)
			fail("--namespaces: no such namespace", NULL, word);
		flags |= namespaces[i].flag;
	}
	return flags;
}

void make_directory(char *given)
{
	char *owner = strrchr(given, ':'), *mode;
	if (owner)
		*owner++ = 0;
	mode = strrchr(given, ':');
	if (mode)
		*mode++ = 0;
	int64_t bits = mode ? number_of(mode, 8) : -1;
	if (*given != '/' || bits < 0 || bits > 07777 || !*owner)
		fail("--directory", NULL, "wants PATH:MODE:USER, such as /run/app:0750:app");
	struct user user = find_user(owner, "--directory");
	for (char *slash = given + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		mkdir(given, 0755); // if it cannot be made, the directory below it cannot, either
	}
	if (mkdir(given, 0700) && errno != EEXIST)
		fail_errno("--directory ", given);
	// Whoever may write beside it must not lead us to another one.
	int directory = open(given, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		fail_errno("--directory ", given);
	if (fchown(directory, user.uid, user.gid)) {
		if (errno != EPERM)
			fail_errno("--directory ", given);
		refuse("directory.user");
	}
	if (fchmod(directory, bits))
		fail_errno("--directory ", given);
	close(directory);
}

// Own namespaces; the flags of those that could be had.
int leave(int flags)
{
	int left = 0;
	for (size_t i = 0; i < 5; i++) {
		if (!(flags & namespaces[i].flag))
			continue;
		if (!unshare(namespaces[i].flag))
			left |= namespaces[i].flag;
		else
			refuse(namespaces[i].name);
	}
	if (left & CLONE_NEWNET) {
		struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
		int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (any < 0 || ioctl(any, SIOCSIFFLAGS, &loopback))
			refuse("loopback");
		close(any);
	}
	return left;
}

static int set_attributes(int where, const char *path, int flags, uint64_t set)
{
	struct attributes attributes = { .set = set };
	return syscall(SYS_mount_setattr, where, path, flags | AT_RECURSIVE, &attributes, sizeof attributes);
}

// In a mount namespace of its own. `own_proc`: process 1 of a PID namespace does this.
void make_view(int own_proc)
{
	int trees[64], count = 0, all = 0, own_tmp = 1;
	char **at = options;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail_errno("/", NULL);
	// What stays writable is set aside as it is, and put over its own place when all the rest is read-only.
	for (char *path; (path = next("--write", &at));) {
		if (*path != '/')
			fail("--write ", path, "is no absolute path");
		all |= !path[1];
		own_tmp &= strncmp(path, "/tmp", 4) || (path[4] && path[4] != '/');
		if (count == 64)
			fail("--write", NULL, strerror(E2BIG));
		trees[count] = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE_RECURSIVE | O_CLOEXEC);
		if (trees[count] < 0 && errno != ENOSYS)
			fail_errno("--write ", path);
		count++;
	}
	int read_only = !all && !set_attributes(AT_FDCWD, "/", 0, ATTR_RDONLY | ATTR_NOSUID);
	if (!all && !read_only)
		refuse("read-only view");
	if (own_tmp && !all && mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=10%") &&
		errno != ENOENT)
		refuse("private /tmp");
	unsigned long proc = MS_NOSUID | MS_NODEV | MS_NOEXEC | (read_only ? MS_RDONLY : 0);
	if (own_proc && mount("proc", "/proc", "proc", proc, NULL) && errno != ENOENT)
		refuse("private /proc");
	at = options;
	for (int i = 0; i < count && read_only; i++) {
		char *path = next("--write", &at);
		if (set_attributes(trees[i], "", AT_EMPTY_PATH, ATTR_NOSUID | ATTR_NOEXEC) ||
			syscall(SYS_move_mount, trees[i], "", AT_FDCWD, path, MOVE_MOUNT_FROM_FD))
			fail_errno("--write ", path);
	}
	for (int i = 0; i < count; i++)
		close(trees[i]);
}
