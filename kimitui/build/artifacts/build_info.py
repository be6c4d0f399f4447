"""build-info.json: all that went into a build (P21)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import kimitui
from kimitui.build import elf
from kimitui.build.artifacts.made import Made
from kimitui.build.artifacts.oci import file_digest


def write(target: Path, made: Made, artifacts: Iterable[Path]) -> None:
    """Write the record to `target`; it holds no time, path or host, so that two builds can be compared with cmp."""
    busybox = made.entries[made.plan.busybox.name].output / "busybox.unstripped"
    release = made.release
    data = {
        "kimitui": kimitui.__version__,
        "release": {"version": release.version, "name": release.name, "source_date_epoch": release.source_date_epoch},
        "preset": made.config.name,
        "configuration": made.config.resolved(),
        "arch": made.plan.arch.name,
        "reference": made.reference,
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
        "programs": {"/bin/busybox": elf.read(busybox).as_data()},
        "artifacts": {path.name: {"bytes": path.stat().st_size, "sha256": file_digest(path)} for path in artifacts},
    }
    target.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
