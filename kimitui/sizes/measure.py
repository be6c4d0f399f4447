"""Measures what programs are made of, by compiling them in the sandbox; what is in the store is not compiled again."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from kimitui import preset as presets
from kimitui.build import packages as definitions
from kimitui.build import workshop
from kimitui.build.events import Emit
from kimitui.build.flags import flags
from kimitui.build.plan import dotconfig
from kimitui.build.plan.context import builder_file
from kimitui.build.step import InputFile, Step, in_order
from kimitui.build.toolchain import Toolchain
from kimitui.build.workshop import Request, Workshop
from kimitui.config import Configuration
from kimitui.kconfig.busybox import upstream_tree
from kimitui.kconfig.names import Names
from kimitui.kconfig.system import load_system_tree
from kimitui.sizes import compose, tarball, tools
from kimitui.sizes.brought import LINKS, Brought
from kimitui.sizes.brought import read as read_brought
from kimitui.sizes.flags import MISSING
from kimitui.sizes.objects import Object, members, read, text_of
from kimitui.sizes.packing import packed_far
from kimitui.sizes.wanted import FURTHER, Wanted, following

# What the hardening menu does to code, each beside the level that most images have.
BASE: Mapping[str, object] = {"level": "basic", "relro": "full", "fortify": "none"}
FLAG_SETS: Mapping[str, Mapping[str, object]] = {
    "HARDENING_PIE=n": {"pie": False},
    "HARDENING_STACK_PROTECTOR=none": {"stack_protector": "none"},
    "HARDENING_STACK_PROTECTOR=all": {"stack_protector": "all"},
    "HARDENING_STACK_CLASH=n": {"stack_clash": False},
    "HARDENING_AUTO_VAR_INIT=n": {"auto_var_init": False},
    "HARDENING_ZERO_REGISTERS=y": {"zero_registers": True},
    "HARDENING_BRANCH_PROTECTION=y": {"branch_protection": True},
    "HARDENING_FORTIFY=2": {"fortify": "2"},
    "HARDENING_FORTIFY=3": {"fortify": "3"},
}
# Of all pairs, only these make something else of code than one and the other, as a sample of objects showed: both
# change how functions end, or where they find the guard of the stack.
PAIRS: Mapping[str, Sequence[str]] = {
    "x86_64": ("HARDENING_STACK_PROTECTOR=all+HARDENING_ZERO_REGISTERS=y",),
    "arm64": (
        "HARDENING_BRANCH_PROTECTION=y+HARDENING_STACK_PROTECTOR=all",
        "HARDENING_PIE=n+HARDENING_STACK_PROTECTOR=all",
        "HARDENING_PIE=n+HARDENING_STACK_PROTECTOR=none",
        "HARDENING_STACK_PROTECTOR=all+HARDENING_ZERO_REGISTERS=y",
    ),
    "riscv64": ("HARDENING_PIE=n+HARDENING_STACK_PROTECTOR=all", "HARDENING_PIE=n+HARDENING_STACK_PROTECTOR=none"),
}
# Ways to link, each with a layout of its own.
LAYOUTS: Mapping[str, Mapping[str, object]] = {
    "pie-relro": {},
    "pie-plain": {"relro": "none"},
    "fixed-relro": {"pie": False},
    "fixed-plain": {"pie": False, "relro": "none"},
}
# What every program begins and ends with; the linker keeps all of it.
START = "start:"
LIBC = "lib/libc.a"
START_FILES = ("rcrt1.o", "crti.o", "crtn.o", "relro.o", "crtbeginS.o", "crtendS.o")

# What compiles objects with other values, in the sandbox.
_PROGRAMS = ("sizes_variants.py", "sizes_joint.py", "sizes_objects.py")


def flag_sets(arch: str) -> dict[str, Mapping[str, object]]:
    """The sets of flags that an architecture's compiler has, by name."""
    return {name: values for name, values in FLAG_SETS.items() if name.split("=")[0] not in MISSING.get(arch, ())}


