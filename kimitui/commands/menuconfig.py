"""`kimitui menuconfig`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from kimitui.commands.common import cache_of, require_terminal


def add_menuconfig(parser: argparse.ArgumentParser) -> None:
    """The options of `kimitui menuconfig`."""
    parser.add_argument(
        "kconfig",
        nargs="?",
        type=Path,
        metavar="KCONFIG",
        help="the root file of the tree, or its directory (default: ./Kconfig or ./Config.in)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="what to edit (default: $KCONFIG_CONFIG, else .config beside the tree)",
    )
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.set_defaults(run=_menuconfig)


def _menuconfig(options: argparse.Namespace) -> int:
    from kimitui.dotconfig import DotConfig, default_path, find_root

    given = options.kconfig or Path()
    kconfig = given if given.is_file() else find_root(given)
    config = DotConfig(kconfig, options.config or default_path(kconfig, os.environ), environment=os.environ)
    require_terminal("Without one, edit the .config file and run what the tree has for that, such as make oldconfig")
    from kimitui.tui import run

    code = run(config, cache_dir=cache_of(options), out_dir=Path("out").absolute(), ascii_only=options.ascii)
    for remark in config.remarks:
        print(f"kimitui: {remark}", file=sys.stderr)
    return code
