"""From a configuration to the graph of steps that makes it. Reads the builder's files, runs nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import kimitui
from kimitui.build import elf
from kimitui.build.arch import ARCHES, Arch
from kimitui.build.flags import Flags, flags
from kimitui.build.release import Release
from kimitui.build.step import InputFile, Step, StepSource, in_order
from kimitui.config import Configuration
from kimitui.errors import BuildError
from kimitui.kconfig import busybox as busybox_tree
from kimitui.kconfig.explain import compare_with_dotconfig, quoted
from kimitui.resources import BUILDER_DIR


@dataclass(frozen=True)
class Source:
    """What the plan must know of a component's source: `local` where the user put something in its place."""

    component: str
    version: str
    path: Path
    digest: str
    local: bool = False


@dataclass(frozen=True)
class Plan:
    """`steps` are in an order in which every step follows those it uses; `layer` is None where it is not packed."""

    arch: Arch
    steps: tuple[Step, ...]
    rootfs: Step
    busybox: Step
    layer: Step | None


def components(config: Configuration) -> tuple[str, ...]:
    """The components whose sources a configuration needs, by their names in the lock."""
    fortify = () if config.choice("HARDENING_FORTIFY") == "none" else ("fortify-headers",)
    return ("linux", "musl", "busybox", *fortify)


def plan(
    config: Configuration,
    *,
    sources: Mapping[str, Source],
    release: Release,
    toolchain_digest: str,
    trees: Path,
) -> Plan:
    """The steps of a configuration.

    `sources` holds every one of `components(config)`; `trees` is the cache directory of upstream Kconfig trees.
    """
    arch = ARCHES[config.choice("IMAGE_ARCH")]
    builder = _Builder(config, arch, flags(config), sources, release, trees)
    headers = builder.linux_headers()
    musl = builder.musl()
    fortify = builder.fortify_headers()
    busybox = builder.busybox(headers, musl, *fortify)
    rootfs = builder.rootfs(busybox, musl, toolchain_digest)
    layer = builder.layer(rootfs)
    return Plan(
        arch=arch,
        steps=in_order((rootfs, *([layer] if layer else []))),
        rootfs=rootfs,
        busybox=busybox,
        layer=layer,
    )


