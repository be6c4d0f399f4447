"""What `pip install` gives works without a checkout, and holds all that the checkout holds."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kimitui import __version__

CHECKOUT = Path(__file__).resolve().parents[1]
DATA = ("kconfig", "presets", "builder")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with kimitui installed from a wheel."""
    for needed in ("pip", "hatchling"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
    build = ["wheel", str(CHECKOUT), "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    subprocess.run([*pip, *build], check=True, cwd=wheels)
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "install", str(wheel), "--no-deps", "--no-index", "--target", str(target)], check=True)
    return target


def python(installed: Path, directory: Path, *arguments: str) -> str:
    """What Python prints that finds the installed kimitui first, and its dependencies where they are."""
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(installed), "KIMITUI_CACHE": str(directory / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(directory: Path) -> dict[str, tuple[bytes, bool]]:
    """The files below a directory, but what pip compiles: content, and whether they can be executed."""
    return {
        str(path.relative_to(directory)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }


@pytest.mark.parametrize("name", DATA)
def test_the_wheel_holds_every_file_as_it_is(installed: Path, name: str) -> None:
    ours = files(CHECKOUT / name)
    assert ours
    assert files(installed / "kimitui" / "data" / name) == ours


def test_the_wheel_holds_nothing_else(installed: Path) -> None:
    assert {path.name for path in installed.iterdir()} == {"bin", "kimitui", f"kimitui-{__version__}.dist-info"}
    assert {path.name for path in (installed / "kimitui" / "data").iterdir()} == set(DATA)
    assert {path.name for path in (installed / "bin").iterdir()} == {"kimitui"}


def test_it_works_outside_a_checkout(installed: Path, tmp_path: Path) -> None:
    where = python(installed, tmp_path, "-c", "import kimitui; print(kimitui.__file__)")
    assert where == f"{installed / 'kimitui' / '__init__.py'}\n"
    rows = json.loads(python(installed, tmp_path, "-m", "kimitui", "list", "--json"))
    assert [row["path"] for row in rows] == [
        str(installed / "kimitui" / "data" / "presets" / f"{name}.json5")
        for name in sorted(path.name.removesuffix(".json5") for path in (CHECKOUT / "presets").glob("*.json5"))
    ]
    checked = python(installed, tmp_path, "-m", "kimitui", "check", "minimal", "standard", "extended")
    assert checked == "minimal: good\nstandard: good\nextended: good\n"
    assert "busybox" in python(installed, tmp_path, "-m", "kimitui", "sources", "list")
    assert __version__ in python(installed, tmp_path, "-m", "kimitui", "--version")


WITHOUT = """
import importlib, pkgutil, sys
for name in ("hatchling", "hypothesis", "json5", "mypy", "psutil", "pytest"):
    sys.modules[name] = None
import kimitui
for module in pkgutil.walk_packages(kimitui.__path__, "kimitui."):
    if module.name != "kimitui.__main__":
        importlib.import_module(module.name)
"""


def test_nothing_of_it_needs_what_only_tests_use(installed: Path, tmp_path: Path) -> None:
    python(installed, tmp_path, "-c", WITHOUT)
