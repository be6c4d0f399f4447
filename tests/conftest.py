"""What several tests need: the trees, and the pinned source of BusyBox."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from kimitui.build import sources
from kimitui.build import toolchain as toolchains
from kimitui.build.runner import Root
from kimitui.build.toolchain import Toolchain
from kimitui.kconfig import linux
from kimitui.kconfig.busybox import upstream_tree
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Kconfig
from kimitui.resources import cache_dir

# How long an example takes says nothing about whether it is right, and machines differ.
# The same examples every time: whether a change may land is no matter of luck. `hunt` looks elsewhere.
settings.register_profile("kimitui", deadline=None, derandomize=True)
settings.register_profile("hunt", deadline=None, max_examples=2_000, stateful_step_count=40)
settings.load_profile("kimitui")

_BUILDS = ("tests/build/", "tests/machine/")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep what builds in one process of several: its images are shared, and a build takes every core by itself.

    Marks for groups would do the same, but pytest-xdist 3.8 does not see them with pytest 9.2.
    """
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _scope
    return scheduler


def _scope(nodeid: str) -> str:
    return "builds" if nodeid.startswith(_BUILDS) else nodeid.partition("::")[0]


@pytest.fixture(scope="session")
def system_kconfig() -> Kconfig:
    """The system tree. It is shared: a test that sets values in it unsets them again."""
    return load_system_tree()


@pytest.fixture(scope="session")
def busybox_source() -> Path:
    """The archive of the pinned BusyBox, fetched if it is not in the cache."""
    cache = sources.SourceCache(cache_dir())
    return sources.fetch(sources.load_lock()["busybox"], cache, emit=lambda _event: None).path


@pytest.fixture(scope="session")
def busybox_unpacked(busybox_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the unpacked source of BusyBox."""
    directory = tmp_path_factory.mktemp("source")
    with tarfile.open(busybox_source) as archive:
        archive.extractall(directory, filter="data")
    (source,) = directory.iterdir()
    return source


@pytest.fixture(scope="session")
def busybox_generated(busybox_unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What BusyBox's own script generates from its source: `Config.in` and `Kbuild` files, `include/applets.h`."""
    directory = tmp_path_factory.mktemp("generated")
    script = busybox_unpacked / "scripts" / "gen_build_files.sh"
    subprocess.run(["sh", script, busybox_unpacked, directory], check=True, stdout=subprocess.DEVNULL)
    return directory


@pytest.fixture(scope="session")
def busybox_upstream(
    busybox_source: Path, busybox_generated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Kconfig:
    """BusyBox's upstream tree, with the generated `include/applets.h` in its directory, `srctree`.

    It is shared: a test that sets values in it unsets them again.
    """
    tree = upstream_tree(busybox_source, tmp_path_factory.mktemp("cache"), busybox_source.name)
    (Path(tree.srctree) / "include").mkdir()
    shutil.copy(busybox_generated / "include" / "applets.h", Path(tree.srctree) / "include")
    return tree


@pytest.fixture(scope="session")
def linux_source() -> Path:
    """The archive of the pinned Linux, fetched if it is not in the cache."""
    cache = sources.SourceCache(cache_dir())
    return sources.fetch(sources.load_lock()["linux"], cache, emit=lambda _event: None).path


class _LinuxTrees(dict[str, Kconfig]):
    """Each tree takes seconds to load and 200 MB, so only those that are asked for are."""

    def __init__(self, source: Path) -> None:
        super().__init__()
        self._source = source

    def __missing__(self, arch: str) -> Kconfig:
        self[arch] = linux.upstream_tree(self._source, cache_dir(), self._source.name, arch)
        return self[arch]


@pytest.fixture(scope="session")
def linux_upstream(linux_source: Path) -> dict[str, Kconfig]:
    """Linux's upstream tree by architecture, loaded when first asked for, with its files in the user's cache.

    They are shared: a test that sets values in one unsets them again.
    """
    return _LinuxTrees(linux_source)


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The toolchain of the user's cache."""
    return toolchains.ensure(cache_dir(), emit=lambda _event: None)


@pytest.fixture(scope="session")
def root(toolchain: Toolchain) -> Root:
    """The same as what steps run in."""
    return Root(toolchain.root, toolchain.digest)


@pytest.fixture(scope="session")
def probe(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static program that tries what `build/probe.c` says."""
    directory = tmp_path_factory.mktemp("probe")
    command: list[str | Path] = [
        "bwrap",
        "--unshare-all",
        *("--ro-bind", root.path, "/"),
        *("--ro-bind", Path(__file__).parent / "build", "/input"),
        *("--bind", directory, "/build"),
        *("--tmpfs", "/tmp"),
        *("gcc", "-static", "-O1", "-Wall", "-Werror", "/input/probe.c", "-o", "/build/probe"),
    ]
    subprocess.run(command, check=True)
    return directory / "probe"
