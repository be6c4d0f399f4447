"""From compilations to a data file: BusyBox of one architecture, measured."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from kimitui.build import release as releases
from kimitui.build.events import Emit
from kimitui.config import Configuration
from kimitui.sizes import applets, compose, datafile, flagged, linker, packing, running, tarball, tools, usage
from kimitui.sizes import measure as compiling
from kimitui.sizes.applets import SCRIPTED, Applet
from kimitui.sizes.beside import beside
from kimitui.sizes.brought import LINKS
from kimitui.sizes.busybox import DATA, BusyBox
from kimitui.sizes.compose import Key
from kimitui.sizes.estimate import busybox_values
from kimitui.sizes.measure import Compiled
from kimitui.sizes.objects import Object
from kimitui.sizes.packing import Placed
from kimitui.sizes.wanted import busybox

_CUT = (*applets.TABLES, *applets.USAGE)
_TABLES_OBJECT = "libbb/appletlib.o"
_EVERYTHING = ("program",)
# It makes room for scripts in the program; without one, nothing of that is compiled.
_SCRIPTS = "FEATURE_SH_EMBEDDED_SCRIPTS"
# What there is for every symbol that a program imports: what tells a loader of it, and how it is called and addressed.
_IMPORTING = {
    "head": (".dynsym", ".dynstr", ".hash", ".gnu.hash", ".rela.dyn", ".rela.plt"),
    "text": (".plt", ".plt.sec", ".plt.got"),
    "relro": (".got", ".got.plt"),
}
_ARCHIVES = 12  # put together
Say = Callable[[str], None]


def _busybox(arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> str:
    """The text of BusyBox's data file for an architecture. Raises as `build` does."""
    wanted = busybox()
    config = compiling.configuration(arch, {})
    base = compiling.compiled(wanted, config, cache_dir, emit=emit)
    objects = dict(base.objects())
    variants = compiling.variants(wanted, config, cache_dir, emit=emit)
    possible = {**objects, **variants.further}
    texts = compiling.usage(wanted, config, cache_dir, emit=emit)
    say(f"{len(objects)} objects, {sum(map(len, variants.single.values()))} variants of them")
    found = list(applets.read(_member(base.output / "include.tar", "include/applets.h")))
    entries = _entries(found, possible, variants.further)
    starts_at = [(applet.conditions, node) for applet, node in entries]
    graph = compose.graph(possible, variants.single, variants.joint, _CUT)
    roots = [key for key in graph.nodes if key[0].startswith(compiling.START)]
    lasting = compose.lasting(graph, roots, starts_at)
    graph = compose.graph(possible, variants.single, variants.joint, _CUT, lasting)
    scripted = {symbol for applet, _ in entries if applet.main == SCRIPTED for symbol in applet.conditions}
    compose.replace_symbol(graph, _SCRIPTS, scripted)
    compose.drop_idle_terms(graph, roots, starts_at)
    fitted = usage.fitted(texts)
    numbered, keys = datafile.program(graph, roots, starts_at, {literal for literal, _, _ in fitted["terms"]})
    layouts = compiling.layouts(wanted, arch, cache_dir, static=True, emit=emit)
    data: dict[str, Any] = {
        "about": {
            "arch": arch,
            "toolchain": base.toolchain_digest,
            "tools": dict(base.tools),
            "sources": dict(base.sources),
            **compiling.usual_flags(arch),
        },
        "program": numbered,
        "applets": datafile.applets(entries, numbered["literals"], keys),
        "tables": _tables(keys),
        "rules": {name: linker.layout(path) for name, path in layouts.items()},
        "usage": _numbered_usage(fitted, numbered["literals"]),
    }
    small = compiling.program(config, cache_dir, emit=emit)
    everything = _values(base.output / "busybox.config")
    little = busybox_values(small.config), small.program
    linker.calibrate(BusyBox(data), data["rules"], everything, little)
    _pack(data, _Linked(keys, objects, texts["="], base, small), config, cache_dir, emit)
    data["dynamic"] = _dynamic(data, base, compiling.dynamic(wanted, arch, cache_dir, emit=emit), cache_dir, emit)
    return datafile.text(data, _EVERYTHING) + "\n"


