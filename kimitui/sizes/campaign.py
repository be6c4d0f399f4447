"""From compilations to a data file: BusyBox of one architecture, measured."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from kimitui.build import release as releases
from kimitui.build.events import Emit
from kimitui.config import Configuration
from kimitui.sizes import applets, compose, datafile, packing, running, tarball, tools, usage
from kimitui.sizes import measure as compiling
from kimitui.sizes.applets import Applet
from kimitui.sizes.beside import beside
from kimitui.sizes.brought import LINKS
from kimitui.sizes.busybox import DATA, DEFLATE, BusyBox
from kimitui.sizes.compose import Graph, Key
from kimitui.sizes.estimate import busybox_values
from kimitui.sizes.layout import PAGE_BYTES, Contents, Rules, file_bytes, up
from kimitui.sizes.measure import Compiled
from kimitui.sizes.objects import Object
from kimitui.sizes.packing import Placed
from kimitui.sizes.wanted import busybox

_CUT = (*applets.TABLES, *applets.USAGE)
_TABLES_OBJECT = "libbb/appletlib.o"
_EVERYTHING = ("program",)
# What there is for every symbol that a program imports: what tells a loader of it, and how it is called and addressed.
_IMPORTING = {
    "head": (".dynsym", ".dynstr", ".hash", ".gnu.hash", ".rela.dyn", ".rela.plt"),
    "text": (".plt", ".plt.sec", ".plt.got"),
    "relro": (".got", ".got.plt"),
}
_ARCHIVES = 12  # put together
_PARTS = ("part", "isra", "constprop", "cold")
# Headers, code, read-only data, the rest; without pages of its own for code there are two.
_SEPARATE_SEGMENTS = 4
_STUB_BYTES = 4096
_STUB = re.compile(rb"\0{2048,}")
Say = Callable[[str], None]


def _busybox(arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> str:
    """The text of BusyBox's data file for an architecture. Raises as `build` does."""
    wanted = busybox()
    config = compiling.configuration(arch, {})
    base = compiling.compiled(wanted, config, cache_dir, emit=emit)
    objects = dict(base.objects())
    variants, further = compiling.variants(wanted, config, cache_dir, emit=emit)
    texts = compiling.usage(wanted, config, cache_dir, emit=emit)
    say(f"{len(objects)} objects, {sum(map(len, variants.values()))} variants of them")
    plain = compose.graph(objects, {}, _CUT)
    starts = [key for key in plain.nodes if key[0].startswith(compiling.START)]
    certain = {owner for owner, _ in compose.reachable(plain, starts)}
    graph = compose.graph({**objects, **further}, variants, _CUT, certain)
    found = list(applets.read(_member(base.output / "include.tar", "include/applets.h")))
    entries = _entries(found, {**objects, **further}, further)
    roots = [key for key in graph.nodes if key[0].startswith(compiling.START)]
    _without_idle_terms(graph, roots, entries)
    fitted = usage.fitted(texts)
    starts_at = [(applet.conditions, node) for applet, node in entries]
    numbered, keys = datafile.program(graph, roots, starts_at, {literal for literal, _, _ in fitted["terms"]})
    other = compiling.other_flags(wanted, arch, cache_dir, emit=emit)
    say(f"{sum(map(len, other.objects.values()))} objects under {len(other.objects)} sets of flags")
    data: dict[str, Any] = {
        "about": {
            "arch": arch,
            "toolchain": base.toolchain_digest,
            "tools": dict(base.tools),
            "sources": dict(base.sources),
            "compile": list(base.compile),
        },
        "program": numbered,
        "applets": datafile.applets(entries, numbered["literals"], keys),
        "tables": _tables(keys),
        "flags": {name: _flag_effect(objects, found) for name, found in sorted(other.objects.items())},
        "flag_packing": {name: list(pair) for name, pair in sorted(other.packing.items())},
        "rules": {name: _layout(path) for name, path in other.linked.items()},
        "usage": _numbered_usage(fitted, numbered["literals"]),
    }
    small = compiling.program(config, cache_dir, emit=emit)
    _calibrate(BusyBox(data), data["rules"], other.linked, base, small)
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


