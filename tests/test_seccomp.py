"""Classes of system calls, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui import seccomp
from kimitui.build import definition
from kimitui.errors import UsageError

CLASSES = seccomp.load()


def test_every_call_is_in_one_class_and_sorted() -> None:
    data = definition.read(seccomp.DIRECTORY / "calls.json5")
    lists = [entry["calls"] for entry in data.values() if isinstance(entry, dict)]
    assert all(calls == sorted(calls) for calls in lists)
    calls = [call for each in lists for call in each]
    assert len(calls) == len(set(calls)) == len(CLASSES.known)
    assert not [call for call in calls if call.startswith("@")]


def test_what_a_class_must_have_and_must_not() -> None:
    assert {"execve", "exit_group", "write", "writev"} <= CLASSES.calls["base"]  # what the launcher still does
    assert set(CLASSES.offered) == {
        *("base", "file", "program", "network-client", "network-server", "container", "session", "system")
    }
    for call in ("mount", "unshare", "keyctl", "reboot", "init_module", "ptrace", "bpf", "settimeofday", "clone3"):
        assert call not in CLASSES.calls["container"], call
    for name in CLASSES.offered:
        assert CLASSES.calls["base"] <= CLASSES.calls[name]
        assert not {"kexec_load", "bpf", "ptrace", "keyctl", "iopl", "userfaultfd"} & CLASSES.calls[name], name


def test_a_list_of_calls_and_classes() -> None:
    assert CLASSES.resolve("file") == CLASSES.calls["file"]
    assert CLASSES.resolve(["@host-name", "read"]) == {"sethostname", "setdomainname", "read"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("fiel", 'there is no class of system calls "fiel"; did you mean "file"?'),
        (["@fiel"], 'there is no class of system calls "fiel"; did you mean "file"?'),
        (["opennat"], 'there is no system call "opennat"; did you mean "openat"?'),
        (["xyzzy"], 'there is no system call "xyzzy"'),
    ],
)
def test_what_does_not_exist(wanted: str | list[str], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message.replace('?', '[?]')}$"):
        CLASSES.resolve(wanted)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (
            '{ a: { description: "A", calls: ["@b"] }, b: { description: "B", calls: ["@a"] } }',
            "holds itself: a → b → a",
        ),
        ('{ a: { description: "A", calls: ["@io"] } }', "there is no class"),
        ('{ a: { description: "A", calls: ["raed"] } }', 'did you mean "read"'),
        ('{ a: { calls: ["read"] } }', "lacks the field `description`"),
        ('{ a: { description: "A", call: [] } }', "unknown field `call`"),
        ("{ a: [] }", "must be an object"),
    ],
)
def test_a_wrong_file_is_an_error_with_its_place(tmp_path: Path, classes: str, message: str) -> None:
    (tmp_path / "calls.json5").write_text('{ input: { description: "Reading", calls: ["read"] } }')
    (tmp_path / "classes.json5").write_text(classes)
    with pytest.raises(UsageError) as caught:
        seccomp.load(tmp_path)
    assert message in str(caught.value)
    assert "classes.json5" in str(caught.value)


def test_clone_makes_no_namespaces_unless_unshare_may() -> None:
    assert "clone 0 2114060288 0\n" in seccomp.rules(CLASSES.calls["program"])
    assert "clone\n" in seccomp.rules(CLASSES.calls["system"])


def names(profile: dict[str, object], action: str) -> list[str]:
    data = json.loads(json.dumps(profile))
    return [name for rule in data["syscalls"] if rule["action"] == action for name in rule["names"]]


@given(st.frozensets(st.sampled_from(sorted(CLASSES.known))), st.sampled_from(sorted(seccomp.ARCHES)))
def test_a_docker_profile_knows_every_call_once(calls: frozenset[str], arch: str) -> None:
    profile = seccomp.docker_profile(calls, arch)
    allowed, refused = names(profile, "SCMP_ACT_ALLOW"), names(profile, "SCMP_ACT_ERRNO")
    assert sorted(allowed) == sorted(calls)
    assert sorted(allowed + refused) == sorted(CLASSES.known)
    assert profile["architectures"] == [f"SCMP_ARCH_{seccomp.ARCHES[arch].upper()}"]
    assert seccomp.rules(calls).count("\n") == len(calls)
