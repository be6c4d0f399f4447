"""What the toolchain answers to the commands in Linux' Kconfig files, found out in the sandbox.

`tools/record-linux-macros` writes it down for `kimitui.kconfig.linux`.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from kimitui.build.arch import ARCHES
from kimitui.build.engines.base import Engine, Job, Mount
from kimitui.build.toolchain import Toolchain
from kimitui.kconfig import linux

_INSIDE = "/sources/linux"


def unpack(archive: Path, directory: Path) -> None:
    """Unpack what the commands need, Kconfig files and scripts, of the archive of a Linux source to `directory`."""
    with tarfile.open(archive, "r|*") as members:
        for member in members:
            name = Path(member.name).name
            if member.isfile() and (name.startswith("Kconfig") or name == linux.MAKEFILE or name.endswith(".sh")):
                members.extract(member, directory, filter="data")


def record(source: Path, arch: str, *, toolchain: Toolchain, engine: Engine) -> str:
    """The text of `linux.answers_file(arch)`: every command of the Linux source unpacked at `source`, answered.

    With it goes what the answers depend on: the version of Linux, and of the compiler's packages.
    """
    source = source.absolute()
    environment = linux.environment(source, arch)
    answers: dict[str, str] = {}

    def answer(command: str) -> str:
        command = command.replace(str(source), linux.SRCTREE)
        if command not in answers:
            job = Job(
                root=toolchain.root,
                argv=("/bin/sh", "-c", f"exec 2>/dev/null\n{command.replace(linux.SRCTREE, _INSIDE)}"),
                env={**environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
                mounts=(Mount(source, _INSIDE),),
            )
            execution = engine.start(job)
            answers[command] = " ".join(execution.lines()).rstrip()
            execution.wait()  # a command that fails prints its answer, too, or its answer is nothing
        return answers[command]

    linux.load_tree(source, arch, shell=answer)
    triple = ARCHES[arch].triple.replace("_", "-")
    packages = {
        name: version
        for name, version in toolchain.packages.items()
        if name.endswith(f"-{triple}") and name.startswith(("gcc-1", "binutils-"))
    }
    recorded = {"linux": environment["KERNELVERSION"], "packages": packages, "answers": answers}
    return json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
