"""What linked programs show of how a linker lays them out, and of what it adds to what objects have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from kimitui.sizes import erratum, running, tarball
from kimitui.sizes.busybox import DEFLATE, BusyBox
from kimitui.sizes.layout import PAGE_BYTES, Contents, Rules, file_bytes, up

# Headers, code, read-only data, the rest; without pages of its own for code there are two.
_SEPARATE_SEGMENTS = 4
# A page for an instruction that was moved: all zeros but for that.
_MOVED = re.compile(rb"\0{2048,}")


def layout(program: Path) -> dict[str, Any]:
    """What a linked program shows of its layout, contents included."""
    with program.open("rb") as file:
        elf: Any = ELFFile(file)
        sections = {section.name: section for section in elf.iter_sections()}
        loaded = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
        protected = any(segment["p_type"] == "PT_GNU_RELRO" for segment in elf.iter_segments())
        text = sections[".text"].data() if elf["e_machine"] == "EM_AARCH64" else b""

    def end(name: str) -> int:
        return int(sections[name]["sh_offset"] + sections[name]["sh_size"])

    code = [name for name, one in sections.items() if one["sh_flags"] & 4 and one["sh_size"]]
    first = min(int(sections[name]["sh_offset"]) for name in code)
    writable = next(segment for segment in loaded if segment["p_flags"] & 2)
    read_only_end = max(end(name) for name, one in sections.items() if one["sh_flags"] & 7 == 2)
    separate = len(loaded) == _SEPARATE_SEGMENTS
    moved = erratum.PAGE_BYTES * len(_MOVED.findall(text))
    rate = {"erratum_rate": round(erratum.expected_bytes(text) / (len(text) - moved), 6)} if text else {}
    return {
        "head_bytes": int(loaded[0]["p_filesz"]) if separate else first,
        "text_bytes": max(map(end, code)) - first - moved,
        "rodata_bytes": read_only_end - (int(sections[".rodata"]["sh_offset"]) if separate else max(map(end, code))),
        "relro_bytes": int(sections[".data"]["sh_offset"] - writable["p_offset"]),
        "data_bytes": int(sections[".data"]["sh_size"]),
        "bss_bytes": int(writable["p_memsz"] - writable["p_filesz"]),
        "tail_bytes": program.stat().st_size - up(end(".data"), 8),
        "text_rate": 0.0,
        "rodata_rate": 0.0,
        **rate,
        "separate_code": separate,
        "protected": protected,
        # What is made read-only ends with the largest page that a kernel can have: 64 kB on arm64.
        "page_bytes": int(writable["p_align"]) if protected else PAGE_BYTES,
    }


def library(outputs: Mapping[str, Path]) -> dict[str, Any]:
    """What a shared C library takes: its layout, and by flags what they add to its code and to what deflate leaves."""
    programs = {name: output / "lib" / "libc.so.stripped" for name, output in outputs.items()}
    code = {name: layout(program)["text_bytes"] for name, program in programs.items()}
    packed = {name: tarball.deflated(program.read_bytes()) for name, program in programs.items()}
    rules = layout(programs[""])
    # What fills its data up to what is not in the file.
    rules["tail_bytes"] += programs[""].stat().st_size - file_bytes(Contents(0, 0, 0, 0, 0), Rules(**rules))
    return {
        "rules": rules,
        "packed": {DEFLATE: packed[""]},
        "flags": {name: [code[name] - code[""], packed[name] - packed[""]] for name in sorted(programs) if name},
    }


def section_sizes(program: Path) -> dict[str, int]:
    """Bytes by section; of relocations, those that name a symbol: the others are not for the sake of imports."""
    with program.open("rb") as file:
        elf: Any = ELFFile(file)
        return {section.name: _size_of(section) for section in elf.iter_sections()}


def _size_of(section: Any) -> int:
    if not isinstance(section, RelocationSection):
        return int(section["sh_size"])
    named = sum(1 for relocation in section.iter_relocations() if relocation["r_info_sym"])
    return named * int(section["sh_entsize"])


def calibrate(
    model: BusyBox,
    rules_of: Mapping[str, dict[str, Any]],
    everything: Mapping[str, str],
    small: tuple[Mapping[str, str], Path],
) -> None:
    """Take from layouts what the model knows of, so that two programs come out as they are: the whole, and a small one.

    The whole has the symbols' values `everything`; of the small one there are such, and the program.

    What is left is in part the same for every program, in part it grows with it.
    """
    contents = running.built(model, everything, ()).contents
    usual = rules_of["pie-relro"]
    values, program = small
    little = running.built(model, values, ()).contents
    other = layout(program)
    rates = {}
    for kind, whole, part in (("text", contents.text, little.text), ("rodata", contents.rodata, little.rodata)):
        left = usual[f"{kind}_bytes"] - whole, other[f"{kind}_bytes"] - part
        rates[kind] = (left[0] - left[1]) / (whole - part)
    heads = usual["head_bytes"] - contents.imports, other["head_bytes"] - little.imports
    relocated = (heads[0] - heads[1]) / (contents.relro - little.relro)
    for name, rules in rules_of.items():
        for kind, whole in (("text", contents.text), ("rodata", contents.rodata)):
            rules[f"{kind}_rate"] = round(rates[kind], 6)
            rules[f"{kind}_bytes"] -= round(whole * (1 + rules[f"{kind}_rate"]))
        # A program that is always at the same place has no relocations for its own addresses.
        rules["head_rate"] = round(relocated, 4) if name.startswith("pie") else 0.0
        rules["head_bytes"] -= contents.imports + round(contents.relro * rules["head_rate"])
        rules["relro_bytes"] -= contents.relro
        rules["data_bytes"] -= contents.data
        rules["bss_bytes"] -= contents.bss
