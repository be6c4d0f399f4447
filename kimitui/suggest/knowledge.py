"""What is known of BusyBox and not written in its Kconfig tree: builtins of its shells, and what options need.

Symbols are those of the system tree. `tests/suggest` holds it against BusyBox' sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kimitui.suggest.shell import Word

_ALWAYS = (
    ". : break cd continue eval exec exit export false hash local pwd read readonly return set shift times trap true "
    "type ulimit umask unset wait"
)
BUILTINS: Mapping[str, tuple[str, ...]] = dict.fromkeys(_ALWAYS.split(), ()) | {
    "[": ("BUSYBOX_ASH_TEST", "BUSYBOX_HUSH_TEST"),
    "[[": ("BUSYBOX_ASH_BASH_COMPAT", "BUSYBOX_HUSH_BASH_COMPAT"),
    "alias": ("BUSYBOX_ASH_ALIAS",),
    "bg": ("BUSYBOX_ASH_JOB_CONTROL", "BUSYBOX_HUSH_JOB"),
    "command": ("BUSYBOX_ASH_CMDCMD",),
    "echo": ("BUSYBOX_ASH_ECHO", "BUSYBOX_HUSH_ECHO"),
    "fg": ("BUSYBOX_ASH_JOB_CONTROL", "BUSYBOX_HUSH_JOB"),
    "getopts": ("BUSYBOX_ASH_GETOPTS",),
    "help": ("BUSYBOX_ASH_HELP",),
    "jobs": ("BUSYBOX_ASH_JOB_CONTROL", "BUSYBOX_HUSH_JOB"),
    "kill": ("BUSYBOX_ASH_JOB_CONTROL",),
    "let": ("BUSYBOX_FEATURE_SH_MATH",),
    "printf": ("BUSYBOX_ASH_PRINTF", "BUSYBOX_HUSH_PRINTF"),
    "source": ("BUSYBOX_ASH_BASH_COMPAT", "BUSYBOX_HUSH_BASH_COMPAT"),
    "test": ("BUSYBOX_ASH_TEST", "BUSYBOX_HUSH_TEST"),
    "unalias": ("BUSYBOX_ASH_ALIAS",),
}
"""Builtins of BusyBox' shells: the symbol that brings one, in ash and in hush; empty if it is always there."""

_BASH_BUILTINS = (
    "bind builtin caller compgen complete compopt coproc declare dirs disown enable logout mapfile popd pushd "
    "readarray shopt suspend typeset"
)
BASH_BUILTINS = frozenset(_BASH_BUILTINS.split())
"""Builtins of bash that no shell of BusyBox has."""

CONSTRUCTS: Mapping[str, tuple[str, ...]] = {
    "arithmetic": ("BUSYBOX_FEATURE_SH_MATH",),
    "bash": ("BUSYBOX_ASH_BASH_COMPAT", "BUSYBOX_HUSH_BASH_COMPAT"),
}
"""What constructs of the language need."""

