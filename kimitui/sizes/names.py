"""What compilers call functions, variables and texts, and what their sources do."""

from __future__ import annotations

import re

_PARTS = frozenset({"part", "isra", "constprop", "cold"})
_TEXTS = re.compile(r"\.?str\d+\.\d+(#\d+)?$")


def whole(name: str) -> str:
    """The function that one is a part of, such as `getjob` for `getjob.part.0`."""
    return ".".join(word for word in name.split(".") if not word.isdigit() and word not in _PARTS)


def readable(name: str) -> str:
    """A section's name for people: `getjob.str1.1` are the texts of `getjob`; what nothing names are texts, too."""
    of_what, texts = _TEXTS.subn("", name)
    if not name or texts:
        return f"texts of {whole(of_what)}" if of_what else "texts"
    return whole(name).rpartition(".")[2]
