"""A step: one container run, inputs → output directory, named by the hash of everything that can influence it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kimitui.resources import BUILDER_DIR

# Part of every key. Raise it when the runner itself changes what a step sees or how its output is kept.
_FORMAT = 1


@dataclass(frozen=True)
class StepSource:
    """An upstream source for a step: an archive or a directory on the host, and the SHA-256 that names its content."""

    path: Path
    digest: str


@dataclass(frozen=True)
class InputFile:
    """A small file that appears under `/input`."""

    content: bytes
    executable: bool = False


@dataclass(frozen=True)
class Step:
    """One container run.

    `script` is a file in `builder/steps`; it appears as `/input/step.sh`, beside `lib.sh` and `files`.
    `sources` appear as `/sources/<component>`, outputs of `uses` as `/steps/<name>`, `parameters` as environment.
    `large` says that its work takes gigabytes, which belong on the disk and not into memory.
    `headers` says that other steps compile against the output, so the compiler cache must know its key.
    `verify`, called with the output directory before it enters the store, raises BuildError when the outcome is not
    what was asked for.
    """

    name: str
    arch: str
    script: str
    sources: Mapping[str, StepSource] = field(default_factory=dict)
    uses: tuple[Step, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, InputFile] = field(default_factory=dict)
    large: bool = False
    headers: bool = False
    verify: Callable[[Path], None] | None = field(default=None, compare=False)

    def inputs(self) -> dict[str, InputFile]:
        """Everything that appears under `/input`, by relative path."""
        steps = BUILDER_DIR / "steps"
        return {
            "step.sh": InputFile((steps / self.script).read_bytes()),
            "lib.sh": InputFile((steps / "lib.sh").read_bytes()),
            **self.files,
        }


def keys(steps: tuple[Step, ...], toolchain_digest: str) -> dict[str, str]:
    """The key of each step by its name: the SHA-256, in hexadecimal, of a canonical JSON of its inputs.

    `steps` must be in an order in which every step follows those it uses.
    """
    result: dict[str, str] = {}
    for step in steps:
        description = {
            "format": _FORMAT,
            "toolchain": toolchain_digest,
            "name": step.name,
            "arch": step.arch,
            "sources": {component: source.digest for component, source in step.sources.items()},
            "uses": {used.name: result[used.name] for used in step.uses},
            "parameters": dict(step.parameters),
            "inputs": {
                name: [hashlib.sha256(file.content).hexdigest(), file.executable]
                for name, file in step.inputs().items()
            },
        }
        result[step.name] = hashlib.sha256(canonical_json(description)).hexdigest()
    return result


def canonical_json(data: object) -> bytes:
    """JSON with sorted keys and no optional white space: the same data, the same bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def in_order(wanted: tuple[Step, ...]) -> tuple[Step, ...]:
    """`wanted` and all they use, each once, every step after those it uses."""
    ordered: dict[str, Step] = {}

    def visit(step: Step) -> None:
        if step.name not in ordered:
            for used in step.uses:
                visit(used)
            ordered[step.name] = step

    for step in wanted:
        visit(step)
    return tuple(ordered.values())
