"""The steps that put the root file system together, and what it says of its own making."""

from __future__ import annotations

import json

import kimitui
from kimitui.build.plan.context import Context, builder_files
from kimitui.build.step import InputFile, Step


def rootfs(context: Context, busybox: Step, musl: Step, linux: Step | None) -> Step:
    """The root file system as a tar archive; the modules of `linux` are in it, if it has any."""
    files = builder_files("skeleton", "skeleton")
    if context.has_format("squashfs") and context.config.is_on("BUSYBOX_INIT"):
        files |= builder_files("boot", "skeleton")
    modules = linux is not None and context.config.requested("kernel").get("MODULES") == "y"
    files["skeleton/etc/hostname"] = InputFile(f"{context.config.string('IMAGE_HOSTNAME')}\n".encode())
    files["skeleton/etc/os-release"] = InputFile(_os_release(context).encode())
    files["skeleton/etc/kimigayo/build.json"] = InputFile(_pretty(_metadata(context)))
    return Step(
        name="rootfs",
        arch=context.arch.name,
        script="rootfs.sh",
        uses=(busybox, *(() if context.static else (musl,)), *((linux,) if linux and modules else ())),
        parameters={
            **context.epoch,
            "LINK": "static" if context.static else "dynamic",
            "LOADER": f"ld-musl-{context.arch.musl}.so.1",
        },
        files=files,
    )


def layer(context: Context, rootfs: Step) -> Step | None:
    """The same as a compressed container layer; None where it is not packed."""
    if not context.has_format("oci"):
        return None
    compression = context.config.choice("IMAGE_COMPRESSION")
    if compression == "none":
        return None
    return Step(
        name="layer",
        arch=context.arch.name,
        script="layer.sh",
        uses=(rootfs,),
        parameters={"COMPRESSION": compression},
    )


def _os_release(context: Context) -> str:
    release = context.release
    title = f"Kimigayo OS {release.version} ({release.name})"
    fields = {
        "NAME": "Kimigayo OS",
        "ID": "kimigayo",
        "VERSION": f"{release.version} ({release.name})",
        "VERSION_ID": release.version,
        "VERSION_CODENAME": release.name.lower(),
        "PRETTY_NAME": title,
        "VARIANT_ID": context.config.name,
    }
    return "".join(f'{key}="{value}"\n' for key, value in fields.items())


def _metadata(context: Context) -> dict[str, object]:
    """What an image says of its own making; everything in it follows from the inputs."""
    return {
        "name": "Kimigayo OS",
        "version": context.release.version,
        "preset": context.config.name,
        "arch": context.arch.name,
        "kimitui": kimitui.__version__,
        "source_date_epoch": context.release.source_date_epoch,
        "toolchain": context.toolchain_digest,
        "components": {
            # Two archives of one release make the same image, so a digest is named only where there is no release.
            name: f"local:{source.digest}" if source.local else source.version
            for name, source in sorted(context.sources.items())
        },
        "configuration": _decided(context),
    }


def _decided(context: Context) -> dict[str, dict[str, object]]:
    """What the preset and those it extends decide: enough to make the image again, and a tenth of all values."""
    decided: dict[str, dict[str, object]] = {}
    for values in (*(preset.sections for preset in context.config.chain[:-1]), context.config.own_values()):
        for section, keys in values.items():
            decided.setdefault(section, {}).update(keys)
    return decided


def _pretty(data: object) -> bytes:
    return json.dumps(data, indent=1, sort_keys=True).encode() + b"\n"
