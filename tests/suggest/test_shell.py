"""What is read from a shell script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui.suggest.commands import Commands, commands
from kimitui.suggest.shell import parse


def read(text: str) -> Commands:
    return commands(parse(text.encode()))


def names(text: str) -> list[str]:
    return [command.name for command in read(text).commands]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a; b && c || d | e & f", "a b c d e f"),
        ("A=1 B=$(a) b", "b a"),
        ("if a; then b; elif ! c; then d; else e; fi", "a b c d e"),
        ("while a; do b; done; until c; do d; done", "a b c d"),
        ("for x in $(a); do b; done", "a b"),
        ("case $(a) in x|y) b ;; *) c ;; esac", "a b c"),
        ("(a); { b; }", "a b"),
        ('echo "$(a "$(b)")" `c`', "echo a b c"),
        ("echo $(( $(a) + 1 ))", "echo a"),
        ("cat <<EOF\n$(a) and `b`\nEOF\nc", "cat a b c"),
        ("cat <<'EOF'\n$(a) and `b`\nEOF\nc", "cat c"),
        ("cat <<-EOF | a\n\t$(b)\n\tEOF\nc", "cat a b c"),
        ("'a'b c\\d \\e\n\\f", "ab f"),
        ("f() { a; }; f", "a f"),
        ("# a\n: b # c", ":"),
        ("a > $(b) 2>&1", "a b"),
        ("export A=$(a)", "export a"),
        ('[ -n "$(a)" ] && b', "[ a b"),
    ],
)
def test_every_command_is_found(text: str, expected: str) -> None:
    assert sorted(names(text)) == sorted(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("find . -name x -exec a {} + -o -ok b {} ';'", "find a b"),
        ("xargs -0 -n 1 -I {} a {}", "xargs a"),
        ("xargs -n1 a", "xargs a"),
        ("env -i -u B A=1 C=2 a", "env a"),
        ("sudo -u root -- a b", "sudo a"),
        ("exec nice -n 5 nohup a", "exec nice nohup a"),
        ("timeout -s KILL 5 a", "timeout a"),
        ("chroot /mnt a", "chroot a"),
        ("flock -n /lock a; flock /lock -c 'b c'", "flock a flock b"),
        ("start-stop-daemon -S -x /usr/sbin/a -- -f", "start-stop-daemon /usr/sbin/a"),
        ("command a; command -v b; type c", "command a command type"),
        ("busybox a", "busybox a"),
        ("sh -c 'a | b'; su -c a user", "sh a b su a"),
        ("eval 'a; b'; eval c d", "eval a b eval c"),
        ("trap 'a' EXIT; trap - INT", "trap a trap"),
        ("alias x='a -l'; x", "alias a x"),
        ("find . | xargs sudo -n env A=1 sh -c 'exec a'", "find xargs sudo env sh exec a"),
    ],
)
def test_commands_that_start_others_are_looked_through(text: str, expected: str) -> None:
    assert sorted(names(text)) == sorted(expected.split())


def test_a_variable_that_only_has_values_from_the_script_is_looked_through() -> None:
    assert names("T='a -x'\n$T file") == ["a"]
    assert names("for t in a b; do $t; done") == ["a", "b"]
    assert not read("T=a; $T").unknown
    for text in ("T=a; T=$1; $T", "read -r T; T=a; $T", ": ${T:=a}; $T", "T+=a; T=b; $T"):
        assert [unknown.what for unknown in read(text).unknown] == ["the command is $T"], text


@pytest.mark.parametrize("text", ["$1 a", '"$@"', "${A:-b}", '"$A$B"', "eval $x", 'sh -c "$1"', '. "$1"', "$(a) b"])
def test_what_only_a_run_decides_is_said_with_its_line(text: str) -> None:
    assert [unknown.line for unknown in read(f"\n\n{text}\n").unknown] == [3]


def test_lines_and_functions() -> None:
    script = read("#!/bin/sh\n\nf() {\n\ta\n}\nfunction g {\n\tb\n}\n. lib/c\nd \\\n  | e\n")
    assert [(command.name, command.line) for command in script.commands] == [
        ("a", 4),
        ("b", 7),
        (".", 9),
        ("d", 10),
        ("e", 11),
    ]
    assert script.functions == {"f", "g"}
    assert script.sourced == {"c"}


def test_what_cannot_be_read_is_said_and_the_rest_is_there() -> None:
    script = read("a\nfor x do b; done\nif c; then\nd\n")
    assert script.unread
    assert {"a", "d"} <= {command.name for command in script.commands}


_PIECES = (
    "a $x 'q' \"$(b)\" `c` x=1 [ ] { } ( ) | ; && if then fi for do done case in esac <<E E ${ $(( \\ é eval find "
    "-exec xargs sh -c trap alias . env - -- '' \" ' !"
)


@given(st.lists(st.sampled_from([*_PIECES.split(), "\n"]), max_size=30).map(" ".join) | st.text(max_size=80))
def test_whatever_is_written_is_read_without_an_error(text: str) -> None:
    source = text.encode(errors="surrogateescape") if text.isprintable() else text.encode(errors="replace")
    lines = text.count("\n") + 2
    read = commands(parse(source))
    assert all(1 <= command.line <= lines for command in read.commands)
    assert all(1 <= line <= lines for line in read.unread)
