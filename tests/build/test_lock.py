from __future__ import annotations

import re
from pathlib import Path

import pytest

from kimitui.build import lock
from kimitui.build.lock import load_lock
from kimitui.errors import MachineError, UsageError
from kimitui.resources import BUILDER_DIR

ARCHIVE = '{ file: "a-1.tar.gz", sha256: "' + "a" * 64 + '", urls: ["https://example.org/a-1.tar.gz"] }'
GOOD = '{ a: { version: "1", licence: "MIT", description: "A", archives: [' + ARCHIVE + "] } }"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sources.json5"
    path.write_text(text)
    return path


def test_the_lock_of_this_repository() -> None:
    components = load_lock()
    assert {"linux", "musl", "busybox", "fortify-headers"} <= set(components)
    assert [archive.sha256[:8] for archive in components["linux"].archives] == ["a5f8c5be", "efc76d3c"]
    debian = components["busybox"].archives[0].debian
    assert debian and debian.version == "1:1.38.0-3"
    digests = [archive.sha256 for component in components.values() for archive in component.archives]
    assert len(digests) == len(set(digests))
    for component in components.values():
        for archive in component.archives:
            assert archive.urls or archive.debian, "must be had somewhere"
            assert component.version in archive.file_name
            assert all(url.startswith("https://") for url in archive.urls)


def test_no_file_of_the_builder_names_a_package_registry() -> None:
    for path in BUILDER_DIR.glob("*.json5"):
        assert not re.search(r"debian\.org|pypi|pythonhosted", path.read_text()), path


def test_a_small_lock(tmp_path: Path) -> None:
    component = load_lock(write(tmp_path, GOOD))["a"]
    assert (component.name, component.version, component.licence) == ("a", "1", "MIT")
    assert component.archives[0].component == "a"
    assert component.archives[0].debian is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{ a: ", "not JSON5"),
        ("[]", "must hold an object"),
        ("{ a: 1 }", "`a` must be an object"),
        (GOOD.replace("version", "versoin"), "unknown field `versoin`"),
        (GOOD.replace('"MIT"', "7"), "`licence`"),
        (GOOD.replace('description: "A",', ""), "lacks the field `description`"),
        (GOOD.replace(ARCHIVE, ""), "has no `archives`"),
        (GOOD.replace("a" * 64, "A" * 64), "64 lower-case hexadecimal digits"),
        (GOOD.replace("a-1.tar.gz", "../a-1.tar.gz"), "plain file name"),
        (GOOD.replace("https:", "file:"), "not http or https"),
        (GOOD.replace('["https://example.org/a-1.tar.gz"]', '"https://example.org"'), "must have a list"),
        (
            GOOD.replace("urls:", 'debian: { package: "--evil", version: "1", suite: "sid" }, urls:'),
            "which Debian would not accept",
        ),
    ],
)
def test_malformed(tmp_path: Path, text: str, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=re.escape(complaint)) as caught:
        load_lock(path)
    assert str(path) in str(caught.value)


def test_a_syntax_error_is_located(tmp_path: Path) -> None:
    path = write(tmp_path, '{\n  a: { version: "1" "2" },\n}\n')
    with pytest.raises(UsageError) as caught:
        load_lock(path)
    assert f"{path}:2:" in str(caught.value)


def test_no_lock(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot read"):
        load_lock(tmp_path / "sources.json5")


def test_unknown_component() -> None:
    with pytest.raises(UsageError, match="`lunix`") as caught:
        lock.get(load_lock(), "lunix")
    assert "linux" in str(caught.value)
