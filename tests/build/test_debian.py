from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.build import debian


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that was never updated; write its sources.list into the returned file."""
    (tmp_path / "lists").mkdir()
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\n'
        'Dir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{tmp_path}/lists";\n'
        'Acquire::http::Proxy "http://127.0.0.1:3142";\n'
        'Acquire::https::Proxy::mirror.example "DIRECT";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return tmp_path / "sources.list"


@pytest.mark.parametrize(
    ("lines", "uri"),
    [
        ("deb http://mirror.example/debian bookworm main", "http://mirror.example/debian/"),
        ("deb http://mirror.example/pub/debian/ stable main contrib", "http://mirror.example/pub/debian/"),
        (
            "deb https://vendor.example/linux/debian bookworm stable\n"
            "deb http://mirror.example/debian-security bookworm-security main\n"
            "deb http://mirror.example/debian bookworm main",
            "http://mirror.example/debian/",
        ),
    ],
)
def test_the_mirror_of_a_machine_that_was_never_updated(apt: Path, lines: str, uri: str) -> None:
    apt.write_text(lines + "\n")
    assert debian.mirror().uri == uri


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "deb http://mirror.example/ubuntu noble main",
        "deb http://mirror.example/debian-security bookworm-security main",
        "deb https://vendor.example/linux/debian bookworm stable",
    ],
)
def test_no_debian_mirror(apt: Path, lines: str) -> None:
    apt.write_text(lines + "\n")
    with pytest.raises(debian.NoMirrorError, match="no Debian mirror"):
        debian.mirror()


def test_no_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(debian.NoMirrorError, match="apt-get is not installed"):
        debian.mirror()
    assert debian.proxy_settings() == ()


def test_proxies_are_kept(apt: Path) -> None:
    assert debian.proxy_settings() == (
        'Acquire::http::Proxy "http://127.0.0.1:3142";',
        'Acquire::https::Proxy::mirror.example "DIRECT";',
    )


def test_a_line_for_sources_list() -> None:
    mirror = debian.Mirror("http://mirror.example/debian/", Path("/keyring.gpg"))
    assert mirror.source_line("deb-src", "sid") == (
        "deb-src [signed-by=/keyring.gpg] http://mirror.example/debian/ sid main"
    )