# By applet, then by what an argument has: `-k` a short option, alone or among others; `--*` any long option;
# `=text` the whole argument; `~text` a part of it.
_OPTIONS: dict[str, dict[str, str]] = {
    "cat": dict.fromkeys(("-n", "-b"), "FEATURE_CATN") | dict.fromkeys(("-v", "-e", "-A"), "FEATURE_CATV"),
    "cp": {"--*": "FEATURE_CP_LONG_OPTIONS"},
    "cpio": {"-o": "FEATURE_CPIO_O", "-p": "FEATURE_CPIO_P"},
    "date": {"-I": "FEATURE_DATE_ISOFMT", "-D": "FEATURE_DATE_ISOFMT", "~%N": "FEATURE_DATE_NANO"},
    "dd": {
        "~ibs=": "FEATURE_DD_IBS_OBS",
        "~obs=": "FEATURE_DD_IBS_OBS",
        "~conv=": "FEATURE_DD_IBS_OBS",
        "~iflag=": "FEATURE_DD_IBS_OBS",
        "~oflag=": "FEATURE_DD_IBS_OBS",
        "~status=": "FEATURE_DD_STATUS",
    },
    "df": dict.fromkeys(("-a", "-i", "-B"), "FEATURE_DF_FANCY") | {"-h": "FEATURE_HUMAN_READABLE"},
    "diff": {"-r": "FEATURE_DIFF_DIR", "--*": "FEATURE_DIFF_LONG_OPTIONS"},
    "du": {"-h": "FEATURE_HUMAN_READABLE"},
    "find": {
        "=-type": "FEATURE_FIND_TYPE",
        "=-exec": "FEATURE_FIND_EXEC",
        "=+": "FEATURE_FIND_EXEC_PLUS",
        "=!": "FEATURE_FIND_NOT",
        "=(": "FEATURE_FIND_PAREN",
        "=-maxdepth": "FEATURE_FIND_MAXDEPTH",
        "=-mindepth": "FEATURE_FIND_MAXDEPTH",
        "=-xdev": "FEATURE_FIND_XDEV",
        "=-prune": "FEATURE_FIND_PRUNE",
        "=-path": "FEATURE_FIND_PATH",
        "=-regex": "FEATURE_FIND_REGEX",
        "=-perm": "FEATURE_FIND_PERM",
        "=-executable": "FEATURE_FIND_EXECUTABLE",
        "=-size": "FEATURE_FIND_SIZE",
        "=-empty": "FEATURE_FIND_EMPTY",
        "=-mtime": "FEATURE_FIND_MTIME",
        "=-mmin": "FEATURE_FIND_MMIN",
        "=-newer": "FEATURE_FIND_NEWER",
        "=-user": "FEATURE_FIND_USER",
        "=-group": "FEATURE_FIND_GROUP",
        "=-inum": "FEATURE_FIND_INUM",
        "=-depth": "FEATURE_FIND_DEPTH",
        "=-delete": "FEATURE_FIND_DELETE",
        "=-print0": "FEATURE_FIND_PRINT0",
        "=-quit": "FEATURE_FIND_QUIT",
    },
    "getopt": {"-l": "FEATURE_GETOPT_LONG", "--*": "FEATURE_GETOPT_LONG"},
    "grep": {"-A": "FEATURE_GREP_CONTEXT", "-B": "FEATURE_GREP_CONTEXT", "-C": "FEATURE_GREP_CONTEXT"},
    "gzip": {f"-{level}": "FEATURE_GZIP_LEVELS" for level in range(1, 10)} | {"-d": "FEATURE_GZIP_DECOMPRESS"},
    "head": {"-c": "FEATURE_FANCY_HEAD", "-q": "FEATURE_FANCY_HEAD", "-v": "FEATURE_FANCY_HEAD"},
    "ls": {
        "-h": "FEATURE_HUMAN_READABLE",
        "-R": "FEATURE_LS_RECURSIVE",
        "-F": "FEATURE_LS_FILETYPES",
        "-p": "FEATURE_LS_FILETYPES",
        "-t": "FEATURE_LS_SORTFILES",
        "-S": "FEATURE_LS_SORTFILES",
        "~--color": "FEATURE_LS_COLOR",
    },
    "md5sum": {"-c": "FEATURE_MD5_SHA1_SUM_CHECK"},
    "mount": {"-a": "FEATURE_MOUNT_FSTAB", "-T": "FEATURE_MOUNT_OTHERTAB", "-v": "FEATURE_MOUNT_VERBOSE"},
    "nc": {"-l": "NC_SERVER", "-e": "NC_EXTRA", "-i": "NC_EXTRA"},
    "netstat": {"-W": "FEATURE_NETSTAT_WIDE", "-p": "FEATURE_NETSTAT_PRG"},
    "ntpd": {"-l": "FEATURE_NTPD_SERVER"},
    "ping": dict.fromkeys(("-c", "-s", "-W", "-I"), "FEATURE_FANCY_PING"),
    "readlink": {"-f": "FEATURE_READLINK_FOLLOW"},
    "sha1sum": {"-c": "FEATURE_MD5_SHA1_SUM_CHECK"},
    "sha256sum": {"-c": "FEATURE_MD5_SHA1_SUM_CHECK"},
    "sha512sum": {"-c": "FEATURE_MD5_SHA1_SUM_CHECK"},
    "sort": {"-k": "FEATURE_SORT_BIG", "-M": "FEATURE_SORT_BIG", "-V": "FEATURE_SORT_BIG", "-h": "FEATURE_SORT_BIG"},
    "start-stop-daemon": {
        "--*": "FEATURE_START_STOP_DAEMON_LONG_OPTIONS",
        "-o": "FEATURE_START_STOP_DAEMON_FANCY",
        "-N": "FEATURE_START_STOP_DAEMON_FANCY",
    },
    "stat": {"-c": "FEATURE_STAT_FORMAT", "-f": "FEATURE_STAT_FILESYSTEM"},
    "tail": dict.fromkeys(("-F", "-q", "-s", "-v"), "FEATURE_FANCY_TAIL"),
    "tar": {
        "-c": "FEATURE_TAR_CREATE",
        "-z": "FEATURE_SEAMLESS_GZ",
        "-j": "FEATURE_SEAMLESS_BZ2",
        "-J": "FEATURE_SEAMLESS_XZ",
        "-T": "FEATURE_TAR_FROM",
        "-X": "FEATURE_TAR_FROM",
        "--*": "FEATURE_TAR_LONG_OPTIONS",
        "~--to-command": "FEATURE_TAR_TO_COMMAND",
    },
    "touch": {"-d": "FEATURE_TOUCH_SUSV3", "-t": "FEATURE_TOUCH_SUSV3", "-r": "FEATURE_TOUCH_SUSV3"},
    "tr": {"~[:": "FEATURE_TR_CLASSES"},
    "umount": {"-a": "FEATURE_UMOUNT_ALL"},
    "wget": {
        "~https://": "FEATURE_WGET_HTTPS",
        "~ftp://": "FEATURE_WGET_FTP",
        "-T": "FEATURE_WGET_TIMEOUT",
        "--*": "FEATURE_WGET_LONG_OPTIONS",
    },
    "xargs": {
        "-0": "FEATURE_XARGS_SUPPORT_ZERO_TERM",
        "-I": "FEATURE_XARGS_SUPPORT_REPL_STR",
        "-i": "FEATURE_XARGS_SUPPORT_REPL_STR",
        "-P": "FEATURE_XARGS_SUPPORT_PARALLEL",
        "-a": "FEATURE_XARGS_SUPPORT_ARGS_FILE",
    },
}  # fmt: skip
# Their first argument may be options without a hyphen.
_BUNDLED = ("tar",)
# What archives are packed with is another applet; they are unpacked without it.
_TOGETHER: dict[str, dict[tuple[str, str], str]] = {"tar": {("-c", "-z"): "GZIP", ("-c", "-j"): "BZIP2"}}
_STARTS_COMMAND = ("-exec", "-execdir", "-ok", "-okdir")
_ALL = {symbol for options in _OPTIONS.values() for symbol in options.values()}
_ALL |= {symbol for options in _TOGETHER.values() for symbol in options.values()}
ALL_OPTIONS = frozenset(f"BUSYBOX_{symbol}" for symbol in _ALL)
"""Every symbol that an option may need."""


