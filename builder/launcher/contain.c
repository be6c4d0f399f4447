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
// What would make it twice as large is left out: stdio, getpwnam, strtoul, malloc, and musl's setuid and its kin, which
// see to threads.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNALLED = 128 };

// The kernel's, from Linux 5.2, 5.12 and 6.3; musl has neither names nor functions for them.
#define OPEN_TREE_CLONE_RECURSIVE (1 | AT_RECURSIVE)
#define MOVE_MOUNT_FROM_FD 0x4
#define ATTR_RDONLY 0x1
#define ATTR_NOSUID 0x2
#define ATTR_NOEXEC 0x8
#define MDWE_SET 65
#define MDWE_REFUSE_EXEC_GAIN 1
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
// 32-bit machines have two of these, the older ones with 16 bits for a number.
#ifdef SYS_setresuid32
#define SET_USERS SYS_setresuid32
#define SET_GROUP SYS_setresgid32
#define SET_GROUPS SYS_setgroups32
#else
#define SET_USERS SYS_setresuid
#define SET_GROUP SYS_setresgid
#define SET_GROUPS SYS_setgroups
#endif
struct attributes {
	uint64_t set, clear, propagation, userns;
};

struct user {
	uid_t uid;
	gid_t gid;
	char home[256];
};

static const char *const capability_names[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
};
#define CAPABILITIES (sizeof capability_names / sizeof *capability_names)

static const struct namespace {
	const char *name;
	int flag;
} namespaces[] = {
	{ "namespaces.mount", CLONE_NEWNS }, { "namespaces.pid", CLONE_NEWPID }, { "namespaces.ipc", CLONE_NEWIPC },
	{ "namespaces.uts", CLONE_NEWUTS }, { "namespaces.net", CLONE_NEWNET },
};

static const char *const valued[] = {
	"--name", "--user", "--namespaces", "--capabilities", "--seccomp", "--write", "--env", "--directory",
};

static char **options; // of the command line, up to COMMAND
static char **command;
static const char *name;
static int strict;
static char refused[512]; // what the kernel refuses, separated by commas

// Messages

// The words up to NULL, as one line with nothing in between from anybody else.
static void say(const char *first, ...)
{
	struct iovec parts[12] = { { "contain: ", 9 } };
	int count = 1;
	va_list words;

	if (name) {
		parts[count++] = (struct iovec){ (char *)name, strlen(name) };
		parts[count++] = (struct iovec){ ": ", 2 };
	}
	va_start(words, first);
	for (const char *word = first; word && count < 11; word = va_arg(words, const char *))
		parts[count++] = (struct iovec){ (char *)word, strlen(word) };
	va_end(words);
	parts[count++] = (struct iovec){ "\n", 1 };
	if (writev(2, parts, count) < 0)
		return; // nobody listens, and that is no reason not to start
}

static _Noreturn void fail(const char *what, const char *detail, const char *why)
{
	say(what, detail ? detail : "", ": ", why, NULL);
	_exit(FAILED);
}

static _Noreturn void fail_errno(const char *what, const char *detail)
{
	fail(what, detail, strerror(errno));
}

// A limit that could not be set: errno says why.
static void refuse(const char *what)
{
	if (strict)
		fail_errno(what, NULL);
	if (strlen(refused) + strlen(what) + 3 > sizeof refused)
		return;
	if (*refused)
		strcat(refused, ", ");
	strcat(refused, what);
}

// The command line

// The value of the next option called `option` from *at on, or NULL; *at is then behind it.
static char *next(const char *option, char ***at)
{
	while (*at < command) {
		char *word = *(*at)++;
		int has_value = strcmp(word, "--strict") && strcmp(word, "--executable-memory") && strcmp(word, "--");
		char *value = has_value ? *(*at)++ : word;
		if (!strcmp(word, option))
			return value;
	}
	return NULL;
}

static char *value_of(const char *option)
{
	char **at = options;
	return next(option, &at);
}

static void parse(char **argv)
{
	options = command = argv + 1;
	while (*command && strcmp(*command, "--")) {
		char *word = *command++;
		size_t known = 0;
		if (!strcmp(word, "--strict") || !strcmp(word, "--executable-memory"))
			continue;
		while (known < sizeof valued / sizeof *valued && strcmp(word, valued[known]))
			known++;
		if (known == sizeof valued / sizeof *valued)
			fail("unknown option", NULL, word);
		if (!*command)
			fail(word, NULL, "lacks its value");
		command++;
	}
	if (!*command || !command[1])
		fail("no command", NULL, "put it behind --");
	command++;
	strict = value_of("--strict") != NULL;
	name = value_of("--name");
	if (!name)
		fail("--name", NULL, "is missing");
}

// Take the next word of a list with commas, in place; NULL at its end.
static char *word_of(char **list)
{
	char *word = *list;
	if (!word || !*word)
		return NULL;
	*list = strchr(word, ',');
	if (*list)
		*(*list)++ = 0;
	return word;
}

static int wanted_namespaces(void)
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

