"""Services for OpenRC: what its scripts and runlevels say is what the definitions say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from kimitui.build import services
from kimitui.cli import main
from kimitui.config import Configuration
from kimitui.errors import MachineError, PresetError
from kimitui.services import busybox_init, openrc
from kimitui.services.files import Files
from kimitui.services.model import Service
from kimitui.services.order import start_order
from tests.services.test_order import acyclic, service

LEVELS = ("sysinit", "boot", "default")


def levels(files: Files) -> dict[str, str]:
    """The runlevel of each service."""
    places = [path.split("/") for path in files if path.startswith("etc/runlevels/")]
    assert all(files["/".join(place)].content.decode() == f"/etc/init.d/{place[-1]}" for place in places)
    found = {name: level for *_, level, name in places}
    assert len(found) == len(places)
    return found


def depends(files: Files, name: str) -> dict[str, set[str]]:
    """The words of a script's `depend`, such as need, and what they name."""
    text = files[f"etc/init.d/{name}"].content.decode()
    return {word: set(names.split()) for word, names in re.findall(r"^\t(\w+) (.*)$", text, re.MULTILINE)}


# **Feature: kimigayo-os-core, Property 24: start order follows dependencies**
@given(acyclic())
def test_for_all_acyclic_graphs_openrc_is_told_all_that_comes_before_a_service(drawn: list[Service]) -> None:
    files = openrc.render(start_order(drawn))
    found = levels(files)
    assert found.keys() == {one.name for one in drawn}
    for one in drawn:
        said = depends(files, one.name)
        assert said.get("need", set()) == set(one.needs)
        assert said.get("after", set()) == (set(one.after) - set(one.needs)) & found.keys()
        # A runlevel begins when the one before it has started.
        before = found.keys() & set(one.before)
        assert all(LEVELS.index(found[other]) <= LEVELS.index(found[one.name]) for other in before)


def test_runlevels() -> None:
    drawn = [
        service("mounts", kind="oneshot"),
        service("devices", needs=("mounts",)),
        service("network", "devices", "gone", kind="oneshot"),
        service("web", "network"),
        service("seat", kind="terminal"),
    ]
    assert levels(openrc.render(drawn)) == {
        "mounts": "sysinit",
        "devices": "boot",
        "network": "boot",
        "web": "default",
        "seat": "default",
    }


def test_how_a_service_is_run_is_the_same_on_every_init() -> None:
    drawn = [service("once", kind="oneshot"), service("always"), service("seat", kind="terminal")]
    rendered = [render(drawn, contained=True) for render in (busybox_init.render, openrc.render)]
    one, other = ({path: file for path, file in files.items() if "etc/rc/services" in path} for files in rendered)
    assert one == other and len(one) == 4
    assert b"exec contain " in one["etc/rc/services/always/run"].content


def test_it_comes_with_what_it_needs_and_can_be_checked_without_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "mine.json5"
    path.write_text('{ extends: "standard", init: { system: "openrc" } }')
    config = Configuration.open(str(path))
    assert config.choice("IMAGE_LINK") == "dynamic" and config.is_on("PACKAGE_OPENRC")
    assert main(["check", str(path)]) == 0
    assert not list((tmp_path / "cache").rglob("*openrc*"))
    assert "etc/init.d/syslogd" in services.chosen(config).files
    # Where it is to be built, somebody has to bring it.
    assert main(["build", str(path), "--offline", "--out", str(tmp_path / "out")]) == MachineError.exit_code


def test_it_is_not_linked_statically(tmp_path: Path) -> None:
    path = tmp_path / "mine.json5"
    path.write_text('{ extends: "minimal", image: { link: "static" }, init: { system: "openrc" } }')
    with pytest.raises(PresetError, match=r'image\.link cannot be "static"'):
        Configuration.open(str(path))
