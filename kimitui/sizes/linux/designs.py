"""Which kernels are built to be measured, and which to hold the estimates against."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kimitui import config_upstream
from kimitui.config import Configuration
from kimitui.kconfig.names import PREFIXES, Names, type_of
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Symbol
from kimitui.sizes.linux.record import COMPRESSORS

PREFIX = PREFIXES["kernel"]

EXCLUSIVE = ("KASAN", "SLUB_TINY", "BASE_SMALL", "TRIM_UNUSED_KSYMS")
"""What forbids other options or makes things smaller; left out of the kernel that has everything."""

SPEED = "CC_OPTIMIZE_FOR_PERFORMANCE"
"""What the compiler aims at where it is not size."""

COMPILED_IN = (
    SPEED,
    "CPU_MITIGATIONS",
    "SMP",
    "STACKPROTECTOR",
    "X86_KERNEL_IBT",
    "PREEMPT",
    "UBSAN",
    "ZERO_CALL_USED_REGS",
    "FORTIFY_SOURCE",
    "FTRACE",
    "LIST_HARDENED",
    "PARAVIRT",
    "INIT_STACK_NONE",
    "DEBUG_BUGVERBOSE",
    "MITIGATION_SLS",
    "HARDENED_USERCOPY",
    "PREEMPT_VOLUNTARY",
    "PREEMPT_RT",
    "BUG_ON_DATA_CORRUPTION",
    "SHADOW_CALL_STACK",
    "MEMCG",
    "SECURITY",
    "TRANSPARENT_HUGEPAGE",
    "KFENCE",
    "PERF_EVENTS",  # on riscv64 all functions have frame pointers for its sake
)
"""Options that change what is compiled of many files, those first that change most.

