"""What the app is compared with, and the tree that all of them open: BusyBox's own."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from kimitui.build import sources
from kimitui.resources import cache_dir

ESPRESSIF = "esp-idf-kconfig==3.14.0"  # has esp_menuconfig


def busybox_tree(directory: Path) -> Path:
    """BusyBox's source with what is generated in it: `Config.in` in all directories."""
    archive = sources.fetch(sources.load_lock()["busybox"], sources.SourceCache(cache_dir()), emit=lambda _event: None)
    with tarfile.open(archive.path) as opened:
        opened.extractall(directory, filter="data")
    (tree,) = directory.iterdir()
    subprocess.run(["sh", "scripts/gen_build_files.sh", ".", "."], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    return tree


def thousand_rows(directory: Path) -> Path:
    """A Kconfig file with one menu of 1,000 options, every tenth of which needs the one before it."""
    blocks = ['mainmenu "A thousand"\n']
    for number in range(1000):
        needs = f"\tdepends on OPTION_{number - 1}\n" if number % 10 == 9 else ""
        blocks.append(
            f'config OPTION_{number}\n\tbool "option {number}: does one thing of a thousand"\n\tdefault y\n{needs}'
            f"\thelp\n\t  What option {number} does, and who needs it.\n"
        )
    path = directory / "Kconfig"
    path.write_text("\n".join(blocks))
    return path


def esp_menuconfig(directory: Path) -> Sequence[str]:
    """Espressif's menuconfig, installed into `directory`: the command that opens a Kconfig file."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    python = str(directory / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ESPRESSIF], check=True)
    return [python, "-m", "esp_menuconfig"]


def kconfiglib_menuconfig() -> Sequence[str]:
    """The menuconfig that comes with kconfiglib."""
    return [sys.executable, "-m", "menuconfig"]


def kimitui(*arguments: str) -> Sequence[str]:
    """Ours."""
    return [sys.executable, "-m", "kimitui", *arguments]
