"""What is compiled to learn what options change."""

from __future__ import annotations

from kimitui.kconfig.types import Kconfig
from kimitui.sizes.wanted import busybox, following


def test_what_nobody_sets_follows_what_it_depends_on(busybox_upstream: Kconfig) -> None:
    wanted = busybox()
    before = {symbol.name: symbol.str_value for symbol in busybox_upstream.unique_defined_syms}
    try:
        found = following(busybox_upstream, wanted)
    finally:
        for symbol in busybox_upstream.unique_defined_syms:
            symbol.unset_value()
    assert before == {symbol.name: symbol.str_value for symbol in busybox_upstream.unique_defined_syms}
    # The menu does not show these; upstream has them on as soon as they can be.
    assert found["FEATURE_UNZIP_CDF"]["FEATURE_UNZIP_XZ"] == "n"
    assert found["DESKTOP"]["FEATURE_UNZIP_XZ"] == "n"
    assert found["HUSH_FUNCTIONS"]["HUSH_LOCAL"] == "n"
    # And this one as soon as there is no other way to have wide columns.
    assert found["DESKTOP"]["FEATURE_PS_WIDE"] == "y"
    # What would switch it on is off where it is off, too, and so is what needs what only others switch on.
    assert "BC" in wanted.needed_by["FEATURE_DC_BIG"]
    assert {"FEATURE_SYSLOG_INFO", "LOGGER"} <= set(wanted.needed_by["FEATURE_SYSLOG"])
    assert not {other for others in found.values() for other in others} & wanted.base.keys()
