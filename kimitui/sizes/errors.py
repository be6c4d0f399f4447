"""How far estimates were from what builds gave, as the last comparison found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "errors.json"


@cache
def uncertainty(arch: str) -> Mapping[str, float]:
    """By component or artifact, the relative error that 95 % of the comparisons of an architecture kept to."""
    if not FILE.exists():
        return {}
    known = json.loads(FILE.read_text()).get(arch, {"errors": {}})
    return {name: error["most"] for name, error in known["errors"].items()}
