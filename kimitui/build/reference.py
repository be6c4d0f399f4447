"""Names of images in engines and registries: `[HOST[:PORT]/]PATH[:TAG]`.

Source: the grammar of the reference package of the distribution project, without digests, which cannot be chosen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kimitui.errors import UsageError

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<repository>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
)


@dataclass(frozen=True)
class Reference:
    """`tag` is None where none is given."""

    repository: str
    tag: str | None = None

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}" if self.tag else self.repository


def parse(text: str) -> Reference:
    """The reference in a text. Raises UsageError for what cannot be the name of an image."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} cannot be the name of an image",
            fix="It is [HOST[:PORT]/]NAME[:TAG], the name in small letters: registry.example/team/kimigayo-os:edge",
        )
    return Reference(match["repository"], match["tag"])
