"""One build from a configuration to the artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kimitui.build import contents, preflight, replaced, workshop
from kimitui.build.artifacts import boot, build_info, container, directory, image_config, oci, stored
from kimitui.build.artifacts.container import Grants
from kimitui.build.artifacts.made import Made
from kimitui.build.events import Done, Emit
from kimitui.build.plan import Phase
from kimitui.build.runner import Cancellation
from kimitui.build.workshop import Request
from kimitui.config import Configuration
from kimitui.errors import BuildError
from kimitui.sizes.units import format_size

__all__ = ["Request", "Result", "build", "build_until"]


@dataclass(frozen=True)
class Result:
    """`artifacts` maps file name to size in bytes; `budget_bytes` is None without a budget.

    `total_bytes` is what the budget is held against: the root file system, and the kernel where the image has one.
    `granted` is what a container of the image needs to be run with.
    """

    directory: Path
    reference: str
    artifacts: Mapping[str, int]
    rootfs_bytes: int
    total_bytes: int
    budget_bytes: int | None
    granted: Grants = field(default_factory=Grants)

    @property
    def counted(self) -> str:
        """What the total counts, in words."""
        return "rootfs.tar" if self.total_bytes == self.rootfs_bytes else "rootfs.tar and vmlinuz"


def build(request: Request, *, emit: Emit, cancellation: Cancellation | None = None) -> Result:
    """Build a configuration.

    Events go to `emit`, from several threads but one at a time. Raises BuildError, MachineError,
    CancelledError; the artifacts of an earlier build are then as they were.
    """
    config = request.config
    target = request.out_dir / config.name / config.choice("IMAGE_ARCH")
    preflight.check_output(target)
    with workshop.opened(request, emit=emit, cancellation=cancellation) as room:
        entries = room.run()
        made = Made(config, room.plan, entries, room.release, room.toolchain, room.sources)
        for message in _replaced(made):
            room.tell("info", message)
        rootfs_bytes = made.rootfs.stat().st_size
        total_bytes = rootfs_bytes + (kernel.stat().st_size if (kernel := boot.kernel(made)) else 0)
        budget_bytes = _check_budget(config, total_bytes, request.strict, lambda text: room.tell("warning", text))
        with directory.staged(target) as staging:
            _write_artifacts(staging, made)
            artifacts = {path.name: path.stat().st_size for path in sorted(staging.iterdir())}
        room.emit(Done(room.clock(), target, artifacts))
    return Result(target, made.reference, artifacts, rootfs_bytes, total_bytes, budget_bytes, container.grants(config))


def build_until(
    request: Request, phase: Phase, *, emit: Emit, cancellation: Cancellation | None = None
) -> dict[str, Path]:
    """Make the steps of a configuration up to a phase, and no artifacts; the directory of each one's output, by name.

    Events and errors are those of `build`.
    """
    with workshop.opened(request, emit=emit, cancellation=cancellation, phase=phase) as room:
        return {name: entry.output for name, entry in room.run().items()}


def _replaced(made: Made) -> Iterator[str]:
    files = contents.files(made.config)
    return replaced.messages(
        (made.output(made.plan.busybox) / "busybox.links").read_text(),
        {step.name: replaced.tree(made.output(step) / "root") for step in made.plan.packages},
        files.names if files else (),
    )


def _check_budget(config: Configuration, total_bytes: int, strict: bool, warn: Callable[[str], None]) -> int | None:
    budget_bytes = preflight.budget_bytes(config)
    if budget_bytes is not None and total_bytes > budget_bytes:
        message = (
            f"the image is over the budget: {format_size(total_bytes)} of {format_size(budget_bytes)}, "
            f"{format_size(total_bytes - budget_bytes)} too much"
        )
        if strict:
            raise BuildError(message, where=config.preset.path, fix="Switch something off, or raise image.budget.")
        warn(message)
    return budget_bytes


def _write_artifacts(staging: Path, made: Made) -> None:
    formats = made.config.family("IMAGE_FORMATS")
    boot.write(staging, made)
    if "rootfs" in formats:
        directory.copy(made.rootfs, staging / "rootfs.tar")
    if "oci" in formats:
        oci.write(
            staging / stored.ARCHIVE,
            config=image_config.of(made.config, made.release, made.plan.arch),
            rootfs=made.rootfs,
            layer=made.layer,
            compression=made.config.choice("IMAGE_COMPRESSION"),
        )
        container.write(staging / container.PROFILE, made)
    build_info.write(staging / build_info.NAME, made, sorted(staging.iterdir()))
    sums = "".join(f"{oci.file_digest(path)}  {path.name}\n" for path in sorted(staging.iterdir()))
    (staging / "SHA256SUMS").write_text(sums)
