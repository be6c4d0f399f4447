"""Classes of system calls: read from `builder/seccomp`, and turned into what the kernel and container engines take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kimitui.build import definition
from kimitui.kconfig.names import nearest
from kimitui.resources import BUILDER_DIR

DIRECTORY = BUILDER_DIR / "seccomp"

# The file of all calls there are; the others put its classes together.
_EVERY_CALL = "calls.json5"
# All flags of clone that make a namespace (linux/sched.h). Whoever may not unshare must not get one this way either.
_NEW_NAMESPACES = 0x7E020000
# What a forbidden call fails with in a container; those that are not known here, as if the kernel was too old for them,
# so that a C library looks for another way.
_EPERM, _ENOSYS = 1, 38

# What libseccomp calls the architectures.
ARCHES = {"x86_64": "x86_64", "arm64": "aarch64", "riscv64": "riscv64", "i686": "x86"}


@dataclass(frozen=True)
class Classes:
    """`known` are all system calls there are, `calls` those of each class; `offered` names the classes for services."""

    known: frozenset[str]
    calls: Mapping[str, frozenset[str]]
    offered: tuple[str, ...]

    def resolve(self, wanted: str | Sequence[str]) -> frozenset[str]:
        """The calls of a class, or of a list of calls and classes: `"file"`, `["@file", "sethostname"]`.

        Raises ValueError for what is neither.
        """
        return _resolve([f"@{wanted}"] if isinstance(wanted, str) else wanted, self.known, self.calls, self.calls.get)


@cache
def load(directory: Path = DIRECTORY) -> Classes:
    """Read the classes.

    Raises UsageError for a file that is malformed, a call or class that is unknown, and a class that holds itself.
    """
    written = {
        name: definition.Fields(data, path, name, known=frozenset({"description", "calls"}))
        for path in sorted(directory.glob("*.json5"))
        for name, data in definition.read(path).items()
    }
    basic = definition.read(directory / _EVERY_CALL).keys()
    known = frozenset(call for name in basic for call in written[name].texts("calls"))
    calls: dict[str, frozenset[str]] = {}

    def resolve(name: str, outer: tuple[str, ...]) -> frozenset[str]:
        fields = written[name]
        if name in outer:
            raise fields.error(f"holds itself: {' → '.join((*outer, name))}")
        if name not in calls:
            fields.text("description")

            def inner(used: str) -> frozenset[str] | None:
                return resolve(used, (*outer, name)) if used in written else None

            try:
                calls[name] = _resolve(fields.texts("calls"), known, written, inner)
            except ValueError as error:
                raise fields.error(f"is wrong: {error}") from error
        return calls[name]

    for name in written:
        resolve(name, ())
    return Classes(known, calls, tuple(sorted(written.keys() - basic)))


def rules(calls: Iterable[str]) -> str:
    """What `builder/seccomp/filter.c` reads: a line for each call, with the condition it is allowed under."""
    allowed = frozenset(calls)
    return "".join(
        f"{call} 0 {_NEW_NAMESPACES} 0\n" if _conditional(call, allowed) else f"{call}\n" for call in sorted(allowed)
    )


def docker_profile(calls: Iterable[str], arch: str) -> dict[str, object]:
    """The profile that `docker run --security-opt seccomp=FILE` takes, for an architecture by our name.

    What is not allowed fails and ends nothing: a program in a container may be there to try.
    Source: Docker's seccomp profiles; OCI run-time specification 1.2, "seccomp".
    """
    allowed = frozenset(calls)
    always = sorted(call for call in allowed if not _conditional(call, allowed))
    profile: list[dict[str, object]] = [{"names": always, "action": "SCMP_ACT_ALLOW"}]
    if "clone" in allowed and "clone" not in always:
        condition = {"index": 0, "value": _NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
        profile.append({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [condition]})
    # Nobody can look into what clone3 is given, so it is not there, and clone is used instead.
    for error, names in ((_ENOSYS, {"clone3"} - allowed), (_EPERM, load().known - allowed - {"clone3"})):
        if names:
            profile.append({"names": sorted(names), "action": "SCMP_ACT_ERRNO", "errnoRet": error})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": _ENOSYS,
        "architectures": [f"SCMP_ARCH_{ARCHES[arch].upper()}"],
        "syscalls": profile,
    }


def _conditional(call: str, allowed: frozenset[str]) -> bool:
    return call == "clone" and "unshare" not in allowed


def _resolve(
    entries: Sequence[str],
    known: frozenset[str],
    names: Iterable[str],
    class_of: Callable[[str], frozenset[str] | None],
) -> frozenset[str]:
    result: set[str] = set()
    for entry in entries:
        if entry.startswith("@"):
            found = class_of(entry[1:])
            if found is None:
                raise ValueError(_unknown("class of system calls", entry[1:], names))
            result |= found
        elif entry in known:
            result.add(entry)
        else:
            raise ValueError(_unknown("system call", entry, known))
    return frozenset(result)


def _unknown(what: str, word: str, candidates: Iterable[str]) -> str:
    meant = nearest(word, sorted(candidates))
    return f'there is no {what} "{word}"' + (f'; did you mean "{meant}"?' if meant else "")