They are measured on a sample of the objects.
"""

VARIANTS = {
    "FTRACE": "EVENT_TRACING",
    "CRC32_SARWATE": "CRC32_SARWATE",
}
"""Options that change much in a few objects (in ways that their sources do not show), for which these are measured both
ways, and the symbol that says whether it does."""

_WITH_OBJECTS = ("FTRACE", "KFENCE", "MEMCG", "PERF_EVENTS", "SECURITY", "TRANSPARENT_HUGEPAGE")
"""Those of them that bring objects, which are to be in the kernel that has everything."""

CORE = (
    *("FTRACE", "KPROBES", "BPF_SYSCALL", "PERF_EVENTS", "MEMCG", "CPUSETS", "BLK_CGROUP", "PSI", "CGROUPS"),
    *("IO_URING", "KEYS", "SECURITY", "AUDIT", "USER_NS", "NAMESPACES", "SECCOMP", "COMPAT", "TRANSPARENT_HUGEPAGE"),
    *("SWAP", "IPV6", "NETFILTER", "INET", "NET", "BLOCK", "PCI", "ACPI", "EFI", "PARAVIRT", "MODULES", "KALLSYMS"),
    *("DEBUG_FS", "SYSVIPC", "POSIX_MQUEUE", "INOTIFY_USER", "KFENCE", "FORTIFY_SOURCE", "LIST_HARDENED"),
    *("DEBUG_BUGVERBOSE", "SMP", "CPU_MITIGATIONS", "STACKPROTECTOR"),
)
"""What is taken out of the kernel that has everything, one after the other, to see what is left of those objects that
every kernel has. Much of what they are made of comes from headers, where only compiling says what an option changes."""

CORE_MORE = (
    *(SPEED, "X86_KERNEL_IBT", "PREEMPT", "PREEMPT_VOLUNTARY", "PREEMPT_RT"),
    *("UBSAN", "ZERO_CALL_USED_REGS", "INIT_STACK_NONE", "SHADOW_CALL_STACK", "SLUB_TINY", "BASE_SMALL"),
)
"""What is added for the same to the kernel that has nothing."""

_HOLDING = {"COMPAT": ("IA32_EMULATION",), "PARAVIRT": ("HYPERV", "KVM_GUEST", "HYPERVISOR_GUEST")}
"""What has to go off with an option, because it needs or selects it."""

_NOT_SHOWN = ("CRC32_SARWATE", "INIT_STACK_NONE")

TOGETHER = ((SPEED, "CPU_MITIGATIONS"), ("X86_KERNEL_IBT", "CPU_MITIGATIONS"), ("UBSAN", "UBSAN_TRAP"))
"""Pairs of options that do not multiply: code for speed is aligned, as room in front of functions is, and only once;
the tables and second names of functions that mitigations need are made when all is linked, where there is IBT; checks
that stop the kernel need not say where they are."""

TRIMMING = "TRIM_UNUSED_KSYMS"

ALL_MODULES, TRIMMED_MODULES = "modules", f"modules-{TRIMMING}"
"""The names of the kernels of which all modules are measured."""

MODULE_OPTIONS = ("UNWINDER_ORC", "UBSAN_TRAP")
"""Further options that change all modules. Of a kernel, only linking shows what they do."""

AFTER = {"UBSAN_TRAP": "UBSAN"}
"""Options that are changed when another one has been, which they need."""

MODULES = (
    *("fs/fat/fat.ko", "fs/isofs/isofs.ko", "fs/overlayfs/overlay.ko", "drivers/hid/hid.ko", "drivers/net/tun.ko"),
    *("drivers/usb/storage/usb-storage.ko", "drivers/net/virtio_net.ko", "drivers/net/ethernet/realtek/r8169.ko"),
    *("drivers/block/loop.ko", "net/9p/9pnet.ko", "net/netfilter/nf_nat.ko", "net/sched/cls_bpf.ko"),
)
"""The sample of modules: of all kinds, and of some fifty objects."""

ODD = ("KASAN",)
"""For tests of kernels only: twice the size, and nothing that the estimates are made for."""


_LOT = 60
"""Objects that are compiled together: what an interruption loses."""

LARGE = ("everything-00", "everything-01")
"""The lots of the objects with the largest sources."""


@dataclass(frozen=True)
class Design:
    """A kernel to build: what is asked of Linux, by upstream symbol; `objects` are compiled only, `()` for the whole.

    `use` says what for: `base`, `variant`, `core`, `more`, `sample`, `both`, `fit`, `wrapper`, `check`, or `modules`:
    then `objects` are modules, such as `fs/fat/fat.ko`, and `()` all of them.
    """

    name: str
    use: str
    requested: Mapping[str, str]
    objects: tuple[str, ...] = ()


class Drawing:
    """Makes requests of the kernel's part of the system tree, for one architecture."""

    def __init__(self, arch: str) -> None:
        self._tree = load_system_tree()
        self._names = Names(self._tree)
        self._state = TreeState(self._tree)
        self._kernel = {f"IMAGE_ARCH_{arch.upper()}": "y", "IMAGE_FORMAT_VMLINUZ": "y"}
        self.symbols = [s for s in self._tree.unique_defined_syms if s.name.startswith(PREFIX)]
        self.switches: Sequence[Symbol] = [
            s for s in self.symbols if type_of(s) in ("bool", "tristate") and not s.choice
        ]

    @property
    def names(self) -> set[str]:
        """The symbols of the kernel's part of the system tree."""
        return {symbol.name for symbol in self.symbols}

    def requested(self, assigned: Mapping[str, str]) -> dict[str, str]:
        """What is asked of Linux where `assigned`, by symbol of the system tree, is all that is on."""
        off = {symbol.name: "n" for symbol in self.switches}
        self._state.apply(self._state.replacing({**self._kernel, **off, **assigned}))
        return dict(sorted(config_upstream.requested(self._tree, self._names, "kernel").items()))

    def everything(self, preset: Mapping[str, str], *, modules: bool = False) -> dict[str, str]:
        """All options at once, but for those compiled into everything, which are as in `preset`; as modules, if asked,
        what can be one."""
        assigned = {
            symbol.name: "m" if modules and type_of(symbol) == "tristate" else "y"
            for symbol in self.switches
            if symbol.name.removeprefix(PREFIX) not in EXCLUSIVE
        }
        for name in COMPILED_IN:
            if name not in _WITH_OBJECTS and (f"{PREFIX}{name}" in assigned or preset.get(name) == "y"):
                assigned[f"{PREFIX}{name}"] = preset.get(name, "n")
        return _signed(self.requested(assigned))

    def random(self, seed: str, share: float) -> dict[str, str]:
        """A random kernel in which about `share` of the switches are on (fewer where they need others)."""
        assigned: dict[str, str] = {}
        for symbol in self.switches:
            # Each its own chance, so that an option more in the menu does not change all kernels.
            rng = random.Random(f"{seed} {symbol.name}")
            if symbol.name.removeprefix(PREFIX) in ODD or rng.random() >= share:
                continue
            assigned[symbol.name] = "m" if type_of(symbol) == "tristate" and rng.random() < 0.2 else "y"
        rng = random.Random(seed)
        for choice in self._tree.unique_choices:
            members = [s.name for s in choice.syms if s.name.startswith(PREFIX)]
            if members:
                assigned[rng.choice(members)] = "y"
        assigned[f"{PREFIX}NR_CPUS"] = str(2 ** rng.randint(1, 9))
        assigned[f"{PREFIX}LOG_BUF_SHIFT"] = str(rng.randint(12, 18))
        return self.requested(assigned)

    def changed(self, assigned: Mapping[str, str], requested: Mapping[str, str]) -> dict[str, str]:
        """What is asked where what `requested` asks for is set, and `assigned` (by upstream symbol) besides."""
        chosen = {f"{PREFIX}{name}": value for name, value in requested.items() if value != "n"}
        for name, value in assigned.items():
            symbol = self._tree.syms[f"{PREFIX}{name}"]
            if symbol.choice:
                for member in symbol.choice.syms:
                    chosen.pop(member.name, None)
            chosen[symbol.name] = value
        return self.requested(chosen)


