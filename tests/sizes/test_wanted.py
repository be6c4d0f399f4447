"""What is compiled to learn what options change."""

from __future__ import annotations

from kimitui.kconfig.types import Kconfig
from kimitui.sizes.wanted import busybox, following


def test_what_nobody_sets_goes_off_with_what_it_depends_on(busybox_upstream: Kconfig) -> None:
    wanted = busybox()
    before = {symbol.name: symbol.str_value for symbol in busybox_upstream.unique_defined_syms}
    try:
        found = following(busybox_upstream, wanted)
    finally:
        for symbol in busybox_upstream.unique_defined_syms:
            symbol.unset_value()
    assert before == {symbol.name: symbol.str_value for symbol in busybox_upstream.unique_defined_syms}
    # The menu does not show these; upstream has them on as soon as they can be.
    assert "FEATURE_UNZIP_XZ" in found["FEATURE_UNZIP_CDF"]
    assert "FEATURE_UNZIP_XZ" in found["DESKTOP"]
    assert "HUSH_LOCAL" in found["HUSH_FUNCTIONS"]
    assert "BC" in wanted.selected_by["FEATURE_DC_BIG"]
    assert "BC" not in wanted.needed_by.get("FEATURE_DC_BIG", ())
    assert not {other for others in found.values() for other in others} & wanted.base.keys()