def option_symbols(applet: str, arguments: Sequence[Word]) -> tuple[str, ...]:
    """The symbols that `applet` needs to understand `arguments`, as far as it is known; sorted."""
    options = _OPTIONS.get(applet)
    if not options:
        return ()
    seen: set[str] = set()
    for position, word in enumerate(_own(applet, arguments)):
        text = word.text
        known = text if text is not None else next((part for part in word.parts if isinstance(part, str)), "")
        if position == 0 and applet in _BUNDLED and text and not text.startswith("-"):
            known = f"-{text}"
        seen.update(pattern for pattern in options if _matches(pattern, known, whole=text is not None))
    found = {options[pattern] for pattern in seen}
    found |= {symbol for patterns, symbol in _TOGETHER.get(applet, {}).items() if seen.issuperset(patterns)}
    return tuple(sorted(f"BUSYBOX_{symbol}" for symbol in found))


def _own(applet: str, arguments: Sequence[Word]) -> list[Word]:
    """The arguments that are meant for the applet itself."""
    if applet == "xargs":
        end = next((at for at, word in enumerate(arguments) if not (word.text or "").startswith("-")), len(arguments))
        return list(arguments[:end])
    if applet != "find":
        return list(arguments)
    own: list[Word] = []
    foreign = False
    for word in arguments:
        if not foreign or word.text in (";", "+"):
            own.append(word)
            foreign = False
        foreign = foreign or word.text in _STARTS_COMMAND
    return own


def _matches(pattern: str, text: str, *, whole: bool) -> bool:
    if pattern.startswith("="):
        return whole and text == pattern[1:]
    if pattern.startswith("~"):
        return pattern[1:] in text
    if pattern == "--*":
        return text.startswith("--") and len(text) > 2
    return text.startswith("-") and not text.startswith("--") and pattern[1] in text
