"""Holds the estimate against builds of presets that were not used for measuring."""

from __future__ import annotations

import json
import statistics
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.build import Request, build
from kimitui.build.events import Emit
from kimitui.sizes import draw
from kimitui.sizes.errors import FILE
from kimitui.sizes.estimate import LAYER, estimate

# Relative errors to hold: median and worst.
BARS: Mapping[str, tuple[float, float]] = {
    "busybox": (0.01, 0.03),
    "rootfs.tar": (0.01, 0.03),
    LAYER: (0.02, 0.05),
    "image.oci.tar": (0.02, 0.05),
    "system.squashfs": (0.02, 0.05),
}


@dataclass(frozen=True)
class Compared:
    """One figure of one preset: the bytes that were estimated and those that the build gave."""

    preset: str
    name: str
    estimated_bytes: int
    true_bytes: int

    @property
    def error(self) -> float:
        """The relative error, positive where too much was estimated."""
        return self.estimated_bytes / self.true_bytes - 1


@dataclass(frozen=True)
class Outcome:
    """What a comparison says of one name: how many presets, the median, 95 % and worst of the relative errors."""

    name: str
    presets: int
    median: float
    most: float
    worst: float

    @property
    def holds(self) -> bool:
        """Whether the bars are kept."""
        median, worst = BARS[self.name]
        return self.median <= median and self.worst <= worst


def compare(
    seed: int,
    numbers: Iterable[int],
    arch: str,
    cache_dir: Path,
    out_dir: Path,
    *,
    emit: Emit,
    say: Callable[[str], None],
) -> list[Compared]:
    """Draw presets, estimate and build them. Raises as `build` does."""
    found = []
    for number in numbers:
        config = draw.configuration(seed, number, arch)
        sizes = estimate(config)
        result = build(Request(config=config, cache_dir=cache_dir, out_dir=out_dir), emit=emit)
        with tarfile.open(result.directory / "rootfs.tar") as archive:
            true = {**result.artifacts, "busybox": archive.getmember("bin/busybox").size}
        with tarfile.open(result.directory / "image.oci.tar") as archive:
            true[LAYER] = max(member.size for member in archive)  # all else in there are some lines of JSON
        layer = {LAYER: sizes.layer_bytes} if sizes.layer_bytes else {}
        estimated = {**sizes.artifacts, **layer, "busybox": sizes.components.get("busybox", 0)}
        rows = [Compared(config.name, name, estimated[name], true[name]) for name in BARS if name in estimated]
        found += rows
        say(f"{config.name}: " + ", ".join(f"{row.name} {row.true_bytes:,} B {row.error:+.2%}" for row in rows))
    return found


def outcomes(rows: Sequence[Compared]) -> list[Outcome]:
    """The errors by name."""
    found = []
    for name in BARS:
        errors = sorted(abs(row.error) for row in rows if row.name == name)
        if errors:
            most = errors[min(len(errors) - 1, int(0.95 * len(errors)))]
            found.append(Outcome(name, len(errors), statistics.median(errors), most, errors[-1]))
    return found


def record(arch: str, seed: int, numbers: Sequence[int], found: Sequence[Outcome], path: Path = FILE) -> None:
    """Keep the errors beside the data, where the estimate takes its uncertainty from."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known[arch] = {
        "seed": seed,
        "presets": list(numbers),
        "errors": {
            one.name: {"median": round(one.median, 5), "most": round(one.most, 5), "worst": round(one.worst, 5)}
            for one in found
        },
    }
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
