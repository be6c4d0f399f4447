"""What an ELF file really is, whatever the compiler was told."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import StringTableSection, SymbolTableSection
from elftools.elf.segments import InterpSegment

from kimitui.errors import BuildError

_DF_BIND_NOW = 0x8
_DF_1_NOW = 0x1
_PF_X = 0x1
_PF_W = 0x2

# The number of R_<architecture>_RELATIVE; glibc's headers <elf.h> have them.
_RELATIVE = {"EM_X86_64": 8, "EM_386": 8, "EM_AARCH64": 1027, "EM_RISCV": 3}


@dataclass(frozen=True)
class ElfFacts:
    """`relro` is `none`, `partial` or `full`; `stack_protector` is None where symbols were stripped away.

    `nx` says that neither the stack nor anything that is loaded is both writable and executable, `bound` that nothing
    is left to a loader where there is none: the start code of a static program only adds where it was loaded.
    """

    machine: str
    pie: bool
    interpreter: str | None
    needed: tuple[str, ...]
    relro: str
    nx: bool
    bound: bool
    stack_protector: bool | None

    def as_data(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {**asdict(self), "needed": list(self.needed)}


def read(path: Path) -> ElfFacts:
    """The facts of a program. Raises BuildError where the file is not ELF."""
    with path.open("rb") as file:
        try:
            elf = ELFFile(file)
        except ELFError as error:
            raise BuildError(f"{path.name} is not an ELF file: {error}", where=path) from error
        segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
        dynamic = next((s for s in elf.iter_sections() if isinstance(s, DynamicSection)), None)
        tags = list(dynamic.iter_tags()) if dynamic else []
        now = any(
            tag.entry.d_tag == "DT_BIND_NOW"
            or (tag.entry.d_tag == "DT_FLAGS" and tag.entry.d_val & _DF_BIND_NOW)
            or (tag.entry.d_tag == "DT_FLAGS_1" and tag.entry.d_val & _DF_1_NOW)
            for tag in tags
        )
        interpreter = next((s.get_interp_name() for s in segments.values() if isinstance(s, InterpSegment)), None)
        strings = elf.get_section(dynamic["sh_link"]) if dynamic else None
        needed = (
            tuple(strings.get_string(tag.entry.d_val) for tag in tags if tag.entry.d_tag == "DT_NEEDED")
            if isinstance(strings, StringTableSection)
            else ()
        )
        relro = "PT_GNU_RELRO" in segments
        stack = segments.get("PT_GNU_STACK")
        tables = [s for s in elf.iter_sections() if isinstance(s, SymbolTableSection)]
        # A static program has no symbols that it must import: once it is stripped, nothing can be said.
        known = any(table.name == ".symtab" for table in tables) or interpreter is not None
        return ElfFacts(
            machine=elf["e_machine"],
            pie=elf["e_type"] == "ET_DYN",
            interpreter=interpreter,
            needed=needed,
            # Without dynamic linking nothing is bound lazily: what is read-only after start is all there is.
            relro="none" if not relro else "full" if now or interpreter is None else "partial",
            nx=stack is not None
            and not stack["p_flags"] & _PF_X
            and not any(
                segment["p_flags"] & _PF_W and segment["p_flags"] & _PF_X
                for segment in elf.iter_segments()
                if segment["p_type"] == "PT_LOAD"
            ),
            bound=interpreter is not None or bool(needed) or _only_relative(elf),
            stack_protector=any(table.get_symbol_by_name("__stack_chk_fail") for table in tables) if known else None,
        )


def _only_relative(elf: ELFFile) -> bool:
    """Whether every relocation of a linked program is relative; shared libraries are not asked."""
    wide = elf.elfclass == 64
    for section in elf.iter_sections():
        if isinstance(section, RelocationSection):
            entry = struct.Struct("<QQ" if wide else "<II")
            data, size = section.data(), section["sh_entsize"]
            for at in range(0, len(data), size):
                kind = entry.unpack_from(data, at)[1] & (0xFFFFFFFF if wide else 0xFF)
                if kind != _RELATIVE[elf["e_machine"]]:
                    return False
    return True
