from __future__ import annotations

from pathlib import Path

import pytest

from kimitui import resources
from kimitui.errors import KimituiError
from kimitui.tui import settings


@pytest.fixture
def directory(project: Path) -> Path:
    directory = project / "config" / "kimitui"
    directory.mkdir(parents=True)
    return directory


def test_without_files_everything_is_as_declared(project: Path) -> None:
    read = settings.read()
    assert (read.theme, read.keys, read.problems) == ("auto", {}, [])


def test_mistakes_are_named_with_their_place_and_the_rest_is_taken(directory: Path) -> None:
    (directory / "config.json5").write_text('{\n  theme: "light",\n  colour: 1,\n}\n')
    (directory / "keys.json5").write_text("{ a: }")
    read = settings.read()
    assert read.theme == "light" and read.keys == {}
    setting, keys = read.problems
    assert 'no setting "colour"' in setting.what and str(setting.where).endswith("config.json5:3:3")
    assert "not JSON5" in keys.what and ":1:6" in str(keys.where)


@pytest.mark.parametrize("text", ['{ theme: "pink" }', "{ theme: 1 }"])
def test_a_theme_there_is_not(directory: Path, text: str) -> None:
    (directory / "config.json5").write_text(text)
    read = settings.read()
    assert read.theme == "auto" and "high-contrast" in (read.problems[0].fix or "")


@pytest.mark.parametrize("text", ["[1]", "1", "", "\0"])
def test_what_is_no_object_is_a_problem(directory: Path, text: str) -> None:
    (directory / "keys.json5").write_text(text)
    assert len(settings.read().problems) == 1


def test_bytes_that_are_no_text(directory: Path) -> None:
    (directory / "keys.json5").write_bytes(b"\xff")
    assert "not UTF-8" in settings.read().problems[0].what


def test_the_theme_is_written_and_the_rest_stays(directory: Path) -> None:
    path = directory / "config.json5"
    path.write_text("{\n  // mine\n  'theme': 'dark', // why not\n}\n")
    settings.save_theme("light")
    assert path.read_text() == "{\n  // mine\n  'theme': \"light\", // why not\n}\n"


def test_what_would_be_lost_is_not_written(directory: Path) -> None:
    path = directory / "config.json5"
    text = '{ /* theme: "x" */ theme: "dark" }'
    path.write_text(text)
    with pytest.raises(KimituiError, match="could not be written"):
        settings.save_theme("light")
    assert path.read_text() == text


def test_a_relative_directory_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert resources.config_dir() == Path("/home/somebody/.config/kimitui")
