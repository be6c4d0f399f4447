"""BusyBox's applets as its generated headers list them, and the tables that the program has of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# IF_LS(APPLET_NOEXEC(ls, ls, BB_DIR_BIN, BB_SUID_DROP, ls)), with further IF_ around it for some; and some are between
# #if ENABLE_FEATURE_TFTP_GET || ENABLE_FEATURE_TFTP_PUT and #endif.
_LINE = re.compile(
    r"^#if (?P<any>ENABLE_[A-Z0-9_]+(?: \|\| ENABLE_[A-Z0-9_]+)*)$"
    r"|^(?P<end>#endif)"
    r"|^(?P<conditions>(?:IF_[A-Z0-9_]+\(\s*)+)"
    r"APPLET(?P<form>|_ODDNAME|_NOEXEC|_NOFORK|_SCRIPTED)\(\s*(?P<words>.*?)\)\)",
    re.MULTILINE,
)
_ENABLED = re.compile(r"ENABLE_([A-Z0-9_]+)")
_DIRECTORIES = {
    "BB_DIR_BIN": "/bin",
    "BB_DIR_SBIN": "/sbin",
    "BB_DIR_USR_BIN": "/usr/bin",
    "BB_DIR_USR_SBIN": "/usr/sbin",
    "BB_DIR_ROOT": "",
}
SCRIPTED = "scripted_main"  # what runs the applets that are scripts
# Sections of the program that hold one entry for every applet; see `table_bytes`.
TABLES = ("applet_main", "applet_names", "applet_nameofs", "applet_flags", "applet_suid", "applet_install_loc")
USAGE = ("packed_usage", "usage_messages")


@dataclass(frozen=True)
class Applet:
    """An applet: the literals under which it is there, the function that is its program, and where its link goes."""

    name: str
    conditions: tuple[str, ...]
    main: str
    directory: str

    @property
    def link(self) -> str:
        """The path of its link in the root file system."""
        return f"{self.directory}/{self.name}"


def read(header: str) -> Iterator[Applet]:
    """The applets in the text of `include/applets.h`."""
    under: list[str] = []
    for found in _LINE.finditer(header):
        if found["any"]:
            under.append("|".join(sorted(_ENABLED.findall(found["any"]))))
            continue
        if found["end"]:
            del under[-1:]
            continue
        words = [word.strip() for word in found["words"].split(",")]
        plain = found["form"] == ""
        name, main, directory = words[0], words[0] if plain else words[1], words[1] if plain else words[2]
        conditions = re.findall(r"IF_(NOT_)?([A-Z0-9_]+)\(", found["conditions"])
        literals = (*under, *(f"!{symbol}" if negated else symbol for negated, symbol in conditions))
        program = SCRIPTED if found["form"] == "_SCRIPTED" else f"{main}_main"
        yield Applet(name, literals, program, _DIRECTORIES[directory])