def pairs(arch: str) -> dict[str, Mapping[str, object]]:
    """The same for pairs of them; their names are joined by a plus."""
    known = flag_sets(arch)
    parts = ((name, name.split("+")) for name in PAIRS[arch])
    return {name: {**known[one], **known[other]} for name, (one, other) in parts}


@dataclass(frozen=True)
class Compiled:
    """BusyBox compiled with everything on: the directory of the step, musl's, and what was recorded of the build."""

    output: Path
    musl: Path
    toolchain_digest: str
    tools: Mapping[str, str]
    sources: Mapping[str, str]

    def objects(self) -> Iterator[tuple[str, Object]]:
        """Every object with its name: BusyBox's by path, those of archives as `libc.a:printf.lo`."""
        with tarfile.open(self.output / "objects.tar") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.endswith(".o") else None
                if file:
                    yield member.name, read(file.read())
        for path in (self.musl / LIBC, self.output / "runtime/libgcc.a"):
            yield from archived(path)
        for name in START_FILES:
            directory = self.output / "runtime" if name.startswith(("crtbegin", "crtend")) else self.musl / "lib"
            if (directory / name).exists():
                yield f"{START}{name}", read((directory / name).read_bytes())


def archived(path: Path) -> Iterator[tuple[str, Object]]:
    """The objects of an archive with their names, such as `libc.a:printf.lo`."""
    seen: dict[str, int] = {}
    for name, content in members(path.read_bytes()):
        seen[name] = seen.get(name, 0) + 1  # musl has two realloc.lo
        yield f"{path.name}:{name}{'' if seen[name] == 1 else f'#{seen[name]}'}", read(content)


def configuration(arch: str, hardening: Mapping[str, object], *, static: bool = True) -> Configuration:
    """The configuration whose flags are measured: hardening as given on top of `BASE`."""
    image = {"arch": arch, "formats": ["rootfs"], "link": LINKS[static]}
    values = {"extends": "minimal", "image": image, "hardening": {**BASE, **hardening}}
    return Configuration.from_preset(presets.parse(json.dumps(values), Path("sizes.json5").absolute()))


def usual_flags(arch: str) -> dict[str, list[str]]:
    """What is measured is compiled and linked with."""
    found = flags(configuration(arch, {}))
    return {"compile": list(found.compile), "link": list(found.link)}


def compiled(wanted: Wanted, config: Configuration, cache_dir: Path, *, emit: Emit) -> Compiled:
    """BusyBox with everything on, compiled as `config` asks. Raises as `build` does."""
    with _opened(config, cache_dir, emit) as room:
        step = busybox_step(room, wanted)
        done = room.runner.run(in_order((step,)))
        return Compiled(
            output=done[step.name].output,
            musl=done["musl"].output,
            toolchain_digest=room.toolchain.digest,
            tools=tools.of(room.toolchain.packages, room.plan.arch.name),
            sources={name: source.digest for name, source in room.sources.items()},
        )


@dataclass(frozen=True)
class Variants:
    """What other values make of objects: by object, `symbol=value`, and which compilation; what symbols make of them
    together; and by name the objects that only other values have.
    """

    single: compose.Variants
    joint: compose.Joint
    further: Mapping[str, Object]


def variants(wanted: Wanted, config: Configuration, cache_dir: Path, *, emit: Emit) -> Variants:
    """What other values make of the objects. Raises as `build` does."""
    with _opened(config, cache_dir, emit) as room:
        step = variants_step(room, wanted, cache_dir)
        output = room.runner.run(in_order((step,)))[step.name].output
    found: dict[str, dict[str, dict[str, Object]]] = {}
    further: dict[str, Object] = {}
    with tarfile.open(output / "variants.tar") as archive:
        for path, content in _files(archive):
            name, value, which = path.removesuffix(".o").rsplit("/", 2)
            if value == "=":
                further[name] = read(content)
            else:
                found.setdefault(name, {}).setdefault(value, {})[which] = read(content)
    return Variants(found, _joint(output / "joint.tar"), further)


