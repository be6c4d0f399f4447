"""What Kbuild's makefiles say about objects is understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimitui.sizes.linux.kbuild import Condition, conditions


@pytest.fixture
def source(tmp_path: Path) -> Path:
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    write("Kbuild", "obj-y += init/ mm/ # always\nobj-$(CONFIG_NET) += net/\nobj-y += arch/$(SRCARCH)/\nobj-y += fs/\n")
    write("init/Makefile", "obj-y := main.o \\\n\tversion.o\nobj-$(CONFIG_A) += a.o\nobj-$(CONFIG_B) += a.o\n")
    write("net/Makefile", "obj-y += core.o\nobj-$(CONFIG_IPV6) += ipv6/\nobj-$(subst m,y,$(CONFIG_IPV6)) += six.o\n")
    write("net/ipv6/Makefile", "obj-$(CONFIG_IPV6) += ipv6.o\nipv6-y := af.o\nipv6-$(CONFIG_SYSCTL) += sysctl.o\n")
    write("lib/Makefile", "obj-y += one.o \\\n\ttwo.o \\\n\nlib-$(CONFIG_C) += three.o\n")
    write("arch/x86/Kbuild", "obj-y += kernel/\n")
    write("arch/x86/lib/Makefile", "lib-y += copy_$(BITS).o\n")
    write(
        "arch/x86/kernel/Makefile",
        "ifdef CONFIG_SMP\nobj-y += smp.o\nelse\nobj-y += up.o\nendif\n"
        "ifeq ($(CONFIG_X86_32),y)\nobj-y += old.o\nendif\n"
        "ifneq ($(CONFIG_PM),)\nobj-$(CONFIG_ACPI) += ../kernel/sleep.o\nendif\n",
    )
    write(
        "fs/Makefile",
        "obj-$(CONFIG_XFS) += xfs.o\nparts := d.o e.o\nxfs-y += $(addprefix lib/, a.o b.o) $(parts)\n"
        "xfs-y += $(xfs-y)\n\tobj-y += recipe $@\n",
    )
    write("mm/Makefile", "mmu-y := nommu.o\nmmu-$(CONFIG_MMU) := memory.o\nmmu-$(CONFIG_A) += a.o\nobj-y := $(mmu-y)\n")
    return tmp_path


def value(*options: str) -> Condition:
    return frozenset((option, "value") for option in options)


def test_objects_have_the_conditions_of_their_lines_and_directories(source: Path) -> None:
    found = conditions(source, "x86")
    assert found["init/main.o"] == found["init/version.o"] == {frozenset()}
    assert found["init/a.o"] == {value("A"), value("B")}
    assert found["net/core.o"] == {value("NET")}
    assert found["net/six.o"] == {value("NET") | {("IPV6", "on")}}
    assert found["arch/x86/lib/copy_64.o"] == {frozenset()}
    assert found["lib/one.o"] == found["lib/two.o"] == {frozenset()}
    assert found["lib/three.o"] == {value("C")}


def test_parts_of_an_object_are_taken_apart(source: Path) -> None:
    found = conditions(source, "x86")
    assert found["net/ipv6/af.o"] == {value("NET", "IPV6")}
    assert found["net/ipv6/sysctl.o"] == {value("NET", "IPV6") | {("SYSCTL", "on")}}
    assert "net/ipv6/ipv6.o" not in found
    assert {"fs/lib/a.o", "fs/lib/b.o", "fs/d.o", "fs/e.o"} <= found.keys()
    assert found["fs/lib/a.o"] == {value("XFS")}


def test_a_variable_that_is_set_anew_takes_the_place_of_what_it_was(source: Path) -> None:
    found = conditions(source, "x86")
    assert found["mm/nommu.o"] == {frozenset([("MMU", "not y")])}
    assert found["mm/memory.o"] == {value("MMU")}
    assert found["mm/a.o"] == {value("A")}


def test_tests_are_conditions(source: Path) -> None:
    found = conditions(source, "x86")
    assert found["arch/x86/kernel/smp.o"] == {frozenset([("SMP", "on")])}
    assert found["arch/x86/kernel/up.o"] == {frozenset([("SMP", "off")])}
    assert found["arch/x86/kernel/old.o"] == {frozenset([("X86_32", "y")])}
    assert found["arch/x86/kernel/sleep.o"] == {value("ACPI") | {("PM", "on")}}