def preset(name: str, arch: str) -> dict[str, str]:
    """What a preset asks of Linux."""
    return Configuration.open(name, arch=arch).requested("kernel")


def from_presets(arch: str) -> Iterator[Design]:
    """Kernels that are built whole and like those of presets: two to fit to, and one for each further compressor."""
    drawing = Drawing(arch)
    vm = preset("vm", arch)
    names = ("NAMESPACES", "AUDIT", "X86_KERNEL_IBT", "KALLSYMS")
    contained = {name: "y" for name in names if f"{PREFIX}{name}" in drawing.names}
    yield Design("vm-contained", "fit", drawing.changed(contained, vm))
    minimal = preset("vm-minimal", arch)
    yield Design("vm-minimal", "fit", minimal)
    packers = [name for name in (f"KERNEL_{word}" for word in COMPRESSORS) if name in minimal]
    for name in packers:
        if minimal[name] != "y":
            requested = {**minimal, **dict.fromkeys(packers, "n"), name: "y"}
            yield Design(f"vm-minimal-{name.removeprefix('KERNEL_')}", "wrapper", requested)


def drawn(arch: str, *, fit: int, check: int) -> Iterator[Design]:
    """Kernels that are drawn at random and built whole: so many for the comparison and, from other seeds, to fit to."""
    drawing = Drawing(arch)
    for use, count in (("check", check), ("fit", fit)):
        for number in range(count):
            # The shares are spread evenly, so that few draws cover small and large kernels.
            share = (number * 5 % count + 0.5) / count
            yield Design(f"{use}-{number}", use, drawing.random(f"{use} {number} {arch}", share))


def everything(arch: str) -> dict[str, str]:
    """What is asked for the kernel that has everything."""
    return Drawing(arch).everything(preset("vm", arch))


def modules(arch: str) -> Iterator[Design]:
    """All modules, with all that they offer to others and with what is used of it; and a sample of them with each of
    the options compiled into everything changed."""
    drawing = Drawing(arch)
    base = drawing.everything(preset("vm", arch), modules=True)
    yield Design(ALL_MODULES, "modules", base)
    yield Design(TRIMMED_MODULES, "modules", _with(drawing, base, TRIMMING))
    for name in (*COMPILED_IN, *MODULE_OPTIONS):
        before = _with(drawing, base, AFTER[name]) if name in AFTER else base
        requested = _with(drawing, before, name)
        if requested != before:
            yield Design(f"{ALL_MODULES}-{name}", "modules", requested, MODULES)


def lots(base: Mapping[str, str], objects: Sequence[str]) -> Iterator[Design]:
    """The objects of the kernel that has everything, in lots and in this order."""
    for number, start in enumerate(range(0, len(objects), _LOT)):
        yield Design(f"everything-{number:02}", "base", base, tuple(objects[start : start + _LOT]))


