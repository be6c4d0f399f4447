"""Whether programs are what the hardening menu asks for: read back from the ELF files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kimitui.build import elf
from kimitui.build.elf import ElfFacts
from kimitui.build.plan.context import Context
from kimitui.errors import BuildError


def check(context: Context, static: bool, programs: Sequence[Path], libraries: Sequence[Path] = ()) -> None:
    """Raise BuildError if `programs` and shared `libraries` were not compiled and linked as the configuration asks.

    They are of one build, and have their symbols. A program without any buffer has no use for the stack protector, so
    one of them has to have it, but not each.
    """
    facts = {path: elf.read(path) for path in (*programs, *libraries)}
    wanted = context.config.choice("HARDENING_STACK_PROTECTOR")
    canaries = {
        f"stack protector {wanted}": any(one.stack_protector for one in facts.values()) == (wanted != "none"),
    }
    for path, found in facts.items():
        checks = _common(context, static, found) | canaries
        if path in programs:
            checks |= _program(context, static, found)
        if broken := [what for what, holds in checks.items() if not holds]:
            raise BuildError(
                f"{path.name} was not built as the preset asks: {', '.join(broken)}",
                details=(f"the file says: {found}",),
                fix="This is a defect of the builder; please report it with the preset.",
            )


def _common(context: Context, static: bool, facts: ElfFacts) -> dict[str, bool]:
    relro = context.config.choice("HARDENING_RELRO")
    return {
        f"architecture {context.arch.name}": facts.machine == context.arch.elf_machine,
        "non-executable stack": facts.nx,
        f"RELRO {relro}": facts.relro == relro or (static and relro != "none" and facts.relro != "none"),
    }


def _program(context: Context, static: bool, facts: ElfFacts) -> dict[str, bool]:
    pie = context.config.is_on("HARDENING_PIE")
    return {
        f"{'static' if static else 'dynamic'} linking": (facts.interpreter is None) == static,
        f"PIE {'on' if pie else 'off'}": facts.pie == pie,
        "all addresses set when it starts": facts.bound,
    }
