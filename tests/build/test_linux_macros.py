from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.build import engines, linux_macros, toolchain
from kimitui.build.runner import Root
from kimitui.kconfig import linux
from kimitui.resources import cache_dir


@pytest.fixture(scope="module")
def unpacked(linux_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("linux")
    linux_macros.unpack(linux_source, directory)
    (source,) = directory.iterdir()
    return source


@pytest.mark.build
@pytest.mark.parametrize("arch", linux.ARCHES)
def test_the_toolchain_answers_as_recorded(unpacked: Path, root: Root, arch: str) -> None:
    made = toolchain.find(cache_dir(), toolchain.load_definition())
    assert made and made.digest == root.digest
    answers = linux_macros.record(unpacked, arch, toolchain=made, engine=engines.choose())
    assert answers == linux.answers_file(arch).read_text(), "run tools/record-linux-macros"


@pytest.mark.build
def test_only_what_the_commands_need_is_unpacked(unpacked: Path) -> None:
    assert (unpacked / "scripts" / "cc-version.sh").is_file()
    assert not list(unpacked.rglob("*.c"))
