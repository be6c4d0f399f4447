# SPDX-License-Identifier: GPL-2.0-only
"""Compiles BusyBox's objects with other flags, and links them in other ways.

Runs in the sandbox, in BusyBox's tree. `/input/flags.json` has `base`, the words that the commands have now; `compile`,
by name, the words to have instead; `link`, by name, the words to link with. Objects go to /output/flags.tar as
`<name>/<object>`, programs to /output/linked-<name>, stripped.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_ORDER = ("-Wl,--sort-common", "-Wl,--sort-section,alignment", "-Wl,--gc-sections")


def main() -> None:
    """Compile and link what is wanted."""
    wanted = json.loads(Path("/input/flags.json").read_text())
    base = set(wanted["base"])
    commands = {}
    for file in sorted(Path().rglob(".*.o.cmd")):
        target, _, command = file.read_text().splitlines()[0].removeprefix("cmd_").partition(" := ")
        if " -c " in command and not target.startswith(("scripts/", "applets/usage")):
            words = [word for word in shlex.split(command) if not word.startswith("-Wp,-MD") and word not in base]
            commands[target] = words
    objects = [name for name in sorted(commands) if Path(name).exists()]
    tasks = [(name, words, target) for name, words in sorted(wanted["compile"].items()) for target in objects]

    def compiled(task: tuple[str, list[str], str]) -> tuple[str, bytes]:
        name, words, target = task
        place = Path("/build/flags") / name / target.replace("/", "-")
        place.parent.mkdir(parents=True, exist_ok=True)
        command = commands[target]
        argv = [*command[: command.index("-o")], *words, "-w", "-o", str(place), *command[command.index("-o") + 2 :]]
        subprocess.run(argv, check=True)
        return f"{name}/{target}", place.read_bytes()

    with tarfile.open("/output/flags.tar", "w") as archive, ThreadPoolExecutor(int(os.environ["JOBS"])) as pool:
        for path, content in pool.map(compiled, tasks):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    strip = f"{os.environ['TRIPLE']}-strip"
    for name, words in sorted(wanted["link"].items()):
        program = f"/build/linked-{name}"
        subprocess.run(
            ["/build/cc", *words, "-o", program, *_ORDER, "-Wl,--start-group", *objects, "-Wl,--end-group"], check=True
        )
        subprocess.run(
            [
                strip,
                "--strip-all",
                "--remove-section=.note",
                "--remove-section=.comment",
                "-o",
                f"/output/linked-{name}",
                program,
            ],
            check=True,
        )


if __name__ == "__main__":
    main()
