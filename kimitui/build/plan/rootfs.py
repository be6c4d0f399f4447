"""The steps that put the root file system together, and what it says of its own making."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

import kimitui
from kimitui import image_users
from kimitui.build import contents, services
from kimitui.build.plan.context import Context, builder_file, builder_files
from kimitui.build.step import InputFile, Step
from kimitui.config import Configuration
from kimitui.errors import BuildError


def rootfs(context: Context, busybox: Step, packages: tuple[Step, ...], musl: Step, linux: Step | None) -> Step:
    """The root file system as a tar archive; the modules of `linux` are in it, if it has any."""
    chosen = services.chosen(context.config)
    files = builder_files("skeleton", "skeleton")
    files |= {f"skeleton/{name}": InputFile(file.content, file.executable) for name, file in chosen.files.items()}
    files |= settings(context.config)
    modules = linux is not None and context.config.requested("kernel").get("MODULES") == "y"
    files["skeleton/etc/hostname"] = InputFile(f"{context.config.string('IMAGE_HOSTNAME')}\n".encode())
    files["skeleton/etc/os-release"] = InputFile(_os_release(context).encode())
    files["skeleton/etc/kimigayo/build.json"] = InputFile(_pretty(_metadata(context)))
    users = contents.users(context.config)
    for name, lines in (("passwd", image_users.passwd), ("group", image_users.group), ("shadow", image_users.shadow)):
        path = f"skeleton/etc/{name}"
        files[path] = InputFile(files[path].content + (lines(chosen.users) + lines(users)).encode())
    if overlay := contents.files(context.config):
        files["overlay.tar"] = InputFile(overlay.archive)
    return Step(
        name="rootfs",
        arch=context.arch.name,
        script="rootfs.sh",
        uses=(busybox, *packages, *(() if context.static else (musl,)), *((linux,) if linux and modules else ())),
        parameters={
            **context.epoch,
            "LINK": "static" if context.static else "dynamic",
            "LOADER": f"ld-musl-{context.arch.musl}.so.1",
            "USERS": " ".join(f"{user.name}:{user.uid}:{user.home[1:]}:{user.shell}" for user in users),
            "PACKAGES": " ".join(step.name for step in packages),
            "SETUID": "0" if context.config.is_on("HARDENING_NO_SETUID") else "1",
        },
        files=files,
        verify=lambda output: _hardened(context, output / "rootfs.tar"),
    )


def settings(config: Configuration) -> dict[str, InputFile]:
    """The kernel settings of the hardening menu, as files of the step's skeleton."""
    if not config.is_on("HARDENING_SYSCTL"):
        return {}
    levels = ("basic", "full") if config.choice("HARDENING_LEVEL") == "full" else ("basic",)
    return {
        f"skeleton/etc/sysctl.d/{number}0-{level}.conf": builder_file(f"hardening/{level}.conf")
        for number, level in enumerate(levels, start=1)
    }


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


def _hardened(context: Context, archive: Path) -> None:
    """Read back what the image promises at run time."""
    with tarfile.open(archive) as members:
        files = {member.name: member for member in members if member.isfile()}
        setuid = sorted(name for name, member in files.items() if member.mode & (stat.S_ISUID | stat.S_ISGID))
        shadow = files.get("etc/shadow")
        text = members.extractfile(shadow) if shadow else None
        lines = text.read().decode(errors="replace").splitlines() if text else []
    root = next((line.split(":")[1:2] for line in lines if line.startswith("root:")), [])
    allowed = [] if context.config.is_on("HARDENING_NO_SETUID") else ["bin/busybox"]
    checks = {
        f"set-user-ID files: {', '.join(setuid) or 'none'}": setuid == allowed,
        "every account has a password or is locked": bool(lines)
        and all(line.split(":")[1:2] not in ([], [""]) for line in lines if line),
        "root has no password (hardening.locked_root)": not context.config.is_on("HARDENING_LOCKED_ROOT")
        or root in (["!"], ["*"], ["!!"]),
        "/etc/shadow is root's alone": shadow is not None and shadow.mode == 0o600,
    }
    if broken := [what for what, holds in checks.items() if not holds]:
        raise BuildError(
            f"the root file system is not as the preset asks; this does not hold: {'; '.join(broken)}",
            where=context.config.preset.path,
            fix="If image.files brings /etc/shadow, give every account in it a hash or !; for root it is ! unless the "
            "preset has hardening: { locked_root: false }.",
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
