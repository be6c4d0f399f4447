"""What the hardening menu means to the compiler and to the linker."""

from __future__ import annotations

from dataclasses import dataclass

from kimitui.config import Configuration


@dataclass(frozen=True)
class Flags:
    """Flags for all code that ends up in the image.

    `libc` are those for musl itself, to compile and to link it, `compile` and `link` those for programs.
    """

    libc: tuple[str, ...]
    compile: tuple[str, ...]
    link: tuple[str, ...]


def flags(config: Configuration, *, static: bool | None = None) -> Flags:
    """The flags of a configuration; `static` overrides how it links."""
    if static is None:
        static = config.choice("IMAGE_LINK") == "static"
    common = [
        "-fPIE" if config.is_on("HARDENING_PIE") else "-fno-pie",
        {
            "none": "-fno-stack-protector",
            "strong": "-fstack-protector-strong",
            "all": "-fstack-protector-all",
        }[config.choice("HARDENING_STACK_PROTECTOR")],
    ]
    if config.is_on("HARDENING_STACK_CLASH"):
        common.append("-fstack-clash-protection")
    if config.is_on("HARDENING_AUTO_VAR_INIT"):
        common.append("-ftrivial-auto-var-init=zero")
    if config.is_on("HARDENING_ZERO_REGISTERS"):
        common.append("-fzero-call-used-regs=used-gpr")
    if config.is_on("HARDENING_BRANCH_PROTECTION"):
        on_arm = config.choice("IMAGE_ARCH") == "arm64"
        common.append("-mbranch-protection=standard" if on_arm else "-fcf-protection=full")
    programs = list(common)
    if _needs_hiding(config, static):
        programs.append("-fvisibility=hidden")
    fortify = config.choice("HARDENING_FORTIFY")
    if fortify != "none":
        # Before musl's own headers, which they wrap with #include_next.
        programs += ["-isystem", "/steps/fortify-headers/include", f"-D_FORTIFY_SOURCE={fortify}"]
    # Where gcc looks for ld.
    linker = ("-B/steps/linker",) if needs_linker(config) else ()
    return Flags(
        libc=(*common, *linker),
        compile=tuple(programs),
        link=(*linker, *_link(config, static)),
    )


def needs_linker(config: Configuration) -> bool:
    """Whether code is linked by what the step `linker` makes: GNU ld, told how to keep off a defect of Cortex-A53."""
    return config.choice("IMAGE_ARCH") == "arm64"


def _needs_hiding(config: Configuration, static: bool) -> bool:
    """Whether the linker must be told that nobody else will ever see a program's symbols.

    For riscv64, binutils 2.44 leaves the addresses of others in data to a loader, which a static program has not: those
    that are referred to weakly, or that libtool's -export-dynamic exports.
    """
    return static and config.is_on("HARDENING_PIE") and config.choice("IMAGE_ARCH") == "riscv64"


def _link(config: Configuration, static: bool) -> tuple[str, ...]:
    if config.is_on("HARDENING_PIE"):
        mode = ["-static-pie"] if static else ["-pie"]
        # Relative relocations in their short form: musl understands it, and it saves three per cent of BusyBox.
        packed = ["-Wl,-z,pack-relative-relocs"]
    else:
        mode = ["-static", "-no-pie"] if static else ["-no-pie"]
        packed = []
    relro = {
        "none": "-Wl,-z,norelro",
        "partial": "-Wl,-z,relro,-z,lazy",
        "full": "-Wl,-z,relro,-z,now",
    }[config.choice("HARDENING_RELRO")]
    # What libraries declare to be visible, whatever the compiler is told.
    hidden = ["-Wl,--exclude-libs,ALL"] if _needs_hiding(config, static) else []
    return (*mode, relro, "-Wl,-z,noexecstack", "-Wl,--build-id=none", *packed, *hidden)
