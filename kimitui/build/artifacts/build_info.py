"""build-info.json: all that went into a build (P21)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import kimitui
from kimitui.build import elf
from kimitui.build.artifacts import container
from kimitui.build.artifacts.made import Made
from kimitui.build.artifacts.oci import file_digest
from kimitui.build.step import Step


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
        "run": container.run_line(made.reference, container.PROFILE) if made.config.is_on("IMAGE_FORMAT_OCI") else None,
        "sources": {
            name: {"version": source.version, "sha256": source.digest, "local": source.local}
            for name, source in made.sources.items()
        },
        "toolchain": {
            "digest": made.toolchain.digest,
            "definition": made.toolchain.definition_digest,
            "packages": dict(made.toolchain.packages),
        },
        "steps": {step.name: made.entries[step.name].key for step in made.plan.steps},
        "programs": {path: elf.read(program).as_data() for path, program in _programs(made).items()},
        "containment": _containment(made),
        "artifacts": {path.name: {"bytes": path.stat().st_size, "sha256": file_digest(path)} for path in artifacts},
    }
    target.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")


def _programs(made: Made) -> dict[str, Path]:
    """The programs with their symbols, by the path in the image."""
    return {
        "/bin/busybox": made.entries[made.plan.busybox.name].output / "busybox.unstripped",
        **{path: file for step in made.plan.containment for path, file in _files(made, step, "unstripped").items()},
    }


def _containment(made: Made) -> dict[str, int]:
    """What contains services, by the path in the image, with its size in bytes."""
    return {
        path: file.stat().st_size for step in made.plan.containment for path, file in _files(made, step, "root").items()
    }


def _files(made: Made, step: Step, part: str) -> dict[str, Path]:
    root = made.entries[step.name].output / part
    return {f"/{path.relative_to(root)}": path for path in sorted(root.rglob("*")) if path.is_file()}
