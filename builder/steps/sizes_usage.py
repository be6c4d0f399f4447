# SPDX-License-Identifier: GPL-2.0-only
"""The usage texts that BusyBox's program carries, and what of them other values of symbols change.

Runs in the sandbox, in BusyBox's tree. Writes /output/usage.json: by `symbol=value` (`=` for the base), and by applet,
the text; of the variants only what differs from the base.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from os import environ
from pathlib import Path

from sizes_objects import with_values

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_SOURCE = """\
#include "autoconf.h"
#define BB_MMU 1
#define USE_FOR_NOMMU(...)
#define USE_FOR_MMU(...) __VA_ARGS__
#include "usage.h"
#define MAKE_USAGE(aname, usage) TEXT_BEGINS aname, usage TEXT_ENDS
#include "applets.h"
"""


def main() -> None:
    """Preprocess the texts with every value that is wanted."""
    wanted = json.loads(Path("/input/variants.json").read_text())
    mentioned = set(re.findall(r"\b(?:ENABLE|CONFIG|IF|IF_NOT)_([A-Z0-9_]+)", Path("include/usage.h").read_text()))
    mentioned.add("FEATURE_VERBOSE_USAGE")
    autoconf = Path("include/autoconf.h").read_text()
    Path("usage.c").write_text(_SOURCE)
    changes = {
        f"{symbol}={value}": assigned
        for symbol, values in wanted["values"].items()
        if symbol in mentioned
        for value, assigned in values.items()
    }
    base = _texts(autoconf, {}, "base")
    with ThreadPoolExecutor(int(environ["JOBS"])) as pool:
        texts = dict(zip(changes, pool.map(lambda name: _texts(autoconf, changes[name], name), changes), strict=True))
    result = {"=": base}
    for name, found in texts.items():
        if different := {applet: text for applet, text in found.items() if base.get(applet) != text}:
            result[name] = different
    Path("/output/usage.json").write_text(json.dumps(result, indent=0, sort_keys=True))


def _texts(autoconf: str, values: Mapping[str, str], name: str) -> dict[str, str]:
    directory = Path("/build/usage") / name
    directory.mkdir(parents=True)
    (directory / "autoconf.h").write_text(with_values(autoconf, values))
    argv = ["gcc", "-E", "-P", f"-I{directory}", "-Iinclude", "usage.c"]
    text = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout
    found = {}
    for piece in re.findall(r"TEXT_BEGINS(.*?)TEXT_ENDS", text.replace("\n", " "), re.DOTALL):
        # The applet's name, then the parts of its text, which C joins.
        applet, *parts = [ast.literal_eval(part) for part in _LITERAL.findall(piece)]
        found[applet] = "".join(parts)
    return found


if __name__ == "__main__":
    main()