def _joint(path: Path) -> compose.Joint:
    found: dict[str, dict[compose.Symbols, dict[compose.Symbols, Object]]] = {}
    with tarfile.open(path) as archive:
        for member, content in _files(archive):
            name, together, off = member.removesuffix(".o").rsplit("/", 2)
            parts = tuple(off.split(",")) if off != "=" else ()
            found.setdefault(name, {}).setdefault(tuple(together.split(",")), {})[parts] = read(content)
    return found


@dataclass(frozen=True)
class Flagged:
    """BusyBox's objects, as they are and by name of the flags that they were compiled with, and the C library's.

    `packing` has by name of the flags what they add, relatively, to BusyBox' code, to what deflate leaves of it, and to
    what LZMA leaves, which finds what is far apart.
    """

    plain: Mapping[str, Object]
    objects: Mapping[str, Mapping[str, Object]]
    packing: Mapping[str, tuple[float, float, float]]
    plain_library: Mapping[str, Object]
    libraries: Mapping[str, Mapping[str, Object]]


@dataclass(frozen=True)
class Dynamic:
    """BusyBox with everything on, linked with a shared C library, by its layout; and where that library is, by name of
    the flags under which it was compiled, "" for the usual ones."""

    linked: Mapping[str, Path]
    libraries: Mapping[str, Path]


def layouts(wanted: Wanted, arch: str, cache_dir: Path, *, static: bool, emit: Emit) -> dict[str, Path]:
    """BusyBox with everything on, linked in each way. Raises as `build` does."""
    with _opened(configuration(arch, {}, static=static), cache_dir, emit) as room:
        first = busybox_step(room, wanted)
        link = {name: flags(configuration(arch, one, static=static)).link for name, one in LAYOUTS.items()}
        text = json.dumps({"base": [], "compile": {}, "link": link}, sort_keys=True)
        step = _flags_step("sizes-layouts", first, first.uses, text)
        output = room.runner.run(in_order((step,)))[step.name].output
    return {name: output / f"linked-{name}" for name in LAYOUTS}


def dynamic(wanted: Wanted, arch: str, cache_dir: Path, *, emit: Emit) -> Dynamic:
    """What a shared C library makes of the program. Raises as `build` does."""
    linked = layouts(wanted, arch, cache_dir, static=False, emit=emit)
    return Dynamic(linked, _libraries(arch, flag_sets(arch), cache_dir, emit))


def _libraries(arch: str, sets: Mapping[str, Mapping[str, object]], cache_dir: Path, emit: Emit) -> dict[str, Path]:
    """Where the C library is, shared and static, by name of the flags; "" for the usual ones."""
    found = {}
    for name, values in {"": {}, **sets}.items():
        with _opened(configuration(arch, values, static=False), cache_dir, emit) as room:
            (musl,) = (used for used in room.plan.busybox.uses if used.name == "musl")
            found[name] = room.runner.run(in_order((musl,)))[musl.name].output
    return found


def flagged(wanted: Wanted, arch: str, cache_dir: Path, *, emit: Emit) -> Flagged:
    """What flags make of objects. Raises as `build` does."""
    base = configuration(arch, {})
    with _opened(base, cache_dir, emit) as room:
        first = busybox_step(room, wanted)
    sets = {**flag_sets(arch), **pairs(arch)}
    text = json.dumps(
        {
            "base": flags(base).compile,
            "compile": {name: flags(configuration(arch, one)).compile for name, one in sets.items()},
            "link": {},
        },
        sort_keys=True,
    )
    with _opened(configuration(arch, {"fortify": "2"}), cache_dir, emit) as room:
        libraries = {used.name: used for used in (*room.plan.busybox.uses, *first.uses)}
        step = _flags_step("sizes-flags", first, libraries.values(), text)
        done = room.runner.run(in_order((step,)))
    objects: dict[str, dict[str, Object]] = {}
    code: dict[str, dict[str, bytes]] = {}
    with tarfile.open(done[step.name].output / "flags.tar") as archive:
        for path, content in _files(archive):
            name, _, path = path.partition("/")
            objects.setdefault(name, {})[path] = read(content)
            code.setdefault(name, {})[path] = text_of(content)
    with tarfile.open(done[first.name].output / "objects.tar") as archive:
        plain = {path: content for path, content in _files(archive) if path.endswith(".o")}
    usual = {path: text_of(content) for path, content in plain.items()}
    archives = {
        # musl calls them .lo where they can be at any place in memory.
        name: {path.replace(".lo", ".o"): one for path, one in archived(output / LIBC)}
        for name, output in _libraries(arch, sets, cache_dir, emit).items()
    }
    return Flagged(
        plain={path: read(content) for path, content in plain.items()},
        objects=objects,
        packing={name: _packing(usual, changed) for name, changed in code.items()},
        plain_library=archives.pop(""),
        libraries=archives,
    )


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        if (file := archive.extractfile(member)) is not None:
            yield member.name, file.read()


