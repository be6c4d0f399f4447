"""A command's output comes out of a console as the command wrote it, whatever is printed around it."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kimitui.machine.remote import Command, Reader

NONCE = b"0123456789abcdef"
BEGIN, END = b"\x1ebegin " + NONCE, b"\x1eend " + NONCE


def printed(data: bytes) -> bytes:
    """What a serial terminal prints for `data`."""
    return data.replace(b"\n", b"\r\n")


def read(stream: bytes, cuts: list[int]) -> tuple[bytes, int | None]:
    """What a reader makes of `stream` when it comes in pieces."""
    reader = Reader(NONCE)
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    found = b"".join(reader.feed(stream[start:end]) for start, end in pairwise(places))
    return found, reader.status


@given(
    st.binary(max_size=80),
    st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\x1e", b"\x1eend ", b"\xff", BEGIN, NONCE[:5]]), max_size=30),
    st.integers(0, 255),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_output_is_byte_for_byte_what_was_written(
    before: bytes, parts: list[bytes], status: int, cuts: list[int]
) -> None:
    output = b"".join(parts)
    stream = before + printed(BEGIN + b"\n" + output + END + b" %d\n" % status) + b"The system is going down NOW!\r\n"
    assert read(stream, cuts) == (output, status)


@given(st.binary(max_size=200), st.lists(st.integers(0, 400), max_size=5))
def test_without_a_begin_there_is_no_output(noise: bytes, cuts: list[int]) -> None:
    assert read(noise, cuts) == (b"", None)


def test_output_is_passed_on_while_the_command_runs() -> None:
    reader = Reader(NONCE)
    assert reader.feed(printed(BEGIN + b"\nfirst\n")) == b"first\n"
    assert reader.begun
    assert reader.status is None


def test_the_initramfs_carries_the_command(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"the rest")
    command = Command("printf '%s|' \"it's\" $((6*7)); exit 3")
    archive = command.initramfs(plain, tmp_path / "both")
    content = archive.read_bytes()
    assert content.endswith(b"the rest")
    assert (len(content) - len(b"the rest")) % 4 == 0  # where Linux looks for the next archive
    archive.write_bytes(content.removesuffix(b"the rest"))
    (tmp_path / "root").mkdir()
    with archive.open("rb") as file:
        subprocess.run(
            ["cpio", "--extract", "--quiet", "--make-directories"], stdin=file, cwd=tmp_path / "root", check=True
        )
    script = (tmp_path / "root/kimigayo/command").read_text()
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert re.fullmatch(rb"\x1ebegin \w+\nit's\|42\|\x1eend \w+ 3\n", done.stdout)
    reader = command.reader()
    assert reader.feed(printed(done.stdout)) == b"it's|42|"
    assert reader.status == 3
