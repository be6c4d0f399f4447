"""What the initramfs takes: its program and script are always the same, only the flags of the hardening are not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from kimitui.kconfig.explain import read_dotconfig
from kimitui.resources import BUILDER_DIR
from kimitui.sizes import brought, busybox, running

_REQUESTED = BUILDER_DIR / "initramfs" / "busybox.config"


def initramfs_bytes(arch: str, flags: Sequence[str]) -> int | None:
    """The size under flags that differ so from the usual ones; None where nothing was measured.

    It was measured under the usual ones; what others make of it is what they make of the same program in the model.
    """
    measured = brought.initramfs_bytes(arch)
    if measured is None or (grown := _growth(arch, tuple(flags))) is None:
        return None
    return round(measured * grown)


@cache
def _growth(arch: str, flags: tuple[str, ...]) -> float | None:
    if not flags:
        return 1.0
    model = busybox.load(arch)
    if model is None:
        return None
    values = read_dotconfig(_REQUESTED)
    with_flags, usual = (running.built(model, values, one).far_bytes for one in (flags, ()))
    return with_flags / usual