def _member(archive: Path, name: str) -> str:
    with tarfile.open(archive) as members:
        file = members.extractfile(name)
        assert file is not None
        return file.read().decode()


def _entries(
    found: Iterable[Applet], objects: Mapping[str, Object], further: Collection[str]
) -> list[tuple[Applet, Key]]:
    """The applets that were compiled, with the node each begins at."""
    places: dict[str, list[Key]] = {}
    for name, content in objects.items():
        for symbol, index in content.defines.items():
            if symbol.endswith("_main") and index in content.sections:
                places.setdefault(symbol, []).append((name, content.sections[index].name))
    entries = []
    for applet in found:
        instead = any(not literal.startswith("!") for literal in applet.conditions[1:])
        here = [key for key in places.get(applet.main, ()) if (key[0] in further) == instead]
        if here := here or places.get(applet.main, []):
            entries.append((applet, here[0]))
    return entries


def _tables(keys: Iterable[Key]) -> dict[str, int]:
    return {
        name: number
        for number, (owner, section) in enumerate(keys)
        for name in (*applets.TABLES, "packed_usage")
        if owner == _TABLES_OBJECT and section.endswith(f".{name}")
    }


def _numbered_usage(fitted: Mapping[str, Any], literals: list[str]) -> dict[str, Any]:
    place = {literal: number for number, literal in enumerate(literals)}
    return {
        "fit": fitted["fit"],
        "lengths": fitted["lengths"],
        "weights": fitted["weights"],
        "terms": [[place[one], applet, size] for one, applet, size in fitted["terms"]],
    }


def _dynamic(
    data: Mapping[str, Any], base: Compiled, shared: compiling.Dynamic, cache_dir: Path, emit: Emit
) -> dict[str, Any]:
    """What follows from the same objects where the C library is shared: layouts, what an import takes, the library."""
    whole = shared.linked["pie-relro"]
    found: dict[str, Any] = {
        "import": dict.fromkeys(_IMPORTING, 0.0),
        "rules": {name: linker.layout(path) for name, path in shared.linked.items()},
        "libc": linker.library(shared.libraries),
    }
    everything = _values(base.output / "busybox.config")
    known = running.built(BusyBox({**data, "dynamic": found}, static=False), everything, ())
    sizes = linker.section_sizes(whole)
    names = known.contents.imports - known.imports * round(found["import"]["head"])
    for place, sections in _IMPORTING.items():
        size = sum(sizes.get(section, 0) for section in sections)
        found["import"][place] = round((size - (names if place == "head" else 0)) / known.imports, 4)
    config = compiling.configuration(data["about"]["arch"], {}, static=False)
    small = compiling.program(config, cache_dir, emit=emit)
    model = BusyBox({**data, "dynamic": found}, static=False)
    little = busybox_values(small.config), small.program
    linker.calibrate(model, found["rules"], everything, little)
    found["libc"]["packed"] |= _library_packed(shared.libraries[""], small, cache_dir, emit)
    found["together"] = _together(model, [(everything, whole), little])
    return found


def _library_packed(output: Path, small: compiling.Program, cache_dir: Path, emit: Emit) -> dict[str, int]:
    """By method, by how much an archive is larger with the C library in it."""
    files = {"lib/libc.so": (output / "lib" / "libc.so.stripped").read_bytes()}
    epoch = releases.load().source_date_epoch
    archives = [packing.archive(small.program.read_bytes(), [], some, epoch)[0] for some in (files, {})]
    measured = compiling.packed(small.config, archives, cache_dir, emit=emit)
    return {method: with_it - without for method, (with_it, without) in sorted(measured.items())}


