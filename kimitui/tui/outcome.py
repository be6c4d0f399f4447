"""How a build ended, as text."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.build.state import BuildState, State, format_seconds
from kimitui.errors import KimituiError
from kimitui.sizes.units import format_size
from kimitui.tui.texts import error_text
from kimitui.tui.widgets.panel import BLANK, Paragraph

if TYPE_CHECKING:
    from kimitui.build.build import Result
    from kimitui.tui.job import Job

_BAR_WIDTH = 30
_UNTOUCHED = "Artifacts of an earlier build are as they were."


def shown_path(path: Path) -> str:
    """A path as people write it: from the current directory, or from their home directory, where it is below."""
    for base, before in ((Path.cwd(), ""), (_home(), "~/")):
        if base is not None and path.is_relative_to(base) and path != base:
            return f"{before}{path.relative_to(base)}"
    return str(path)


def outcome_text(state: State, job: Job, build: BuildState) -> list[Paragraph]:
    """What to show when a build has ended."""
    warnings = [
        Paragraph(message.text, "warn", "! ", "warn") for message in build.messages if message.level == "warning"
    ]
    if warnings:
        warnings.append(BLANK)
    if state is State.CANCELLED:
        again = "What was finished stays in the cache: r builds again and goes on from there."
        title = Paragraph(f"Cancelled after {format_seconds(job.seconds)}", "warn", "– ", "warn")
        return [title, BLANK, Paragraph(again), Paragraph(_UNTOUCHED)]
    if state is State.FAILED:
        return [*warnings, *_failure(job.error), BLANK, Paragraph(_UNTOUCHED, "dim")]
    if job.result is None:
        return warnings
    return [*_success(job.result, job.seconds), *warnings]


def _success(result: Result, seconds: float) -> list[Paragraph]:
    text = [Paragraph(f"Built in {format_seconds(seconds)}", "good", "✓ ", "good"), BLANK]
    width = max((len(name) for name in result.artifacts), default=0)
    directory = shown_path(result.directory)
    text.append(Paragraph(f"{directory}/", "strong"))
    for name, size_bytes in result.artifacts.items():
        text.append(Paragraph(f"  {name:<{width}}  {format_size(size_bytes):>9}", verbatim=True))
    text += [BLANK, *_size(result)]
    archive = next((name for name in result.artifacts if name.endswith("oci.tar")), None)
    if archive:
        from kimitui.build.artifacts import container

        # A shell would not expand ~ within the word.
        profile = (str(result.directory) if directory.startswith("~") else directory) + f"/{container.PROFILE}"
        text += [
            BLANK,
            Paragraph(f"docker load -i {directory}/{archive}", "value"),
            Paragraph(container.run_line(result.reference, profile, result.granted), "value"),
        ]
    return [*text, BLANK]


def _size(result: Result) -> list[Paragraph]:
    size = format_size(result.total_bytes)
    what = "The root file system is" if result.total_bytes == result.rootfs_bytes else "Root file system and kernel are"
    if not result.budget_bytes:
        return [Paragraph(f"{what} {size}; there is no budget.")]
    share = result.total_bytes / result.budget_bytes
    filled = min(_BAR_WIDTH, round(share * _BAR_WIDTH))
    over = result.total_bytes > result.budget_bytes
    difference = format_size(abs(result.budget_bytes - result.total_bytes))
    words = f"{difference} too much" if over else f"{difference} left"
    style = "bad" if over else "good"
    return [
        Paragraph(f"{what} {size} of {format_size(result.budget_bytes)}: {words}.", style if over else ""),
        Paragraph(f"[{'█' * filled}{'░' * (_BAR_WIDTH - filled)}] {share:.0%}", style, verbatim=True),
    ]


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _failure(error: BaseException | None) -> list[Paragraph]:
    if isinstance(error, KimituiError):
        return error_text(error)
    if error is None:
        return []
    lines = traceback.format_exception(error)
    text = [Paragraph("kimitui itself failed; please report this", "bad", "✗ ", "bad"), BLANK]
    return text + [Paragraph(line, "dim", verbatim=True) for part in lines for line in part.rstrip().splitlines()]
