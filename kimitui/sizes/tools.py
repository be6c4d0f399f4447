"""The programs of the toolchain whose output is measured: another version of one may make other sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kimitui.build.arch import ARCHES

_NAMES = re.compile(
    r"(?P<compiler>gcc-[0-9]+|binutils)(-(?P<triple>[a-z0-9-]+-gnu))?"
    r"|bzip2|gzip|liblz4-1|liblzma5|libzstd1|squashfs-tools|zlib1g|zstd"
)


def of(packages: Mapping[str, str], arch: str) -> dict[str, str]:
    """Of the versions of a toolchain's packages, by name, those that count for an architecture; sorted."""
    triple = ARCHES[arch].triple.replace("_", "-")
    found = {}
    for name, version in sorted(packages.items()):
        match = _NAMES.fullmatch(name)
        if match and match["triple"] in (None, triple):
            found[name] = version
    return found