def variants(arch: str, base: Mapping[str, str], traced: Sequence[str]) -> Iterator[Design]:
    """The objects in which single options change much, as they are in `base`, and with each of these changed.

    `traced` define tracepoints.
    """
    drawing = Drawing(arch)
    crc = ("lib/crc32.o",)
    yield Design("everything-traced", "base", base, tuple(traced))
    yield Design("everything-crc", "base", base, crc)
    for option in VARIANTS:
        requested = _with(drawing, base, option)
        if requested != base:
            yield Design(f"variant-{option}", "variant", requested, tuple(traced) if option == "FTRACE" else crc)


def core(arch: str, base: Mapping[str, str], objects: Sequence[str]) -> Iterator[Design]:
    """A sample of the objects that every kernel has: in `base`, with less and less of it, and with nothing and a little
    more than that."""
    drawing = Drawing(arch)
    yield Design("core-00-everything", "core", base, tuple(objects))
    gone: list[str] = []
    before = base
    for number, name in enumerate(CORE, 1):
        gone += [one for one in (name, *_HOLDING.get(name, ())) if f"{PREFIX}{one}" in drawing.names]
        requested: Mapping[str, str] = _signed(drawing.changed(dict.fromkeys(gone, "n"), base))
        if requested != before:
            yield Design(f"core-{number:02}-{name}", "core", requested, tuple(objects))
        before = requested
    nothing = drawing.requested({})
    yield Design("core-99-nothing", "core", nothing, tuple(objects))
    for name in CORE_MORE:
        requested = _with(drawing, nothing, name)
        if requested != nothing:
            yield Design(f"more-{name}", "more", requested, tuple(objects))


def sampled(arch: str, base: Mapping[str, str], objects: Sequence[str]) -> Iterator[Design]:
    """The sample of objects as it is in `base`, and with each of the options compiled into everything changed."""
    drawing = Drawing(arch)
    yield Design("everything-sample", "base", base, tuple(objects))
    for name in COMPILED_IN:
        requested = _with(drawing, base, name)
        if requested != base:
            yield Design(f"sample-{name}", "sample", requested, tuple(objects))


def strata(arch: str, base: Mapping[str, str], objects: Sequence[str], further: Sequence[str]) -> Iterator[Design]:
    """Objects of all sizes as they are in `base`, and these and `further` ones with the compiler's other aim, speed or
    size: no other option changes as much, and not all objects alike."""
    yield Design("everything-strata", "base", base, tuple(objects))
    both = tuple(dict.fromkeys([*objects, *further]))
    yield Design(f"sample-strata-{SPEED}", "sample", _with(Drawing(arch), base, SPEED), both)


def together(
    arch: str, base: Mapping[str, str], objects: Sequence[str], core_objects: Sequence[str]
) -> Iterator[Design]:
    """Samples of objects with two options changed at once: of all objects in `base`, of the core without all others."""
    drawing = Drawing(arch)
    nothing = drawing.requested({})
    for pair in TOGETHER:
        for what, before, some in (("sample", base, objects), ("core", nothing, core_objects)):
            first = _with(drawing, before, pair[0])
            both = _with(drawing, first, pair[1])
            if first == before or both == first:
                continue
            yield Design(f"both-{what}-{'+'.join(pair)}", "both", both, tuple(some))


def _signed(requested: Mapping[str, str]) -> dict[str, str]:
    """What is asked of Linux for a kernel of which only objects are compiled; where it has modules, with what the menu
    does not offer then: Lockdown, and the signatures that it wants of them."""
    if requested.get("MODULES") != "y":
        return dict(requested)
    lockdown = ("SECURITY_LOCKDOWN_LSM",) if requested.get("SECURITY") == "y" else ()
    names = ("CRYPTO", "KEYS", "MODULE_SIG", "MODULE_SIG_FORCE", *lockdown)
    return dict(sorted({**requested, **dict.fromkeys(names, "y")}.items()))


def _with(drawing: Drawing, base: Mapping[str, str], name: str) -> Mapping[str, str]:
    """What is asked of Linux where an option is changed; what the menu does not show, presets may ask for."""
    value = "n" if base.get(name) == "y" else "y"
    off = dict.fromkeys(_HOLDING.get(name, ()), "n") if value == "n" else {}
    if f"{PREFIX}{name}" in drawing.names:
        return _signed(drawing.changed({name: value, **off}, base))
    return {**base, name: value} if name in _NOT_SHOWN else base
