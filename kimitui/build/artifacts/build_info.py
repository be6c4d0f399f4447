"""build-info.json: all that went into a build (P21)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import kimitui
from kimitui.build import elf, replaced
from kimitui.build.arch import ARCHES
from kimitui.build.artifacts import container
from kimitui.build.artifacts.made import Made
from kimitui.build.artifacts.oci import file_digest
from kimitui.build.step import Step
from kimitui.errors import UsageError

NAME = "build-info.json"


def read(directory: Path) -> dict[str, Any]:
    """The record in a directory of artifacts; UsageError where there is none, or none of ours."""
    path = directory / NAME
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if record["arch"] in ARCHES:
            return record
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"there is no {NAME}, so this is not what kimitui build made",
            where=directory,
            fix="Give a preset, or a directory such as out/vm/x86_64.",
        ) from None
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{NAME} is not as kimitui build writes it", where=path)


def write(target: Path, made: Made, artifacts: Iterable[Path]) -> None:
    """Write the record to `target`; it holds no time, path or host, so that two builds can be compared with cmp."""
    release = made.release
    data = {
        "kimitui": kimitui.__version__,
        "release": {"version": release.version, "name": release.name, "source_date_epoch": release.source_date_epoch},
        "preset": made.config.name,
        "configuration": made.config.resolved(),
        "arch": made.plan.arch.name,
        "reference": made.reference,
        "run": _run_line(made) if made.config.is_on("IMAGE_FORMAT_OCI") else None,
        "sources": {
            name: {"version": source.version, "sha256": source.digest, "local": source.local}
            for name, source in made.sources.items()
        },
        "toolchain": {
            "digest": made.toolchain.digest,
            "definition": made.toolchain.definition_digest,
            "made_by": made.toolchain.made_by,
            "packages": dict(made.toolchain.packages),
        },
        "steps": {step.name: made.entries[step.name].key for step in made.plan.steps},
        "packages": {
            step.name: {
                "version": made.sources[step.name].version,
                "files": {f"/{path}": file.lstat().st_size for path, file in _files(made, step, "root")},
            }
            for step in made.plan.packages
        },
        "programs": {path: elf.read(program).as_data() for path, program in _programs(made).items()},
        "containment": {
            f"/{path}": file.stat().st_size
            for step in made.plan.containment
            for path, file in _files(made, step, "root")
        },
        "artifacts": {path.name: {"bytes": path.stat().st_size, "sha256": file_digest(path)} for path in artifacts},
    }
    target.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")


def _run_line(made: Made) -> str:
    return container.run_line(made.reference, container.PROFILE, container.grants(made.config))


def _programs(made: Made) -> dict[str, Path]:
    """The programs with their symbols, by the path in the image."""
    steps = (*made.plan.packages, *made.plan.containment)
    beside = {f"/{path}": file for step in steps for path, file in _files(made, step, "unstripped")}
    return {"/bin/busybox": made.output(made.plan.busybox) / "busybox.unstripped", **beside}


def _files(made: Made, step: Step, part: str) -> list[tuple[str, Path]]:
    root = made.output(step) / part
    return [(path, root / path) for path in sorted(replaced.tree(root))]