def _packing(plain: Mapping[str, bytes], changed: Mapping[str, bytes]) -> tuple[float, float, float]:
    """What is added to code, to what deflate leaves of it and to what LZMA leaves, relative to what there was."""
    before, after = (b"".join(code[path] for path in changed) for code in (plain, changed))
    sizes = ((len(code), tarball.deflated(code), packed_far(code)) for code in (before, after))
    more, deflated, far = (round(now / then - 1, 5) for then, now in zip(*sizes, strict=True))
    return more, deflated, far


def _flags_step(name: str, first: Step, uses: Iterable[Step], text: str) -> Step:
    """The step that compiles and links the objects of `first` as `text` says, with the libraries among `uses`."""
    libraries = {used.name: used for used in uses if used.name not in ("busybox-config", "sizes-config")}
    return Step(
        name=name,
        arch=first.arch,
        script="sizes-flags.sh",
        uses=(first, *(used for _, used in sorted(libraries.items()))),
        parameters={"TRIPLE": first.parameters["TRIPLE"]},
        files={"flags.json": InputFile(text.encode()), "sizes_flags.py": builder_file("steps/sizes_flags.py")},
    )


@dataclass(frozen=True)
class Program:
    """BusyBox as a configuration has it, stripped."""

    config: Configuration
    program: Path


def program(config: Configuration, cache_dir: Path, *, emit: Emit) -> Program:
    """BusyBox of a configuration, as a build makes it. Raises as `build` does."""
    with _opened(config, cache_dir, emit) as room:
        step = room.plan.busybox
        return Program(config, room.runner.run(in_order((step,)))[step.name].output / "busybox")


def packages(arch: str, cache_dir: Path, *, static: bool, emit: Emit) -> tuple[Toolchain, dict[str, Brought], int]:
    """The toolchain, what every package brings, by the name of its step, and the bytes of the initramfs.

    Raises as `build` does. OpenRC is only there where libraries are shared.
    """
    settable = {entry.symbol for entry in Names(load_system_tree()).entries.values() if entry.settable}
    names = [package.symbol for package in definitions.load().values() if package.symbol in settable]
    values = {
        "extends": "minimal",
        "image": {"arch": arch, "formats": ["initramfs"], "link": LINKS[static]},
        "init": {"system": "busybox" if static else "openrc"},
        "hardening": {**BASE, "containment": True},
        "packages": {name.removeprefix("PACKAGE_").lower(): True for name in names},
    }
    config = Configuration.from_preset(presets.parse(json.dumps(values), Path("sizes.json5").absolute()))
    with _opened(config, cache_dir, emit) as room:
        initramfs = room.plan.initramfs
        assert initramfs is not None
        steps = (*room.plan.packages, *room.plan.containment)
        done = room.runner.run(in_order((*steps, initramfs)))
        found = {step.name: read_brought(done[step.name].output / "root") for step in steps}
        return room.toolchain, found, (done[initramfs.name].output / "initramfs.cpio.zst").stat().st_size


