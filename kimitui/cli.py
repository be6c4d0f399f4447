"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from kimitui import __version__
from kimitui.commands.common import ENGINES, cache_of, require_terminal
from kimitui.errors import CancelledError, KimituiError, MachineError, UsageError

_DESCRIPTION = """\
Configure and build Kimigayo OS images.

  kimitui [PRESET]        open the configurator
  kimitui build PRESET    build without it (also: kimitui --build PRESET)
"""
# The module under kimitui.commands that has it, and what it does.
_COMMANDS = {
    "build": ("build", "build an image from a preset"),
    "run": ("run", "start an image as a virtual machine or as a container"),
    "load": ("load", "put an image into Docker or Podman"),
    "push": ("push", "push an image to a registry, for one or several architectures"),
    "shell": ("shell", "open a shell where the components of an image are built"),
    "list": ("presets", "list the presets"),
    "check": ("presets", "check presets without building"),
    "diff": ("presets", "show what differs between two presets"),
    "suggest": ("suggest", "find the applets that shell scripts need"),
    "size": ("size", "show what an image weighs, before it is built"),
    "fit": ("fit", "propose what to give up so that an image fits into a budget"),
    "menuconfig": ("menuconfig", "edit the .config file of any Kconfig tree"),
    "sources": ("sources", "list, fetch, add and verify upstream sources"),
    "sizes": ("sizes", "measure what sizes are computed from, and compare estimates with builds"),
    "cache": ("cache", "show and prune the caches"),
    "doctor": ("doctor", "say what this machine lacks"),
}
# What can be done about an error of the operating system that nothing nearer to it explained.
_ADVICE = {
    errno.ENOSPC: "Free some space (kimitui cache prune), or put the cache elsewhere with --cache-dir.",
    errno.EDQUOT: "Free some space (kimitui cache prune), or put the cache elsewhere with --cache-dir.",
    errno.EACCES: "Give yourself the permission, or choose other directories with --cache-dir and --out.",
    errno.EPERM: "Give yourself the permission, or choose other directories with --cache-dir and --out.",
    errno.EROFS: "Choose other directories with --cache-dir and --out.",
    errno.ENOTDIR: "Something that is no directory is in the way.",
    errno.EISDIR: "A directory is where a file should be.",
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.ELOOP: "A symbolic link leads back to itself.",
    errno.EIO: "The disk is damaged, or the connection to it.",
    errno.EMFILE: "Allow more open files: ulimit -n 1024",
    errno.ENOMEM: "Free some memory.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name need not be text, and a terminal need not have every character.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options = _parse(arguments)
        command: Callable[[argparse.Namespace], int] = options.run
        code = command(options)
        if sys.stdout is not None:
            sys.stdout.flush()  # else what goes wrong with the last of it is told by Python itself, at exit
        return code
    except KeyboardInterrupt:
        print("kimitui: interrupted", file=sys.stderr)
        return CancelledError.exit_code
    except BrokenPipeError:
        _drop_output()  # its reader went away, as `head` does
        return 1
    except SystemExit:  # how argparse ends after --help
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            _drop_output()
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _drop_output()  # it may be what the full disk is for
        if debug:
            traceback.print_exc()
        shown = _shown(error)
        print(f"kimitui: {shown}", file=sys.stderr)
        return shown.exit_code


def _shown(error: Exception) -> KimituiError:
    """The error as users see it."""
    if isinstance(error, KimituiError):
        return error
    if isinstance(error, OSError) and error.errno in _ADVICE:
        where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
        return MachineError(str(error.strerror), where=where, fix=_ADVICE[error.errno])
    *_, frame = traceback.extract_tb(error.__traceback__)
    return KimituiError(
        f"{type(error).__name__}: {error}",
        where=f"{frame.filename}:{frame.lineno}",
        fix="This is a defect of kimitui. Please report it with what the same command prints with --debug.",
    )


def _drop_output() -> None:
    """Let what is still to be written go nowhere; Python would complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, fix=f"See: {self.prog} --help")


def _parse(arguments: list[str]) -> argparse.Namespace:
    common = _common()
    # What every command takes may stand before the command, too.
    given, arguments = common.parse_known_args(arguments)
    # `kimitui --build PRESET` is `kimitui build PRESET`, wherever --build stands.
    if "--build" in arguments:
        arguments = ["build", *(word for word in arguments if word != "--build")]
    if arguments and (arguments[0] in _COMMANDS or arguments[0] in ("-h", "--help", "--version")):
        return _command_parser(common, arguments[0]).parse_args(arguments, given)
    if arguments and not arguments[0].startswith("-"):
        _known_command_or_preset(arguments[0])
    return _tui_parser(common).parse_args(arguments, given)


def _command_parser(common: _Parser, wanted: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kimitui",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"kimitui {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, text) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common])
        if name == wanted:  # the others need not be imported
            getattr(importlib.import_module(f"kimitui.commands.{module}"), f"add_{name}")(command)
    return parser


def _common() -> _Parser:
    common = _Parser(prog="kimitui", add_help=False, allow_abbrev=False)
    common.add_argument(
        "--cache-dir",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="sources, toolchain and step outputs (default: $KIMITUI_CACHE, else ~/.cache/kimitui)",
    )
    common.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show where in the program an error came from",
    )
    return common


def _tui_parser(common: _Parser) -> argparse.ArgumentParser:
    parser = _Parser(prog="kimitui", description="Open the configurator.", parents=[common])
    parser.add_argument("preset", nargs="?", help="a preset's name or path")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where artifacts go (default: out)"
    )
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what runs builds (default: auto)")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    from kimitui.tui.settings import THEMES

    parser.add_argument(
        "--theme", choices=THEMES, help="colours (default: what ~/.config/kimitui/config.json5 says, else auto)"
    )
    parser.set_defaults(run=_tui)
    return parser


def _tui(options: argparse.Namespace) -> int:
    require_terminal("Without one, use: kimitui build PRESET (or kimitui --help)")
    from kimitui.tui import run

    return run(
        options.preset,
        cache_dir=cache_of(options),
        out_dir=options.out.absolute(),
        ascii_only=options.ascii,
        theme=options.theme,
        engine=options.engine,
    )


def _known_command_or_preset(word: str) -> None:
    """A misspelt command should not be answered with a list of preset directories."""
    if "/" in word or word.endswith(".json5"):
        return
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
