"""What BusyBox's list of applets says."""

from __future__ import annotations

from kimitui.sizes.applets import read

HEADER = """\
#if ENABLE_INSTALL_NO_USR
# define BB_DIR_USR_BIN BB_DIR_BIN
#endif
IF_LS(APPLET_NOEXEC(ls, ls, BB_DIR_BIN, BB_SUID_DROP, ls))
#if ENABLE_FEATURE_TFTP_GET || ENABLE_FEATURE_TFTP_PUT
IF_TFTP(APPLET(tftp, BB_DIR_USR_BIN, BB_SUID_DROP))
#endif
IF_LSMOD(IF_NOT_MODPROBE_SMALL(APPLET_NOEXEC(lsmod, lsmod, BB_DIR_SBIN, BB_SUID_DROP, lsmod)))
"""


def test_an_applet_has_all_the_conditions_that_stand_around_it() -> None:
    found = {applet.name: applet for applet in read(HEADER)}
    assert {name: applet.conditions for name, applet in found.items()} == {
        "ls": ("LS",),
        "tftp": ("FEATURE_TFTP_GET|FEATURE_TFTP_PUT", "TFTP"),
        "lsmod": ("LSMOD", "!MODPROBE_SMALL"),
    }
    assert found["tftp"].link == "/usr/bin/tftp"
    assert found["lsmod"].main == "lsmod_main"
