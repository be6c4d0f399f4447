"""The commands that say sizes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kimitui.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_size_says_components_artifacts_and_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(said(capsys, "size", "minimal", "--estimated", "--json"))
    assert data["artifacts"].keys() == {"rootfs.tar", "image.oci.tar"}
    assert data["components"].keys() == {"base", "busybox"}
    assert sum(data["components"].values()) == data["contents_bytes"] < data["total_bytes"]
    assert data["budget_bytes"] == 5_000_000
    assert data["exact"] == []
    assert "of 5.00 MB" in said(capsys, "size", "minimal", "--estimated")


def test_size_says_how_sure_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.split(maxsplit=3) for line in said(capsys, "size", "vm", "--estimated").splitlines()]
    sure = {words[0]: words[3] for words in lines if len(words) == 4}
    assert sure["busybox"].startswith("±") and sure["system.squashfs"].startswith("±")
    assert sure["vmlinuz"].startswith("±")


def test_size_says_what_differs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "less.json5"
    path.write_text('{ extends: "minimal", busybox: { FIND: false } }')
    shown = said(capsys, "size", str(path), "--against", "minimal", "--estimated")
    assert "busybox" in shown
    assert "−" in shown
    same = said(capsys, "size", "minimal", "--against", "minimal", "--estimated")
    assert same == "Both have the same size.\n"


def test_a_treemap_has_an_area_for_every_component(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "map.svg"
    said(capsys, "size", "standard", "--estimated", "--svg", str(path))
    picture = ElementTree.parse(path).getroot()
    titles = [title.text or "" for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    for component in ("busybox", "init", "base", "shell/ash.o", "musl"):
        assert any(title.startswith(f"{component}: ") for title in titles)
    areas = {
        (title.text or "").partition(":")[0]: float(box.get("width", 0)) * float(box.get("height", 0))
        for box in picture.iter("{http://www.w3.org/2000/svg}rect")
        for title in box
    }
    assert areas["busybox"] > areas["init"] > 0


def test_list_has_every_symbol_of_a_section(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(said(capsys, "list", "--symbols", "--section", "init", "--preset", "minimal", "--json"))
    assert {row["section"] for row in rows} == {"init"}
    row = next(row for row in rows if row["symbol"] == "INIT_SYSTEM_BUSYBOX")
    assert row["type"] == "bool"
    assert row["value"] == "n"
    assert row["size_bytes"] > 0


def test_a_section_that_presets_do_not_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--symbols", "--section", "kernal"]) == 2
    assert "kernel" in capsys.readouterr().err