def _without_idle_terms(graph: Graph, roots: Iterable[Key], entries: Iterable[tuple[Applet, Key]]) -> None:
    """Drop the terms of nodes that are not there anyway when their symbol is off, and edges from them."""
    roots, entries = list(roots), list(entries)
    symbols = {literal[1:] for terms in graph.terms.values() for literal in terms if literal[0] == "!"}
    alone = {literal for applet, _ in entries for literal in applet.conditions}
    for symbol in sorted(symbols & alone):
        starts = [*roots, *(node for applet, node in entries if symbol not in applet.conditions)]
        needed = compose.reachable(graph, starts)
        for key, terms in graph.terms.items():
            if key not in needed:
                terms.pop(f"!{symbol}", None)


def _tables(keys: Iterable[Key]) -> dict[str, int]:
    return {
        name: number
        for number, (owner, section) in enumerate(keys)
        for name in (*applets.TABLES, "packed_usage")
        if owner == _TABLES_OBJECT and section.endswith(f".{name}")
    }


def _flag_effect(base: Mapping[str, Object], other: Mapping[str, Object]) -> dict[str, list[float]]:
    """What flags add to a section of each kind: bytes each, and bytes for every byte; fitted to a sample."""
    found: dict[str, list[float]] = {}
    for kind in ("text", "rodata", "jumps"):
        pairs = [pair for name, content in other.items() for pair in _pairs(base[name], content, kind)]
        number, size = float(len(pairs)), float(sum(old for old, _ in pairs))
        squares = float(sum(old * old for old, _ in pairs))
        total, product = float(sum(more for _, more in pairs)), float(sum(old * more for old, more in pairs))
        determinant = number * squares - size * size
        if determinant:
            each = (total * squares - product * size) / determinant
            found[kind] = [round(each, 4), round((total - each * number) / size, 6)]
    return found


def _pairs(base: Object, other: Object, kind: str) -> list[tuple[int, int]]:
    """Sizes of a kind's sections, and what they grow by; parts that a compiler splits off count with the whole."""
    before, after = _by_whole(base, kind), _by_whole(other, kind)
    return [(size, after[name] - size) for name, size in before.items() if name in after and size]


