"""Random presets to hold the estimate against: none of them is used for measuring."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

from kimitui import preset as presets
from kimitui.config import Configuration
from kimitui.config_types import Values
from kimitui.kconfig.names import JsonScalar, JsonValue, short, type_of

# They need libraries that the toolchain does not have for the image.
_NEVER = frozenset({"SELINUX", "PAM"})
# A compiler makes other code for each, and every set costs a C library; so presets share a few drawn ones.
_HARDENINGS = 5
# Every third one has a shared C library.
_DYNAMIC = 3
_CHOICES: Mapping[str, tuple[object, ...]] = {
    "pie": (True, True, False),
    "stack_protector": ("none", "strong", "all"),
    "stack_clash": (True, False),
    "auto_var_init": (True, False),
    "zero_registers": (False, True),
    "branch_protection": (False, True),
    "relro": ("none", "partial", "full"),
}
_ABSENT: Mapping[str, tuple[str, ...]] = {"riscv64": ("stack_clash", "zero_registers", "branch_protection")}


def configuration(seed: int, number: int, arch: str) -> Configuration:
    """Preset `number` of a seed: uniform over how many applets stay on, features random, hardening one of a few.

    Every third one is linked with a shared C library.
    """
    draw = random.Random(f"{seed} {number} {arch}")
    hardening = _hardening(random.Random(f"{seed} {number % _HARDENINGS} hardening {arch}"), arch)
    image: dict[str, JsonValue] = {
        "arch": arch,
        "formats": ["rootfs", "oci", "squashfs"],
        "compression": draw.choice(["gzip", "zstd"]),
        "squashfs": draw.choice(["zstd", "xz", "lz4"]),
        "link": "static" if number % _DYNAMIC else "dynamic",
    }
    empty = presets.parse("{}", Path(f"drawn-{seed}-{number}.json5").absolute())
    config = Configuration.from_preset(empty)
    own: Values = {"image": image, "hardening": {**hardening}, "busybox": {**_busybox(draw, config)}}
    config.replace(own, "drawn")
    # As it would be saved: only what differs is written down.
    saved = presets.parse(json.dumps(config.own_values()), empty.path)
    return Configuration.from_preset(saved)


def _hardening(draw: random.Random, arch: str) -> dict[str, JsonScalar]:
    found: dict[str, JsonScalar] = {"fortify": draw.choice(["none", "none", "2", "3"])}
    for key, values in _CHOICES.items():
        value = draw.choice(values)
        if key not in _ABSENT.get(arch, ()):
            assert isinstance(value, bool | str)
            found[key] = value
    return found


def _busybox(draw: random.Random, config: Configuration) -> dict[str, JsonScalar]:
    switches = [
        entry
        for entry in config.names.entries.values()
        if entry.section == "busybox"
        and entry.type == "bool"
        and entry.key not in _NEVER
        and type_of(config.tree.syms[entry.symbol]) == "bool"
        and config.tree.syms[entry.symbol].choice is None
    ]
    # An applet is called by its symbol's name; features and settings of all are not.
    applets = [entry for entry in switches if short(entry.prompt).replace("-", "_").upper() == entry.key]
    on = {entry.key for entry in draw.sample(applets, draw.randint(5, len(applets)))} | {"ASH", "SH_IS_ASH"}
    chance = draw.random()
    others = [entry for entry in switches if entry not in applets]
    on |= {entry.key for entry in others if draw.random() < chance}
    return {entry.key: entry.key in on for entry in switches}
