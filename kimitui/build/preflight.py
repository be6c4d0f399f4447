"""What can be wrong with a configuration and is found before anything is built."""

from __future__ import annotations

import shlex
from pathlib import Path

from kimitui.build.step import StepSource
from kimitui.config import Configuration
from kimitui.errors import PresetError, UsageError
from kimitui.sizes.units import parse_size


def check(config: Configuration) -> None:
    """Raise PresetError, with the place, for a text that does not say what it should: a budget, a command."""
    budget_bytes(config)
    words(config, "IMAGE_COMMAND")
    words(config, "IMAGE_ENTRYPOINT")


def needs_upstream(config: Configuration) -> bool:
    """Whether the preset sets symbols that only the upstream tree knows."""
    return bool(config.upstream["busybox"])


def check_upstream(config: Configuration, busybox: StepSource, trees: Path) -> None:
    """Raise PresetError, with the place, for what BusyBox's own tree does not know or does not allow.

    `trees` is the cache directory of upstream trees.
    """
    if needs_upstream(config):
        # Not at the top: reading a preset must not wait for what reads whole source trees.
        from kimitui.kconfig.busybox import upstream_tree

        config.validate_upstream("busybox", upstream_tree(busybox.path, trees, busybox.digest))


def budget_bytes(config: Configuration) -> int | None:
    """The size budget in bytes; None without one. Raises PresetError where it is not a size."""
    text = config.string("IMAGE_BUDGET")
    if not text:
        return None
    try:
        return parse_size(text)
    except UsageError as error:
        raise PresetError(error.what, where=config.preset.locate("image", "budget"), fix=error.fix) from error


def words(config: Configuration, symbol: str) -> tuple[str, ...]:
    """A text split as a shell would. Raises PresetError for an open quote."""
    text = config.string(symbol)
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        key = symbol.removeprefix("IMAGE_").lower()
        raise PresetError(
            f"{text!r} cannot be split into words: {error}", where=config.preset.locate("image", key)
        ) from error
