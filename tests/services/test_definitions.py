"""The services that come with kimitui, and the symbols that switch them on."""

from __future__ import annotations

import re
import shlex

import pytest

from kimitui.kconfig.names import type_of
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Kconfig
from kimitui.resources import KCONFIG_DIR
from kimitui.services import definitions
from kimitui.services.model import Service


def everything_on() -> Kconfig:
    tree = load_system_tree()
    tree.syms["INIT_SYSTEM_BUSYBOX"].set_value("y")
    for symbol in tree.unique_defined_syms:
        if symbol.name.startswith("SERVICE_") and type_of(symbol) == "bool":
            symbol.set_value("y")
    return tree


TREE = everything_on()
DEFINITIONS = definitions.load()
PREFIXES = {"busybox": "BUSYBOX_", "kernel": "KERNEL_", "packages": "PACKAGE_"}


def with_defaults(name: str) -> Service:
    definition = DEFINITIONS[name]
    symbols = {key: TREE.syms[f"SERVICE_{name.upper()}_{key.upper()}"] for key in definition.settings}
    return definition.service({key: symbol.str_value for key, symbol in symbols.items()})


def stanzas() -> dict[str, str]:
    """The text of each symbol in services.kconfig."""
    text = (KCONFIG_DIR / "services.kconfig").read_text()
    parts = re.split(r"^(?:menu)?config (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_service_has_a_symbol_and_every_symbol_a_service() -> None:
    symbols = {
        symbol.name.removeprefix("SERVICE_").lower()
        for symbol in TREE.unique_defined_syms
        if symbol.name.startswith("SERVICE_") and type_of(symbol) == "bool"
    }
    assert symbols == set(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_symbol_selects_what_the_definition_needs(name: str) -> None:
    service = with_defaults(name)
    wanted = {f"SERVICE_{other.upper()}" for other in service.needs}
    for section, symbols in (service.symbols or {}).items():
        condition = " if IMAGE_FORMAT_VMLINUZ" if section == "kernel" else ""
        wanted |= {f"{PREFIXES[section]}{symbol.upper()}{condition}" for symbol in symbols}
    if service.kind == "daemon":
        wanted.add("INIT_SUPERVISION")
    stanza = stanzas()[f"SERVICE_{name.upper()}"]
    assert set(re.findall(r"^\tselect (.*)$", stanza, flags=re.MULTILINE)) == wanted
    assert all(symbol.partition(" ")[0] in TREE.syms for symbol in wanted)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_settings_are_symbols_and_no_symbol_is_without_use(name: str) -> None:
    prefix = f"SERVICE_{name.upper()}_"
    symbols = {
        symbol.name.removeprefix(prefix).lower()
        for symbol in TREE.unique_defined_syms
        if symbol.name.startswith(prefix) and type_of(symbol) != "bool"
    }
    assert symbols == DEFINITIONS[name].settings


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_is_complete(name: str) -> None:
    service = with_defaults(name)
    assert service.command and service.description and service.seccomp
    assert {*service.needs, *service.after} <= set(DEFINITIONS)
    # What is on in a machine and cannot be in a container says why; so does what gets less than all namespaces.
    missing = {"mount", "pid", "ipc", "uts"} - set(service.namespaces)
    assert missing <= {limit.partition(".")[2] for limit in service.limits or {}}


def test_numbers_of_users_are_apart() -> None:
    numbers = [service.uid for name in DEFINITIONS if (service := with_defaults(name)).uid]
    assert len(numbers) == len(set(numbers))
    for name in DEFINITIONS:
        service = with_defaults(name)
        assert (service.uid is not None) == service.own_user, name


def test_programs_that_run_all_the_time_stay_in_the_foreground() -> None:
    # What goes to the background looks to its supervisor as if it had ended.
    flags = {"syslogd": "-n", "klogd": "-n", "ntpd": "-n", "crond": "-f", "httpd": "-f", "udhcpd": "-f", "udhcpc": "-f"}
    for name in DEFINITIONS:
        command = with_defaults(name).command
        if command[0] in flags:
            assert flags[command[0]] in command, shlex.join(command)