def _by_whole(content: Object, kind: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for section in content.sections.values():
        if section.kind == kind and not section.pieces:
            name = ".".join(word for word in section.name.split(".") if not word.isdigit() and word not in _PARTS)
            sizes[name] = sizes.get(name, 0) + section.size_bytes
    return sizes


def _numbered_usage(fitted: Mapping[str, Any], literals: list[str]) -> dict[str, Any]:
    place = {literal: number for number, literal in enumerate(literals)}
    return {
        "fit": fitted["fit"],
        "lengths": fitted["lengths"],
        "weights": fitted["weights"],
        "terms": [[place[one], applet, size] for one, applet, size in fitted["terms"]],
    }


def _layout(program: Path) -> dict[str, Any]:
    """What a linked program shows of its layout, contents included."""
    with program.open("rb") as file:
        elf: Any = ELFFile(file)
        sections = {section.name: section for section in elf.iter_sections()}
        loaded = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
        protected = any(segment["p_type"] == "PT_GNU_RELRO" for segment in elf.iter_segments())

    def end(name: str) -> int:
        return int(sections[name]["sh_offset"] + sections[name]["sh_size"])

    code = [name for name, one in sections.items() if one["sh_flags"] & 4 and one["sh_size"]]
    first = min(int(sections[name]["sh_offset"]) for name in code)
    writable = next(segment for segment in loaded if segment["p_flags"] & 2)
    read_only_end = max(end(name) for name, one in sections.items() if one["sh_flags"] & 7 == 2)
    separate = len(loaded) == _SEPARATE_SEGMENTS
    return {
        "head_bytes": int(loaded[0]["p_filesz"]) if separate else first,
        "text_bytes": max(map(end, code)) - first,
        "rodata_bytes": read_only_end - (int(sections[".rodata"]["sh_offset"]) if separate else max(map(end, code))),
        "relro_bytes": int(sections[".data"]["sh_offset"] - writable["p_offset"]),
        "data_bytes": int(sections[".data"]["sh_size"]),
        "bss_bytes": int(writable["p_memsz"] - writable["p_filesz"]),
        "tail_bytes": program.stat().st_size - up(end(".data"), 8),
        "text_rate": 0.0,
        "rodata_rate": 0.0,
        "separate_code": separate,
        "protected": protected,
        # What is made read-only ends with the largest page that a kernel can have: 64 kB on arm64.
        "page_bytes": int(writable["p_align"]) if protected else PAGE_BYTES,
    }


def _stub_bytes(program: Path) -> int:
    """What GNU ld has added between functions: on arm64, for Cortex-A53's erratum 843419, a page wherever the
    instructions may need it, all zeros but for a few. Where they do is up to chance."""
    with program.open("rb") as file:
        elf: Any = ELFFile(file)
        return _STUB_BYTES * len(_STUB.findall(elf.get_section_by_name(".text").data()))


def _calibrate(
    model: BusyBox,
    rules_of: Mapping[str, dict[str, Any]],
    linked: Mapping[str, Path],
    base: Compiled,
    small: compiling.Program,
) -> None:
    """Take from layouts what the model knows of, so that two programs come out as they are: the whole, and a small one.

    What is left is in part the same for every program, in part it grows with it. Of what is up to chance, each gets as
    much as those that were `linked` have on average.
    """
    stubs = {name: _stub_bytes(path) for name, path in linked.items()}
    chance = sum(stubs.values()) / sum(rules["text_bytes"] for rules in rules_of.values())
    for name, rules in rules_of.items():
        rules["text_bytes"] -= stubs[name]
    contents = running.built(model, _values(base.output / "busybox.config"), ()).contents
    usual = rules_of["pie-relro"]
    little = running.built(model, busybox_values(small.config), ()).contents
    layout = _layout(small.program)
    layout["text_bytes"] -= _stub_bytes(small.program)
    rates = {}
    for kind, whole, part in (("text", contents.text, little.text), ("rodata", contents.rodata, little.rodata)):
        left = usual[f"{kind}_bytes"] - whole, layout[f"{kind}_bytes"] - part
        rates[kind] = (left[0] - left[1]) / (whole - part)
    heads = usual["head_bytes"] - contents.imports, layout["head_bytes"] - little.imports
    relocated = (heads[0] - heads[1]) / (contents.relro - little.relro)
    for name, rules in rules_of.items():
        for kind, whole in (("text", contents.text), ("rodata", contents.rodata)):
            rules[f"{kind}_rate"] = round(rates[kind], 6)
            rules[f"{kind}_bytes"] -= round(whole * (1 + rules[f"{kind}_rate"]))
        rules["text_rate"] = round(rules["text_rate"] + chance, 6)
        # A program that is always at the same place has no relocations for its own addresses.
        rules["head_rate"] = round(relocated, 4) if name.startswith("pie") else 0.0
        rules["head_bytes"] -= contents.imports + round(contents.relro * rules["head_rate"])
        rules["relro_bytes"] -= contents.relro
        rules["data_bytes"] -= contents.data
        rules["bss_bytes"] -= contents.bss


def _dynamic(
    data: Mapping[str, Any], base: Compiled, shared: compiling.Dynamic, cache_dir: Path, emit: Emit
) -> dict[str, Any]:
    """What follows from the same objects where the C library is shared: layouts, what an import takes, the library."""
    whole = shared.linked["pie-relro"]
    found: dict[str, Any] = {
        "import": dict.fromkeys(_IMPORTING, 0.0),
        "rules": {name: _layout(path) for name, path in shared.linked.items()},
        "libc": _library(shared.libraries),
    }
    everything = _values(base.output / "busybox.config")
    known = running.built(BusyBox({**data, "dynamic": found}, static=False), everything, ())
    sizes = _section_sizes(whole)
    names = known.contents.imports - known.imports * round(found["import"]["head"])
    for place, sections in _IMPORTING.items():
        size = sum(sizes.get(section, 0) for section in sections)
        found["import"][place] = round((size - (names if place == "head" else 0)) / known.imports, 4)
    config = compiling.configuration(data["about"]["arch"], {}, static=False)
    small = compiling.program(config, cache_dir, emit=emit)
    model = BusyBox({**data, "dynamic": found}, static=False)
    _calibrate(model, found["rules"], shared.linked, base, small)
    found["libc"]["packed"] |= _library_packed(shared.libraries[""], small, cache_dir, emit)
    found["together"] = _together(model, [(everything, whole), (busybox_values(small.config), small.program)])
    return found


def _library(outputs: Mapping[str, Path]) -> dict[str, Any]:
    """What a shared C library takes: its layout, and by flags what they add to its code and to what deflate leaves."""
    programs = {name: output / "lib" / "libc.so.stripped" for name, output in outputs.items()}
    code = {name: _layout(program)["text_bytes"] for name, program in programs.items()}
    packed = {name: tarball.deflated(program.read_bytes()) for name, program in programs.items()}
    rules = _layout(programs[""])
    # What fills its data up to what is not in the file.
    rules["tail_bytes"] += programs[""].stat().st_size - file_bytes(Contents(0, 0, 0, 0, 0), Rules(**rules))
    return {
        "rules": rules,
        "packed": {DEFLATE: packed[""]},
        "flags": {name: [code[name] - code[""], packed[name] - packed[""]] for name in sorted(programs) if name},
    }


def _library_packed(output: Path, small: compiling.Program, cache_dir: Path, emit: Emit) -> dict[str, int]:
    """By method, by how much an archive is larger with the C library in it."""
    files = {"lib/libc.so": (output / "lib" / "libc.so.stripped").read_bytes()}
    epoch = releases.load().source_date_epoch
    archives = [packing.archive(small.program.read_bytes(), [], some, epoch)[0] for some in (files, {})]
    measured = compiling.packed(small.config, archives, cache_dir, emit=emit)
    return {method: with_it - without for method, (with_it, without) in sorted(measured.items())}


def _section_sizes(program: Path) -> dict[str, int]:
    """Bytes by section; of relocations, those that name a symbol: the others are not for the sake of imports."""
    with program.open("rb") as file:
        elf: Any = ELFFile(file)
        return {section.name: _size_of(section) for section in elf.iter_sections()}


def _size_of(section: Any) -> int:
    if not isinstance(section, RelocationSection):
        return int(section["sh_size"])
    named = sum(1 for relocation in section.iter_relocations() if relocation["r_info_sym"])
    return named * int(section["sh_entsize"])


@dataclass(frozen=True)
class _Linked:
    """The nodes in their order with the objects that they are of, and the two programs that were linked of such."""

    keys: Sequence[Key]
    objects: Mapping[str, Object]
    texts: Mapping[str, str]
    base: Compiled
    small: compiling.Program


def _pack(data: dict[str, Any], linked: _Linked, config: Configuration, cache_dir: Path, emit: Emit) -> None:
    """Measure what compression leaves of sections, and of archives that are put together from them."""
    found = packing.contents(linked.base.output / "busybox.unstripped", linked.keys, linked.objects)
    data["packed"] = packing.shares(found)
    names = [name for _, name, _, _ in data["applets"] if name != "busybox"]  # no link leads to itself
    tables = _tables_of(data, names, found, linked.texts)
    plain = usage.plain(list(linked.texts.values()))
    data["packing"] = {
        "tables": {name: packing.share(content) for name, content in {**tables, "usage_messages": plain}.items()}
    }
    everything = _values(linked.base.output / "busybox.config")
    programs = [
        (everything, linked.base.output / "busybox"),
        (busybox_values(linked.small.config), linked.small.program),
    ]
    data["packing"]["together"] = _together(BusyBox(data), programs)
    model = BusyBox(data)
    sizes = model.sizes(())
    around = beside(config, linked.base.toolchain_digest, cache_dir, lambda plan: {}).contents
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
        tables = _tables_of(data, some, found, linked.texts)
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


def _packages(arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> str:
    """The text of the data file of all packages of an architecture and its initramfs, under the usual flags."""
    toolchain, found, initramfs_bytes = compiling.packages(arch, cache_dir, static=True, emit=emit)
    _, shared, _ = compiling.packages(arch, cache_dir, static=False, emit=emit)
    say(f"{len(found)} packages, {len(shared)} with shared libraries")
    data = {
        "about": {"arch": arch, "toolchain": toolchain.digest, "tools": tools.of(toolchain.packages, arch)},
        "initramfs": {"bytes": initramfs_bytes},
        LINKS[True]: {name: one.as_data() for name, one in sorted(found.items())},
        LINKS[False]: {name: one.as_data() for name, one in sorted(shared.items())},
    }
    return datafile.text(data) + "\n"


MEASURES: Mapping[str, Callable[..., str]] = {"busybox": _busybox, "packages": _packages}


def measure(what: str, arch: str, cache_dir: Path, *, emit: Emit, say: Say) -> Path:
    """Measure `what` for an architecture and write its data file; returns where. Raises as `build` does."""
    path = DATA / f"{what}-{arch}.json"
    path.write_text(MEASURES[what](arch, cache_dir, emit=emit, say=say))
    return path