@dataclass(frozen=True)
class _Builder:
    config: Configuration
    arch: Arch
    flags: Flags
    sources: Mapping[str, Source]
    release: Release
    trees: Path

    def _source(self, component: str) -> dict[str, StepSource]:
        source = self.sources[component]
        return {component: StepSource(source.path, source.digest)}

    @property
    def _epoch(self) -> dict[str, str]:
        return {"SOURCE_DATE_EPOCH": str(self.release.source_date_epoch)}

    @property
    def _static(self) -> bool:
        return self.config.choice("IMAGE_LINK") == "static"

    def linux_headers(self) -> Step:
        return Step(
            name="linux-headers",
            arch=self.arch.name,
            script="linux-headers.sh",
            sources=self._source("linux"),
            parameters={"TRIPLE": self.arch.triple, "KERNEL_ARCH": self.arch.linux},
            headers=True,
        )

    def musl(self) -> Step:
        protect = self._static and self.config.choice("HARDENING_RELRO") != "none"
        return Step(
            name="musl",
            arch=self.arch.name,
            script="musl.sh",
            sources=self._source("musl"),
            parameters={
                "TRIPLE": self.arch.triple,
                "LINK": "static" if self._static else "dynamic",
                "RELRO": "1" if protect else "0",
                "CFLAGS_TARGET": shlex.join(self.flags.libc),
            },
            files={"relro.c": _builder_file("steps/relro.c")} if protect else {},
            headers=True,
        )

    def fortify_headers(self) -> tuple[Step, ...]:
        if "fortify-headers" not in components(self.config):
            return ()
        step = Step(
            name="fortify-headers",
            arch="any",
            script="fortify-headers.sh",
            sources=self._source("fortify-headers"),
            headers=True,
        )
        return (step,)

    def busybox(self, *uses: Step) -> Step:
        requested = self.config.requested("busybox")
        # BusyBox has neither hexadecimal nor tristate symbols, so what a preset says in quotes is a text there.
        texts = {name for name, value in self.config.upstream["busybox"].items() if isinstance(value, str)}
        texts |= {
            entry.key
            for entry in self.config.names.entries.values()
            if entry.section == "busybox" and entry.type == "string"
        }
        lines = [_dotconfig_line(name, value, name in texts) for name, value in sorted(requested.items())]
        tree = Step(name="busybox-tree", arch="any", script="busybox-tree.sh", sources=self._source("busybox"))
        configured = Step(
            name="busybox-config",
            arch="any",
            script="busybox-config.sh",
            uses=(tree,),
            files={"requested.config": InputFile("".join(lines).encode())},
            verify=lambda output: self._nothing_lost(requested, output / "busybox.config"),
        )
        return Step(
            name="busybox",
            arch=self.arch.name,
            script="busybox.sh",
            uses=(tree, configured, *uses),
            parameters={
                **self._epoch,
                "TRIPLE": self.arch.triple,
                "CFLAGS_TARGET": shlex.join(self.flags.compile),
                "LDFLAGS_TARGET": shlex.join(self.flags.link),
            },
            verify=lambda output: self._hardened(output / "busybox.unstripped"),
        )

    def rootfs(self, busybox: Step, musl: Step, toolchain_digest: str) -> Step:
        files = {
            f"skeleton/{path.relative_to(BUILDER_DIR / 'skeleton')}": _builder_file(str(path.relative_to(BUILDER_DIR)))
            for path in sorted((BUILDER_DIR / "skeleton").rglob("*"))
            if path.is_file()
        }
        files["skeleton/etc/hostname"] = InputFile(f"{self.config.string('IMAGE_HOSTNAME')}\n".encode())
        files["skeleton/etc/os-release"] = InputFile(self._os_release().encode())
        files["skeleton/etc/kimigayo/build.json"] = InputFile(_pretty(self._metadata(toolchain_digest)))
        return Step(
            name="rootfs",
            arch=self.arch.name,
            script="rootfs.sh",
            uses=(busybox, *(() if self._static else (musl,))),
            parameters={
                **self._epoch,
                "LINK": "static" if self._static else "dynamic",
                "LOADER": f"ld-musl-{self.arch.musl}.so.1",
            },
            files=files,
        )

    def layer(self, rootfs: Step) -> Step | None:
        if "oci" not in self.config.family("IMAGE_FORMATS"):
            return None
        compression = self.config.choice("IMAGE_COMPRESSION")
        if compression == "none":
            return None
        return Step(
            name="layer",
            arch=self.arch.name,
            script="layer.sh",
            uses=(rootfs,),
            parameters={"COMPRESSION": compression},
        )

    def _os_release(self) -> str:
        title = f"Kimigayo OS {self.release.version} ({self.release.name})"
        fields = {
            "NAME": "Kimigayo OS",
            "ID": "kimigayo",
            "VERSION": f"{self.release.version} ({self.release.name})",
            "VERSION_ID": self.release.version,
            "VERSION_CODENAME": self.release.name.lower(),
            "PRETTY_NAME": title,
            "VARIANT_ID": self.config.name,
        }
        return "".join(f'{key}="{value}"\n' for key, value in fields.items())

    def _metadata(self, toolchain_digest: str) -> dict[str, object]:
        """What an image says of its own making; everything in it follows from the inputs."""
        return {
            "name": "Kimigayo OS",
            "version": self.release.version,
            "preset": self.config.name,
            "arch": self.arch.name,
            "kimitui": kimitui.__version__,
            "source_date_epoch": self.release.source_date_epoch,
            "toolchain": toolchain_digest,
            "components": {
                # Two archives of one release make the same image, so a digest is named only where there is no release.
                name: f"local:{source.digest}" if source.local else source.version
                for name, source in sorted(self.sources.items())
            },
            "configuration": self._decided(),
        }

    def _decided(self) -> dict[str, dict[str, object]]:
        """What the preset and those it extends decide: enough to make the image again, and a tenth of all values."""
        decided: dict[str, dict[str, object]] = {}
        for values in (*(preset.sections for preset in self.config.chain[:-1]), self.config.own_values()):
            for section, keys in values.items():
                decided.setdefault(section, {}).update(keys)
        return decided

    def _nothing_lost(self, requested: Mapping[str, str], dotconfig: Path) -> None:
        source = self.sources["busybox"]
        tree = busybox_tree.upstream_tree(source.path, self.trees, source.digest)
        lost = compare_with_dotconfig(tree, requested, dotconfig)
        if lost:
            raise BuildError(
                f"BusyBox's configuration does not keep {len(lost)} of the values the preset asks for",
                where=self.config.preset.path,
                details=tuple(
                    f"{item.symbol}: wanted {item.wanted}, got {item.got or 'nothing'}; {item.reason}" for item in lost
                ),
                fix="Change the preset so that what is missing is there, or so that it asks for something else.",
            )

    def _hardened(self, program: Path) -> None:
        facts = elf.read(program)
        config = self.config
        relro = config.choice("HARDENING_RELRO")
        checks = {
            f"architecture {self.arch.name}": facts.machine == self.arch.elf_machine,
            "non-executable stack": facts.nx,
            f"{config.choice('IMAGE_LINK')} linking": (facts.interpreter is None) == self._static,
            f"PIE {'on' if config.is_on('HARDENING_PIE') else 'off'}": facts.pie == config.is_on("HARDENING_PIE"),
            f"RELRO {relro}": facts.relro == relro or (self._static and relro != "none" and facts.relro != "none"),
            f"stack protector {config.choice('HARDENING_STACK_PROTECTOR')}": facts.stack_protector
            == (config.choice("HARDENING_STACK_PROTECTOR") != "none"),
        }
        if broken := [what for what, holds in checks.items() if not holds]:
            raise BuildError(
                f"{program.name} was not built as the preset asks: {', '.join(broken)}",
                details=(f"the file says: {facts}",),
                fix="This is a defect of the builder; please report it with the preset.",
            )


def _builder_file(name: str) -> InputFile:
    path = BUILDER_DIR / name
    return InputFile(path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def _dotconfig_line(name: str, value: str, is_text: bool) -> str:
    if is_text:
        return f"CONFIG_{name}={quoted(value)}\n"
    return f"# CONFIG_{name} is not set\n" if value == "n" else f"CONFIG_{name}={value}\n"


def _pretty(data: object) -> bytes:
    return json.dumps(data, indent=1, sort_keys=True).encode() + b"\n"