@dataclass(frozen=True)
class _Linked:
    """The nodes in their order with the objects that they are of, and the two programs that were linked of such."""

    keys: Sequence[Key]
    objects: Mapping[str, Object]
    texts: Mapping[str, str]
    base: Compiled
    small: compiling.Program


def _pack(data: dict[str, Any], whole: _Linked, config: Configuration, cache_dir: Path, emit: Emit) -> None:
    """Measure what compression leaves of sections, and of archives that are put together from them."""
    found = packing.contents(whole.base.output / "busybox.unstripped", whole.keys, whole.objects)
    data["packed"] = packing.shares(found)
    names = [name for _, name, _, _ in data["applets"] if name != "busybox"]  # no link leads to itself
    tables = _tables_of(data, names, found, whole.texts)
    plain = usage.plain(list(whole.texts.values()))
    data["packing"] = {
        "tables": {name: packing.share(content) for name, content in {**tables, "usage_messages": plain}.items()}
    }
    everything = _values(whole.base.output / "busybox.config")
    programs = [
        (everything, whole.base.output / "busybox"),
        (busybox_values(whole.small.config), whole.small.program),
    ]
    data["packing"]["together"] = _together(BusyBox(data), programs)
    model = BusyBox(data)
    sizes = model.sizes(())
    around = beside(config, whole.base.toolchain_digest, cache_dir, lambda plan: {}).contents
    links = {name: link.removeprefix("/") for _, name, link, _ in data["applets"]}
    archives = []

    texts = b"".join(around.values())

    def add(body: bytes, some: Iterable[str], packed: float, *, linked: bool) -> None:
        content, members = packing.archive(body, sorted(some), around, releases.load().source_date_epoch)
        both = (packed, float(tarball.deflated(texts))), (float(len(body)), float(len(texts)))
        archives.append(packing.Archive(content, *both, members, linked))

    for some in packing.draws(_ARCHIVES, names):
        # Without the tables of the whole program.
        nodes = [node for node in model.needed(everything, some) if found[node].content and sizes[node]]
        tables = _tables_of(data, some, found, whole.texts)
        packed = model.packed_tables({name: len(content) for name, content in tables.items()})
        body = packing.program(_parts(data, nodes, found, tables))
        code, rest = model.packed_of(nodes)
        add(body, (links[name] for name in some), model.packed(code, rest + packed), linked=False)
    # And the programs that there are.
    for values, program in programs:
        packed = running.built(model, values, ()).packed_bytes
        add(program.read_bytes(), model.links(values), packed, linked=True)
    measured = compiling.packed(config, [one.content for one in archives], cache_dir, emit=emit)
    data["packing"]["methods"] = packing.fitted(archives, measured)


def _together(model: BusyBox, programs: Iterable[tuple[Mapping[str, str], Path]]) -> list[float]:
    """How what deflate leaves of sections becomes what it leaves of code, and of all the rest; see `BusyBox.packed`."""
    shares, rest = [], []
    for values, program in programs:
        with program.open("rb") as file:
            elf: Any = ELFFile(file)
            code = tarball.deflated(elf.get_section_by_name(".text").data())
        left = tarball.deflated(program.read_bytes()) - code
        sections = running.Running(model).sections(values)
        shares.append(code / sections[0])
        rest.append((sections[1], left / sections[1]))
    (large, at_large), (small, at_small) = rest
    growing = (at_large - at_small) / (large - small)
    return [round(sum(shares) / len(shares), 5), round(at_small - growing * small, 5), round(1e6 * growing, 5)]


def _parts(
    data: Mapping[str, Any], nodes: Sequence[int], found: Sequence[Placed], tables: Mapping[str, bytes]
) -> list[bytes]:
    """What a program of these nodes consists of: code, read-only data, the rest, each in the order of the whole one."""
    parts: dict[str, list[bytes]] = {"text": [], "rodata": [], "data": []}
    for node in sorted(nodes, key=lambda node: found[node].offset):
        kind = data["program"]["nodes"][node][2]
        if kind != "bss":
            kind = "rodata" if kind == "jumps" else kind if kind in parts else "data"
            parts[kind].append(found[node].content)
    for name, content in tables.items():
        parts["data" if name == "applet_main" else "rodata"].append(content)
    return [b"".join(part) for part in parts.values()]


