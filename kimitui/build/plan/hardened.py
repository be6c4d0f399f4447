"""Whether a program is what the hardening menu asks for: read back from the ELF file."""

from __future__ import annotations

from pathlib import Path

from kimitui.build import elf
from kimitui.build.plan.context import Context
from kimitui.errors import BuildError


def check(context: Context, static: bool, program: Path) -> None:
    """Raise BuildError if a program, with its symbols, was not compiled and linked as the configuration asks."""
    facts = elf.read(program)
    config = context.config
    relro = config.choice("HARDENING_RELRO")
    checks = {
        f"architecture {context.arch.name}": facts.machine == context.arch.elf_machine,
        "non-executable stack": facts.nx,
        f"{'static' if static else 'dynamic'} linking": (facts.interpreter is None) == static,
        f"PIE {'on' if config.is_on('HARDENING_PIE') else 'off'}": facts.pie == config.is_on("HARDENING_PIE"),
        f"RELRO {relro}": facts.relro == relro or (static and relro != "none" and facts.relro != "none"),
        f"stack protector {config.choice('HARDENING_STACK_PROTECTOR')}": facts.stack_protector
        == (config.choice("HARDENING_STACK_PROTECTOR") != "none"),
    }
    if broken := [what for what, holds in checks.items() if not holds]:
        raise BuildError(
            f"{program.name} was not built as the preset asks: {', '.join(broken)}",
            details=(f"the file says: {facts}",),
            fix="This is a defect of the builder; please report it with the preset.",
        )
