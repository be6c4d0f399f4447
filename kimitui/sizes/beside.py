"""What is in a root file system beside BusyBox: files of the skeleton, of services and their init, of the preset.

All of it is known before anything is built, so its sizes are not estimated: the plan says what goes in.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from kimitui.build import contents, sources
from kimitui.build import plan as planning
from kimitui.build import release as releases
from kimitui.build.plan import Plan, Source
from kimitui.config import Configuration
from kimitui.services import definitions
from kimitui.sizes import brought, busybox, tarball
from kimitui.sizes.brought import Brought
from kimitui.sizes.flags import changed_flags

# builder/steps/rootfs.sh makes them in every image.
_DIRECTORIES = (
    *("bin", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "usr/bin"),
    *("usr/lib", "usr/sbin", "usr/share", "var", "var/cache", "var/lib", "var/log", "var/spool", "var/tmp"),
)
_LINKS = ("var/run", "var/lock")
_SKELETON = "skeleton/"
Built = Callable[[Plan], Mapping[str, Brought]]
METADATA = "etc/kimigayo/build.json"
MUSL = "musl"


@dataclass(frozen=True)
class Beside:
    """What is beside BusyBox and the kernel's modules.

    `files` are (component, bytes) by path, `links` and `directories` paths; `contents` are the bytes of those files
    that no package brings, `packed_bytes` is what deflate makes of all of them without `library`, the C library where
    it is shared and known. `exact` are the packages that come from the store (and musl, where it is shared), `unknown`
    those of which nothing is known.
    """

    files: Mapping[str, tuple[str, int]]
    contents: Mapping[str, bytes]
    links: frozenset[str]
    directories: frozenset[str]
    packed_bytes: int
    library: Brought | None
    exact: frozenset[str]
    unknown: frozenset[str]
    plan: Plan


def beside(config: Configuration, toolchain_digest: str, cache_dir: Path, built: Built) -> Beside:
    """What `config` puts beside BusyBox; `built` says what steps of a plan have made, by their names.

    Raises PresetError for services and files that do not go together.
    """
    plan = planned(config, toolchain_digest, cache_dir)
    files: dict[str, tuple[str, int]] = {}
    texts: dict[str, bytes] = {}
    links = set(_LINKS)
    directories = set(_DIRECTORIES)
    services = {path for definition in definitions.load().values() for path in definition.files}
    for name, file in plan.rootfs.files.items():
        if name.startswith(_SKELETON):
            path = name.removeprefix(_SKELETON)
            files[path] = (_component(path, services), len(file.content))
            texts[path] = file.content
    if overlay := plan.rootfs.files.get("overlay.tar"):
        with tarfile.open(fileobj=BytesIO(overlay.content)) as archive:
            for member in archive:
                path = member.name.removeprefix("./")
                if member.isdir():
                    directories.add(path)
                elif member.issym():
                    links.add(path)
                else:
                    files[path] = ("files", member.size)
                    content = archive.extractfile(member)
                    texts[path] = content.read() if content else b""
    for user in contents.users(config):
        if home := user.home[1:]:
            directories.add(home)
    # What the preset itself decides is counted as it changes.
    lasting = {**texts, METADATA: without_own(config, texts[METADATA])}
    packed = tarball.deflated(b"".join(lasting.values()))
    there, measured = built(plan), _measured(plan, config)
    unknown = set()
    shared = [MUSL] if shares_library(plan) else []
    for name in (*shared, *(step.name for step in (*plan.packages, *plan.containment))):
        if (found := there.get(name) or measured.get(name)) is None:
            unknown.add(name)
            continue
        files |= {path: (name, size) for path, size in found.files.items()}
        links |= found.links
        packed += 0 if name == MUSL else found.packed_bytes
    return Beside(
        files=files,
        contents=texts,
        links=frozenset(links),
        directories=frozenset(directories),
        packed_bytes=packed,
        library=there.get(MUSL) or measured.get(MUSL),
        exact=frozenset(there),
        unknown=frozenset(unknown),
        plan=plan,
    )


def shares_library(plan: Plan) -> bool:
    """Whether the C library of a plan is in its root file system."""
    return plan.rootfs.parameters["LINK"] == "dynamic"


def _measured(plan: Plan, config: Configuration) -> dict[str, Brought]:
    """What was measured of packages, and of musl where it is shared."""
    arch, shared = plan.arch.name, shares_library(plan)
    found = dict(brought.measured(arch, static=not shared))
    if shared and (model := busybox.load(arch, static=False)) and (library := model.library(changed_flags(config))):
        found[MUSL] = brought.library(plan.rootfs.parameters["LOADER"], library.file_bytes, library.packed_bytes)
    return found


def planned(config: Configuration, toolchain_digest: str, cache_dir: Path) -> Plan:
    """The steps that a build from the lock would take; nothing is fetched for that."""
    lock = sources.load_lock()
    cache = sources.SourceCache(cache_dir)
    found = {}
    for name in planning.components(config):
        archives = lock[name].archives
        archive = next((one for one in archives if cache.path(one.sha256).exists()), archives[0])
        found[name] = Source(name, lock[name].version, cache.path(archive.sha256), archive.sha256)
    return planning.plan(
        config, sources=found, release=releases.load(), toolchain_digest=toolchain_digest, trees=cache_dir
    )


def parents(paths: frozenset[str] | set[str]) -> set[str]:
    """All directories that `paths` lie in."""
    found: set[str] = set()
    for path in paths:
        found.update(str(parent) for parent in Path(path).parents if str(parent) != ".")
    return found


def _component(path: str, services: set[str]) -> str:
    if path in services or path.startswith(("etc/rc/services/", "etc/sysctl.d/")):
        return "services"
    if path.startswith(("etc/rc/", "sbin/rc-")) or path == "etc/inittab":
        return "init"
    return "base"


def without_own(config: Configuration, metadata: bytes) -> bytes:
    """The image's metadata as it would be if the preset decided nothing besides what it extends."""
    data = json.loads(metadata)
    decided: dict[str, dict[str, object]] = {}
    for preset in config.chain[:-1]:
        for section, keys in preset.sections.items():
            decided.setdefault(section, {}).update(keys)
    data["configuration"] = decided
    return json.dumps(data, indent=1, sort_keys=True).encode() + b"\n"