def _tables_of(
    data: Mapping[str, Any], names: Collection[str], found: Sequence[Placed], texts: Mapping[str, str]
) -> dict[str, bytes]:
    """The tables of applets by these names, nearly as the build makes them."""
    chosen = [(name, link, node) for _, name, link, node in data["applets"] if name in names]
    places = [link.rpartition("/")[0] for _, link, _ in chosen]
    kinds = sorted(set(places))
    return {
        "applet_main": b"".join(found[node].offset.to_bytes(8, "little") for _, _, node in chosen),
        "applet_names": b"".join(name.encode() + b"\0" for name, _, _ in chosen),
        "applet_install_loc": bytes(kinds.index(place) for place in places)[::2],
        "packed_usage": usage.compressed([texts[name] for name, _, _ in chosen if name in texts]),
    }


def _values(config: Path) -> dict[str, str]:
    lines = (line.removeprefix("CONFIG_").partition("=") for line in config.read_text().splitlines() if "=" in line)
    return {name: value.strip('"') for name, _, value in lines}


def _flags(arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> str:
    """The text of the data file of what flags make of the program in BusyBox's data file. Raises as `build` does."""
    known = json.loads((DATA / f"busybox-{arch}.json").read_text())
    measured = compiling.flagged(busybox(), arch, cache_dir, emit=emit)
    say(f"{sum(map(len, measured.objects.values()))} objects under {len(measured.objects)} sets of flags")
    numbers = flagged.nodes(known["program"])
    library = {
        (name.replace(".lo", ".o"), held, kind): number
        for (name, held, kind), number in numbers.items()
        if name.startswith("libc.a:")
    }
    changes = {name: flagged.by_node(measured.plain, one, numbers) for name, one in sorted(measured.objects.items())}
    for name, found in changes.items():
        found.update(flagged.by_node(measured.plain_library, measured.libraries[name], library))
    names, singles = list(changes), [name for name in changes if "+" not in name]
    for name in names:
        for part in name.split("+") if name not in singles else ():
            changes[name].subtract(changes[part])
    data = {
        "about": {**known["about"], "program": flagged.digest(known["program"])},
        "names": names,
        "nodes": flagged.rows([changes[name] for name in names]),
        "usual": {name: flagged.fitted(measured.plain, measured.objects[name]) for name in singles},
        "packing": {name: list(measured.packing[name]) for name in singles},
    }
    return datafile.text(data) + "\n"


def _packages(arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> str:
    """The text of the data file of all packages of an architecture and its initramfs, under the usual flags."""
    toolchain, found, initramfs_bytes = compiling.packages(arch, cache_dir, static=True, emit=emit)
    _, shared, _ = compiling.packages(arch, cache_dir, static=False, emit=emit)
    say(f"{len(found)} packages, {len(shared)} with shared libraries")
    data = {
        "about": {
            "arch": arch,
            "toolchain": toolchain.digest,
            "tools": tools.of(toolchain.packages, arch),
            **compiling.usual_flags(arch),
        },
        "initramfs": {"bytes": initramfs_bytes},
        LINKS[True]: {name: one.as_data() for name, one in sorted(found.items())},
        LINKS[False]: {name: one.as_data() for name, one in sorted(shared.items())},
    }
    return datafile.text(data) + "\n"


MEASURES: Mapping[str, Callable[..., str]] = {"busybox": _busybox, "flags": _flags, "packages": _packages}


def measure(what: str, arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> Path:
    """Measure `what` for an architecture and write its data file; returns where. Raises as `build` does."""
    path = DATA / f"{what}-{arch}.json"
    path.write_text(MEASURES[what](arch, cache_dir, emit=emit, say=say))
    return path
