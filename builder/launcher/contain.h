// SPDX-License-Identifier: GPL-2.0-only
//
// What the parts of contain share; contain.c says what it is.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAILED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNALLED = 128 };

struct user {
	uid_t uid;
	gid_t gid;
	char home[256];
};

// options.c
extern char **options; // of the command line, up to the command
extern char **command;
extern char refused[512]; // what the kernel refuses, separated by commas
void parse(char **argv);
char *next(const char *option, char ***at);
char *value_of(const char *option);
char *word_of(char **list);
int64_t number_of(const char *word, unsigned base);
void say(const char *first, ...);
_Noreturn void fail(const char *what, const char *detail, const char *why);
_Noreturn void fail_errno(const char *what, const char *detail);
void refuse(const char *what);

// users.c
struct user find_user(const char *wanted, const char *option);
int groups_of(const char *wanted, gid_t first, gid_t groups[64]);

// view.c
int wanted_namespaces(void);
int leave(int flags);
void make_directory(char *given);
void make_view(int own_proc);

// rights.c
uint64_t wanted_capabilities(void);
void read_filter(const char *path);
void give_up_rights(void);
void become(const struct user *user, const gid_t groups[], int count, uint64_t set);
void lock(void);
void apply_filter(void);

// processes.c
void descend(void);