def packed(config: Configuration, archives: Sequence[bytes], cache_dir: Path, *, emit: Emit) -> dict[str, list[int]]:
    """By method, what packing makes of each of `archives`. Raises as `build` does."""
    names = [f"{number:03}" for number in range(len(archives))]
    with _opened(config, cache_dir, emit) as room:
        step = Step(
            name="sizes-packing",
            arch=room.plan.arch.name,
            script="sizes-packing.sh",
            parameters={"SOURCE_DATE_EPOCH": str(room.release.source_date_epoch)},
            files={f"archives/{name}.tar": InputFile(content) for name, content in zip(names, archives, strict=True)},
        )
        output = room.runner.run((step,))[step.name].output
    found: dict[str, dict[str, int]] = {}
    for line in (output / "sizes").read_text().splitlines():
        name, method, size = line.split()
        found.setdefault(method, {})[name] = int(size)
    return {method: [sizes[name] for name in names] for method, sizes in found.items()}


def usage(wanted: Wanted, config: Configuration, cache_dir: Path, *, emit: Emit) -> dict[str, dict[str, str]]:
    """The usage texts, by `symbol=value` (`=`: the base) and applet. Raises as `build` does."""
    with _opened(config, cache_dir, emit) as room:
        variants, base = variants_step(room, wanted, cache_dir), busybox_step(room, wanted)
        step = Step(
            name="sizes-usage",
            arch=base.arch,
            script="sizes-usage.sh",
            uses=(base, *(used for used in base.uses if used.name == "busybox-tree")),
            files={**variants.files, "sizes_usage.py": builder_file("steps/sizes_usage.py")},
        )
        output = room.runner.run(in_order((step,)))[step.name].output
    found: dict[str, dict[str, str]] = json.loads((output / "usage.json").read_text())
    return found


def busybox_step(room: Workshop, wanted: Wanted) -> Step:
    """The step that compiles BusyBox with everything on."""
    busybox = room.plan.busybox
    libraries = tuple(used for used in busybox.uses if used.name != "busybox-config")
    configured = Step(
        name="sizes-config",
        arch="any",
        script="busybox-config.sh",
        uses=tuple(used for used in libraries if used.name == "busybox-tree"),
        parameters={"UNNAMED": "default"},
        files={"requested.config": InputFile(dotconfig.text(wanted.base, set(wanted.texts)).encode())},
    )
    return Step(
        name="sizes-busybox",
        arch=busybox.arch,
        script="sizes-busybox.sh",
        uses=(configured, *libraries),
        parameters={**busybox.parameters, "CONFIGURED": configured.name},
    )


def variants_step(room: Workshop, wanted: Wanted, cache_dir: Path) -> Step:
    """The step that compiles its objects with other values."""
    base = busybox_step(room, wanted)
    source = room.sources["busybox"]
    followed = following(upstream_tree(source.path, cache_dir, source.digest), wanted)
    values = {name: dict(tried) for name, tried in wanted.values.items()}
    for name, others in followed.items():
        values[name]["n"] = {**values[name]["n"], **others}
    asked = {
        "values": values,
        "needed_by": wanted.needed_by,
        "followed_by": {name: list(others) for name, others in followed.items()},
        "further": FURTHER,
    }
    return Step(
        name="sizes-variants",
        arch=base.arch,
        script="sizes-variants.sh",
        uses=(base, *(used for used in base.uses if used.name != "sizes-config")),
        parameters={name: base.parameters[name] for name in ("TRIPLE", "CFLAGS_TARGET", "LDFLAGS_TARGET")},
        files={
            "variants.json": InputFile(json.dumps(asked, sort_keys=True).encode()),
            **{name: builder_file(f"steps/{name}") for name in _PROGRAMS},
        },
    )


def _opened(config: Configuration, cache_dir: Path, emit: Emit) -> AbstractContextManager[Workshop]:
    request = Request(config=config, cache_dir=cache_dir, out_dir=Path("out").absolute())
    return workshop.opened(request, emit=emit)
