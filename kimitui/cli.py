"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from kimitui import __version__
from kimitui.commands.common import cache_of
from kimitui.errors import CancelledError, KimituiError, MachineError, UsageError

_DESCRIPTION = """\
Configure and build Kimigayo OS images.

  kimitui [PRESET]        open the configurator
  kimitui build PRESET    build without it (also: kimitui --build PRESET)
"""
# The module under kimitui.commands that has it, and what it does.
_COMMANDS = {
    "build": ("build", "build an image from a preset"),
    "list": ("presets", "list the presets"),
    "check": ("presets", "check presets without building"),
    "diff": ("presets", "show what differs between two presets"),
    "sources": ("sources", "list, fetch, add and verify upstream sources"),
    "cache": ("cache", "show and prune the caches"),
    "doctor": ("doctor", "say what this machine lacks"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        options = _parse(arguments)
        command: Callable[[argparse.Namespace], int] = options.run
        return command(options)
    except KimituiError as error:
        if debug:
            raise
        print(f"kimitui: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("kimitui: interrupted", file=sys.stderr)
        return CancelledError.exit_code
    except BrokenPipeError:
        # The reader of our output went away, as `head` does. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if debug or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        refused = MachineError(f"{error.strerror}", where=str(error.filename) if error.filename else None)
        print(f"kimitui: {refused}", file=sys.stderr)
        return refused.exit_code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, fix=f"See: {self.prog} --help")


def _parse(arguments: list[str]) -> argparse.Namespace:
    # `kimitui --build PRESET` is `kimitui build PRESET`, wherever --build stands.
    if "--build" in arguments:
        arguments = ["build", *(word for word in arguments if word != "--build")]
    common = _common()
    if arguments and arguments[0] not in _COMMANDS and arguments[0] not in ("-h", "--help", "--version"):
        return _tui_parser(common).parse_args(arguments)
    if not arguments:
        return _tui_parser(common).parse_args([])
    parser: argparse.ArgumentParser = _Parser(
        prog="kimitui",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"kimitui {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, text) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common])
        if name == arguments[0]:  # the others need not be imported
            getattr(importlib.import_module(f"kimitui.commands.{module}"), f"add_{name}")(command)
    return parser.parse_args(arguments)


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--cache-dir",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="sources, toolchain and step outputs (default: $KIMITUI_CACHE, else ~/.cache/kimitui)",
    )
    common.add_argument(
        "--debug", action="store_true", default=False, help="show where in the program an error came from"
    )
    return common


def _tui_parser(common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser = _Parser(prog="kimitui", description="Open the configurator.", parents=[common])
    parser.add_argument("preset", nargs="?", help="a preset's name or path")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where artifacts go (default: out)"
    )
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.set_defaults(run=_tui)
    return parser


def _tui(options: argparse.Namespace) -> int:
    if options.preset is not None and "/" not in options.preset and not options.preset.endswith(".json5"):
        _known_command_or_preset(options.preset)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the configurator needs a terminal", fix="Without one, use: kimitui build PRESET (or kimitui --help)"
        )
    from kimitui.tui import run

    return run(options.preset, cache_dir=cache_of(options), out_dir=options.out.absolute(), ascii_only=options.ascii)


def _known_command_or_preset(word: str) -> None:
    """A misspelt command should not be answered with a list of preset directories."""
    from kimitui.kconfig.names import nearest
    from kimitui.preset import find

    try:
        find(word)
    except KimituiError:
        if (command := nearest(word, _COMMANDS)) is not None:
            raise UsageError(
                f"{word} is neither a command nor a preset", fix=f"Did you mean: kimitui {command}"
            ) from None
        raise
