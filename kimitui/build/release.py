"""The release of Kimigayo OS that the builder makes (`builder/release.json5`)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from kimitui.build import definition
from kimitui.errors import UsageError
from kimitui.resources import BUILDER_DIR


@dataclass(frozen=True)
class Release:
    """`source_date_epoch` is in seconds since 1970."""

    version: str
    name: str
    source_date_epoch: int


def load(path: Path = BUILDER_DIR / "release.json5") -> Release:
    """The release, with SOURCE_DATE_EPOCH from the environment if it is set.

    Raises UsageError for a malformed file or variable.
    """
    fields = definition.Fields(
        definition.read(path), path, path.name, known=frozenset({"version", "name", "source_date_epoch"})
    )
    epoch = fields.value("source_date_epoch")
    if not isinstance(epoch, int) or epoch < 0:
        raise fields.error("must have a number of seconds as `source_date_epoch`")
    release = Release(fields.text("version"), fields.text("name"), epoch)
    # The one variable of the host that may change an image: https://reproducible-builds.org/specs/source-date-epoch/
    override = os.environ.get("SOURCE_DATE_EPOCH")
    if override is None:
        return release
    if not override.isascii() or not override.isdigit():
        raise UsageError(f"SOURCE_DATE_EPOCH is not a number of seconds since 1970: {override!r}")
    return replace(release, source_date_epoch=int(override))