static uint64_t wanted_capabilities(void)
{
	char *list = value_of("--capabilities");
	uint64_t set = 0;
	for (char *word; (word = word_of(&list));) {
		size_t i = 0;
		while (i < CAPABILITIES && strcmp(word, capability_names[i]))
			i++;
		if (i == CAPABILITIES)
			fail("--capabilities: no such capability", NULL, word);
		set |= UINT64_C(1) << i;
	}
	return set;
}

// Users

static char text[65536]; // of /etc/passwd or /etc/group, of which no line is longer

static void read_text(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = 0;
	size_t total = 0;
	if (file < 0)
		fail_errno(path, NULL);
	while (total < sizeof text - 1 && (length = read(file, text + total, sizeof text - 1 - total)) > 0)
		total += length;
	if (length < 0)
		fail_errno(path, NULL);
	if (total == sizeof text - 1)
		fail(path, NULL, strerror(EFBIG));
	text[total] = 0;
	close(file);
}

// Split the next line of *at at its colons; the number of fields, -1 at the end.
static int fields_of(char **at, char *fields[7])
{
	char *line = *at;
	int count = 0;
	if (!*line)
		return -1;
	*at = strchrnul(line, '\n');
	if (**at)
		*(*at)++ = 0;
	while (line && count < 7) {
		fields[count++] = line;
		line = strchr(line, ':');
		if (line)
			*line++ = 0;
	}
	return count;
}

// The number that is all of `word`; -1 where it is none, or larger than any that is wanted here.
static int64_t number_of(const char *word, unsigned base)
{
	int64_t number = *word ? 0 : -1;
	for (; *word && number >= 0; word++) {
		unsigned digit = *word - '0';
		number = digit < base && number <= UINT32_MAX / base ? number * base + digit : -1;
	}
	return number;
}

static struct user find_user(const char *wanted, const char *option)
{
	char *fields[7], *at = text;
	struct user user;
	read_text("/etc/passwd");
	for (int count; (count = fields_of(&at, fields)) >= 0;) {
		if (count < 6 || strcmp(fields[0], wanted))
			continue;
		int64_t uid = number_of(fields[2], 10), gid = number_of(fields[3], 10);
		if (uid < 0 || gid < 0)
			fail("the numbers of ", wanted, strerror(EINVAL));
		user.uid = uid;
		user.gid = gid;
		if (strlen(fields[5]) >= sizeof user.home)
			fail("the home of ", wanted, strerror(ENAMETOOLONG));
		strcpy(user.home, fields[5]);
		return user;
	}
	fail(option, ": no such user", wanted);
}

static int groups_of(const char *wanted, gid_t first, gid_t groups[64])
{
	char *fields[7], *at = text;
	int count = 0;
	groups[count++] = first;
	read_text("/etc/group");
	for (int found; (found = fields_of(&at, fields)) >= 0;) {
		char *members = found > 3 ? fields[3] : NULL;
		for (char *member; (member = word_of(&members));)
			if (!strcmp(member, wanted) && count < 64 && number_of(fields[2], 10) >= 0)
				groups[count++] = number_of(fields[2], 10);
	}
	return count;
}

// What is set up before anything is given away

static void make_directory(char *given)
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

static struct sock_filter instructions[BPF_MAXINSNS];
static struct sock_fprog filter = { .filter = instructions };

static void read_filter(const char *path)
{
	char more;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = file < 0 ? -1 : read(file, instructions, sizeof instructions);
	if (size < 0)
		fail_errno("--seccomp ", path);
	if (!size || size % sizeof *instructions || read(file, &more, 1))
		fail("--seccomp ", path, "is no filter");
	filter.len = size / sizeof *instructions;
	close(file);
}

// Own namespaces; the flags of those that could be had.
static int leave(int flags)
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
static void make_view(int own_proc)
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

// Rights

static int set_capabilities(uint64_t set)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable = set >> 32 * i;
	return syscall(SYS_capset, &header, data);
}

static uint64_t permitted(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data))
		fail_errno("capabilities", NULL);
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

// contain itself, while it waits, can do nothing but send signals.
static void give_up_rights(void)
{
	set_capabilities(permitted() & 1 << CAP_KILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void become(const struct user *user, const gid_t groups[], int count, uint64_t set)
{
	for (size_t i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(set >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0)) {
			refuse("capabilities.bounding");
			break;
		}
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (user) {
		if (syscall(SET_GROUPS, count, groups) || syscall(SET_GROUP, user->gid, user->gid, user->gid) ||
			syscall(SET_USERS, user->uid, user->uid, user->uid))
			refuse("user");
	}
	uint64_t had = permitted();
	if (set & ~had) {
		errno = EPERM;
		refuse("capabilities");
	}
	set &= had;
	if (set_capabilities(set))
		fail_errno("capabilities", NULL);
	for (size_t i = 0; i < CAPABILITIES && geteuid(); i++)
		if (set >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0))
			fail_errno("capabilities: ", capability_names[i]);
}

// Processes

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
static void descend(void)
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
	if (filter.len && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0))
		fail_errno("--seccomp", NULL);
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
	if (!value_of("--executable-memory") && prctl(MDWE_SET, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		refuse("write-protected code");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail_errno("no_new_privs", NULL);
	if (filter.len && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		refuse("seccomp");
		filter.len = 0;
	}
	execute();
}
