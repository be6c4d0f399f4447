"""`kimitui run`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from kimitui.commands.artifacts import add_image, directory_of
from kimitui.commands.common import ARCHES
from kimitui.errors import CancelledError, UsageError

_MIN_MEMORY_MB = 16
_MEMORY_MB = 128
_DATA_MB = 256
_MOST_PROCESSORS = 8  # that the interrupt controller of arm64's board serves


def add_run(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui run`."""
    add_image(parser)
    parser.add_argument("--arch", choices=ARCHES, help="build for this architecture instead of the preset's")
    parser.add_argument(
        "--memory", type=_megabytes, metavar="MB", help=f"the machine's memory in MiB (default: {_MEMORY_MB})"
    )
    parser.add_argument(
        "--processors", type=_processors, metavar="N", help="the machine's processors (default: 2, if there are two)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="FILE.img", help="keep changes in this disk image; it is made if it is not there"
    )
    parser.add_argument(
        "--data-size", type=_megabytes, metavar="MB", help=f"the size of a new --data in MiB (default: {_DATA_MB})"
    )
    parser.add_argument("--command", metavar="CMD", help="run this in a shell, print what it prints, and switch off")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="switch the machine off after this time")
    parser.add_argument("--append", default="", metavar="WORDS", help="further words for the kernel's command line")
    parser.add_argument(
        "--container", action="store_true", help="run the root file system in the sandbox, without a machine"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # A kernel takes minutes to build; what is wrong should be said before.
    if options.container:
        if options.data or options.data_size or options.memory or options.processors or options.append:
            given = "--data, --data-size, --memory, --processors and --append"
            raise UsageError(f"{given} are for machines, not for containers")
        from kimitui.machine import container

        directory = _directory(options)
        with ended_by_signals():
            return container.run(directory, options.command, timeout_seconds=options.timeout)

    from kimitui.machine import run
    from kimitui.machine.console import to_standard_output

    settings = run.Options(
        memory_mb=_memory_mb(options),
        processors=options.processors,
        data=options.data.absolute() if options.data else None,
        data_mb=options.data_size or _DATA_MB,
        words=tuple(options.append.split()),
        timeout_seconds=options.timeout,
    )
    directory = _directory(options)
    with ended_by_signals():
        if options.command is not None:
            return run.command(directory, options.command, settings, show=to_standard_output)
        if sys.stdin.isatty():
            print("The console of the machine; poweroff ends it, and so does Ctrl-a x.", file=sys.stderr)
        run.interactive(directory, settings, keyboard=sys.stdin.buffer, show=to_standard_output)
    return 0


def _memory_mb(options: argparse.Namespace) -> int:
    memory_mb: int = options.memory or _MEMORY_MB
    if memory_mb < _MIN_MEMORY_MB:
        raise UsageError(
            f"--memory {memory_mb} is too little for a kernel and its initramfs",
            fix=f"The smallest machine starts with --memory 32 or so; below {_MIN_MEMORY_MB} none does.",
        )
    return memory_mb


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within the block, signals that end a program do so by an error, so that what must be undone is undone."""

    def end(number: int, _frame: object) -> None:
        raise CancelledError(f"ended by {signal.Signals(number).name}")

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _directory(options: argparse.Namespace) -> Path:
    """The directory of artifacts; those of a preset are built first."""
    from kimitui.build.arch import ARCHES as ARCHES_BY_NAME
    from kimitui.config import Configuration
    from kimitui.machine import files, qemu

    def check(config: Configuration) -> None:
        files.check_formats(config, container=options.container)
        if not options.container:
            qemu.program(ARCHES_BY_NAME[config.choice("IMAGE_ARCH")])

    return directory_of(options, check, arch=options.arch)


def _megabytes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of MiB")
    return int(text)


def _processors(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _MOST_PROCESSORS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processors from 1 to {_MOST_PROCESSORS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
