"""What the commands share: common options and how results are printed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from kimitui.errors import UsageError
from kimitui.resources import cache_dir

ARCHES = ("x86_64", "arm64", "riscv64", "i686")
ENGINES = ("auto", "sandbox", "docker", "podman")


def cache_of(options: argparse.Namespace) -> Path:
    """The cache directory of a command line."""
    path: Path = getattr(options, "cache_dir", None) or cache_dir()
    return path.absolute()


def add_progress(parser: argparse.ArgumentParser) -> None:
    """The option for how a build shows how far it is."""
    parser.add_argument(
        "--progress",
        choices=("auto", "rich", "plain", "json"),
        default="auto",
        help="how to show the progress of the build (default: auto)",
    )


def require_terminal(fix: str) -> None:
    """Raise UsageError, which advises `fix`, where nothing can be drawn."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the configurator needs a terminal", fix=fix)


def print_json(data: object) -> None:
    """Data as JSON on standard output."""
    print(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False))


def print_table(rows: list[list[str]]) -> None:
    """Columns as wide as their content; the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def source_override(text: str) -> tuple[str, Path]:
    """The component and the path of a --source option; UsageError if it is none."""
    component, equals, path = text.partition("=")
    if not (component and equals and path):
        raise UsageError(f"--source wants COMPONENT=PATH, not {text!r}", fix="For example: --source musl=../musl")
    return component, Path(path).absolute()
