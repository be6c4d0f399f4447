"""The size of an image before it is built: computed from measured data, or read from the store where it was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from kimitui.build import preflight
from kimitui.build import release as releases
from kimitui.build.artifacts import image_config, oci
from kimitui.build.artifacts.boot import INITRAMFS, SYSTEM, VMLINUZ
from kimitui.build.artifacts.stored import ARCHIVE
from kimitui.build.plan import Plan
from kimitui.config import Configuration
from kimitui.config_upstream import as_kconfig
from kimitui.sizes import busybox, known, tarball
from kimitui.sizes.beside import METADATA, beside, parents, without_own
from kimitui.sizes.brought import Brought
from kimitui.sizes.busybox import Built, BusyBox, Library
from kimitui.sizes.errors import uncertainty
from kimitui.sizes.flags import changed_flags
from kimitui.sizes.initramfs import initramfs_bytes
from kimitui.sizes.kernel import KernelSizes, kernel_sizes
from kimitui.sizes.kernel import model as kernel_model
from kimitui.sizes.layout import up
from kimitui.sizes.running import Running, Scenario

_PREFIX = "BUSYBOX_"
_KERNEL = "KERNEL_"
_TRISTATES = "MODULES"  # what makes tristates of the system tree; it follows KERNEL_MODULES
METADATA_COMPONENT = "base"
ROOTFS = "rootfs.tar"
_BUSYBOX = "busybox"
_MODULES = "linux"
LAYER = "layer"
_NO_KERNEL = KernelSizes(0, 0)
# As long as a toolchain's, where there is none yet.
_NO_DIGEST = "0" * 64
# mksquashfs fills its images up to whole blocks of devices.
_SQUASHFS_BLOCK_BYTES = 4096
# What else a format brings, known once it was built.
_FILES = {
    "rootfs": (ROOTFS,),
    "squashfs": (SYSTEM,),
    "initramfs": (INITRAMFS,),
    VMLINUZ: (VMLINUZ,),
}


@dataclass(frozen=True)
class Sizes:
    """What an image will weigh, in bytes.

    `components` are unpacked bytes in the root file system: `busybox`, `musl` (where it is shared), `base` (files of
    every image), `init`, `services`, `files` (the preset's own), `linux` (modules), and each package by its name; they
    sum up to `contents_bytes`. `artifacts` are the files that a build writes, by name, as far as the formats ask for
    them and something is known of them. `total_bytes` is what the budget is held against: `rootfs.tar`, and `vmlinuz`
    where the image has a kernel of its own. `exact` names, of both, what was built and measured; for the rest
    `uncertainty` has the relative error that 95 % of the comparisons kept to, by the name of the component or artifact.
    `unknown` names what is in the image, and what is asked for, that nothing was measured of: it counts nowhere.
    `layer_bytes` is the layer within `image.oci.tar`, compressed, as registries keep it: `layer` in the other mappings.
    """

    components: Mapping[str, int]
    artifacts: Mapping[str, int]
    total_bytes: int
    budget_bytes: int | None
    exact: frozenset[str] = frozenset()
    uncertainty: Mapping[str, float] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    layer_bytes: int | None = None

    @property
    def contents_bytes(self) -> int:
        """All that is in the root file system, unpacked."""
        return sum(self.components.values())

    @property
    def counted(self) -> tuple[str, ...]:
        """The artifacts that the total counts."""
        return (ROOTFS, *({VMLINUZ} & {*self.artifacts, *self.unknown}))

    @property
    def parts(self) -> Mapping[str, int]:
        """What the total counts: the components, unpacked, and the kernel."""
        return {**self.components, **{name: self.artifacts[name] for name in {VMLINUZ} & self.artifacts.keys()}}

    @property
    def is_exact(self) -> bool:
        """Whether all that the total counts was built and measured."""
        return self.exact.issuperset(self.counted)


def estimate(config: Configuration) -> Sizes:
    """The sizes of `config`.

    Raises PresetError for services and files that do not go together, as a build would.
    """
    return Estimator(config).sizes()


@dataclass(frozen=True)
class _Around:
    """All but BusyBox and the kernel: bytes by component, and of the archive's members with it.

    `metadata_bytes` is what an image says of its own making, without the symbols that the preset itself decides;
    `members` is how many members there are, that one included, `packed_bytes` what deflate makes of it all but
    of `library`, a C library that is shared, `image` what a container image of it says.
    """

    components: Mapping[str, int]
    exact: frozenset[str]
    unknown: frozenset[str]
    members_bytes: int
    members: int
    metadata_bytes: int
    packed_bytes: int
    library: Library | None
    taken: frozenset[str]
    image: oci.ImageConfig


class Estimator:
    """The sizes of a configuration while it is edited, and what its options would change.

    Nothing is read after the first estimate but what the preset itself brings, and with `cache_dir`, where the outputs
    of steps are looked up, what is there; without it nothing is exact.
    """

    def __init__(self, config: Configuration, *, cache_dir: Path | None = None) -> None:
        self._config = config
        self._cache_dir = cache_dir
        self._digest = known.toolchain_digest(cache_dir) if cache_dir else None
        self._arounds: dict[object, _Around] = {}
        self._running: dict[BusyBox, Running] = {}
        # What the lines of which values weigh, and what they ask of Linux; a configuration has other mappings after
        # every change.
        self._own: tuple[object, object, object, int] = ({}, {}, None, 0)
        self._asked: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})
        self._names: tuple[object, frozenset[str]] = (None, frozenset())
        tree, names = config.tree, config.names
        self._decided = {symbol for entry in names.entries.values() if entry.settable for symbol in entry.symbols}
        # They come on with what they belong to, so that no preset has to say so (but see `_written`).
        self._following = {
            symbol.name for symbol in tree.unique_defined_syms if any(value is tree.y for value, _ in symbol.defaults)
        }

    def sizes(self, corrections: Mapping[str, int] = MappingProxyType({})) -> Sizes:
        """The sizes now; `corrections` (see there) are added to what is not exact. Raises as `estimate` does."""
        config, around = self._config, self._around()
        (built,) = self._built(around, ({},))
        files = self._known()
        estimated = self._estimated(around, built)
        found = {**{name: size + corrections.get(name, 0) for name, size in estimated.items()}, **files}
        components = {
            **around.components,
            METADATA_COMPONENT: around.components[METADATA_COMPONENT] + self._own_bytes(),
            **{name: found[name] for name in {_BUSYBOX, _MODULES} & found.keys()},
        }
        unknown = around.unknown | ({_BUSYBOX} - components.keys())
        if self._has_kernel and VMLINUZ not in found:
            unknown |= {VMLINUZ}
        layer_bytes = self._layer(around, built, found)
        artifacts = self._artifacts(around, built, found, layer_bytes)
        built_names = {*files.keys(), *((ARCHIVE,) if LAYER in files else ())}
        exact = (around.exact | built_names) & {*components, *artifacts, ROOTFS, LAYER}
        return Sizes(
            components=MappingProxyType(dict(sorted(components.items()))),
            artifacts=MappingProxyType(dict(sorted(artifacts.items()))),
            total_bytes=found[ROOTFS] + found.get(VMLINUZ, 0),
            budget_bytes=preflight.budget_bytes(config),
            exact=frozenset(exact),
            uncertainty=MappingProxyType({name: error for name, error in self._errors().items() if name not in exact}),
            unknown=frozenset(unknown),
            layer_bytes=layer_bytes,
        )

    def corrections(self) -> dict[str, int]:
        """By how many bytes what was built of this configuration is more than its estimate, for what has one.

        Much of an estimate's error is the same a few options later. Who follows a configuration that is edited and
        hands this to `sizes` sees it change by what `deltas` says.
        """
        around = self._around()
        files = self._known()
        estimated = self._estimated(around, self._built(around, ({},))[0])
        return {name: files[name] - estimated[name] for name in files.keys() & estimated.keys()}

    def _estimated(self, around: _Around, built: Built | None) -> dict[str, int]:
        """Bytes of what the total counts, and of BusyBox and modules, as far as something is known of them."""
        kernel = self._kernel()
        found = {
            ROOTFS: self._total(around, built, self._own_bytes(), kernel),
            _BUSYBOX: built.file_bytes if built else 0,
            VMLINUZ: kernel.vmlinuz_bytes if kernel else 0,
            _MODULES: kernel.modules_bytes if kernel else 0,
        }
        return {name: size for name, size in found.items() if size}

    def _errors(self) -> dict[str, float]:
        """By component or artifact, how far off estimates were when they were compared with builds."""
        arch = self._config.choice("IMAGE_ARCH")
        kernel = kernel_model(arch)
        names = {VMLINUZ: VMLINUZ, "modules": _MODULES}
        return {
            **uncertainty(arch),
            **{names[name]: error for name, error in (kernel.errors if kernel else {}).items()},
        }

    def _known(self) -> Mapping[str, int]:
        if self._cache_dir is None or self._digest is None:
            return {}
        return known.outputs(self._config, self._cache_dir, self._digest)

    def _layer(self, around: _Around, built: Built | None, found: Mapping[str, int]) -> int | None:
        """Bytes of a container image's layer; None where there is none, or it is not known."""
        if "oci" not in self._config.family("IMAGE_FORMATS") or LAYER in found:
            return found.get(LAYER)
        compression = self._config.choice("IMAGE_COMPRESSION")
        if built is None:
            return None
        return found[ROOTFS] if compression == "none" else self._packed(compression, around, built)

    def _artifacts(
        self, around: _Around, built: Built | None, found: Mapping[str, int], layer_bytes: int | None
    ) -> dict[str, int]:
        """Bytes of the artifacts that the formats ask for and of which something is known; some are in `found`."""
        config = self._config
        sizes: dict[str, int | None] = {}
        for word in config.family("IMAGE_FORMATS"):
            if word == "oci" and layer_bytes:
                compression = config.choice("IMAGE_COMPRESSION")
                sizes[ARCHIVE] = oci.archive_bytes(around.image, layer_bytes, compression)
            elif word == "squashfs" and built:
                method = f"squashfs-{config.choice('IMAGE_SQUASHFS')}"
                image = self._packed(method, around, built)
                sizes[SYSTEM] = image and up(image, _SQUASHFS_BLOCK_BYTES)
            elif word == "initramfs":
                sizes[INITRAMFS] = initramfs_bytes(config.choice("IMAGE_ARCH"), changed_flags(self._config))
            sizes |= {name: found[name] for name in _FILES.get(word, ()) if name in found}
        return {name: size for name, size in sizes.items() if size}

    def _packed(self, method: str, around: _Around, built: Built) -> int | None:
        """What a method makes of the root file system."""
        model = busybox_model(self._config)
        own = self._own_bytes()
        kernel = self._kernel() or _NO_KERNEL
        raw = sum(around.components.values()) + own + kernel.modules_bytes
        packed = around.packed_bytes + own // 8 + kernel.modules_packed_bytes
        if around.library:
            raw -= around.library.file_bytes
        members = around.members + 1 + built.links
        return model.archive_bytes(method, built, (packed, raw), members, around.library) if model else None

    def deltas(self, names: Sequence[str]) -> dict[str, int | None]:
        """By symbol, by how many bytes `toggle` would change the estimated total, with all that it switches.

        None where it would be refused, or where nothing was measured of what it brings. The estimate alone is compared,
        not what happens to be in the store.
        """
        around, own = self._around(), self._own_bytes()
        found: dict[str, int | None] = dict.fromkeys(names)
        together: dict[str, Mapping[str, str]] = {}
        base: Built | None = None
        for name in found:
            changed = self._config.consequences(name)
            if changed is None:
                continue
            if all(map(_is_apart, changed)):
                together[name] = changed
            else:
                before = self._whole(around, self._built(around, ({},))[0], own, self._kernel())
                imagined = self._imagined(name, around)
                found[name] = None if imagined is None or before is None else imagined - before
        if together:
            base, *built = self._built(around, [{}, *map(_of_busybox, together.values())])
            kernel = self._kernel()
            # Where it is not touched, a kernel that nothing is known of is the same before and after.
            untouched = kernel or _NO_KERNEL
            whole = {
                touched: self._whole(around, base, own, kernel if touched else untouched) for touched in (True, False)
            }
            for (name, changed), one in zip(together.items(), built, strict=True):
                touched = any(symbol.startswith(_KERNEL) for symbol in changed)
                now = self._kernel(changed) if touched else untouched
                before, after = whole[touched], self._whole(around, one, own + self._own_change(changed), now)
                found[name] = None if before is None or after is None else after - before
        return found

    def _whole(self, around: _Around, built: Built | None, own_bytes: int, kernel: KernelSizes | None) -> int | None:
        """The total; None where nothing is known of the kernel."""
        return self._total(around, built, own_bytes, kernel) + kernel.vmlinuz_bytes if kernel else None

    def _kernel(self, changed: Mapping[str, str] = MappingProxyType({})) -> KernelSizes | None:
        """Sizes of the kernel, with other values for some symbols: all 0 where there is none, None for not known."""
        values = self._config.values
        if not self._has_kernel:
            return _NO_KERNEL
        if self._asked[0] is not values:
            self._asked = values, self._config.requested("kernel")
        asked = {name.removeprefix(_KERNEL): value for name, value in changed.items() if name.startswith(_KERNEL)}
        return kernel_sizes(self._asked[1], self._config.choice("IMAGE_ARCH"), asked)

    @property
    def _has_kernel(self) -> bool:
        return self._config.values["IMAGE_FORMAT_VMLINUZ"] == "y"

    def _imagined(self, name: str, now: _Around) -> int | None:
        """The estimated total with a toggle made; None where something would come in that nothing is known of."""
        with self._config.imagined(name):
            around = self._around()
            built = self._built(around, ({},))[0]
            if around.unknown - now.unknown or (built is None and self._is_measured):
                return None
            return self._whole(around, built, self._own_bytes(), self._kernel())

    @property
    def _is_measured(self) -> bool:
        return busybox_model(self._config) is not None

    def _built(self, around: _Around, scenarios: Sequence[Scenario]) -> list[Built] | list[None]:
        model = busybox_model(self._config)
        if model is None:
            return [None] * len(scenarios)
        if model not in self._running:
            self._running[model] = Running(model)
        return self._running[model].built(
            busybox_values(self._config), changed_flags(self._config), scenarios, around.taken
        )

    def _total(self, around: _Around, built: Built | None, own_bytes: int, kernel: KernelSizes | None) -> int:
        files = [around.metadata_bytes + own_bytes, *([built.file_bytes] if built else ())]
        members = around.members_bytes + tarball.members_bytes(files, built.links if built else 0)
        return tarball.archive_bytes(members + (kernel.modules_members_bytes if kernel else 0))

    def _own_bytes(self) -> int:
        """The lines of the image's metadata for what the preset itself decides."""
        values, base, preset = self._config.values, self._config.base_values, self._config.preset
        if self._own[0] is not values or self._own[1] is not base or self._own[2] is not preset:
            changed = {name for name, value in values.items() if value != base[name]}
            lines = (self._line_bytes(name, values[name]) for name in changed | self._written)
            self._own = values, base, preset, sum(lines)
        return self._own[3]

    def _own_change(self, changed: Mapping[str, str]) -> int:
        values = self._config.values
        return sum(
            self._line_bytes(name, value) - self._line_bytes(name, values[name]) for name, value in changed.items()
        )

    def _line_bytes(self, name: str, value: str) -> int:
        """A line such as `   "PING": true,` of the metadata, if that value of a symbol needs one."""
        if name not in self._decided:
            return 0
        if name not in self._written and (
            value == self._config.base_values[name] or (value == "y" and name in self._following)
        ):
            return 0
        return len(name.partition("_")[2]) + 13

    @property
    def _written(self) -> frozenset[str]:
        """The symbols of which the preset says what would follow by itself, or what would not, against the base."""
        preset = self._config.preset
        if self._names[0] is not preset:
            entries = self._config.names.entries
            keys = ((section, key) for section, values in preset.sections.items() for key in values)
            named = {name for key in keys if key in entries for name in entries[key].symbols}
            self._names = preset, frozenset(named & self._following)
        return self._names[1]

    def _around(self) -> _Around:
        config = self._config
        key = (
            tuple(value for name, value in config.values.items() if not _is_apart(name)),
            repr(config.further["services"]),
            tuple(preset.text for preset in config.chain),
        )
        if key not in self._arounds:
            self._arounds[key] = _around(config, self._digest, self._cache_dir)
        return self._arounds[key]


def _is_apart(symbol: str) -> bool:
    """Whether a symbol is about BusyBox or the kernel, and nothing beside them."""
    return symbol.startswith((_PREFIX, _KERNEL)) or symbol == _TRISTATES


def _around(config: Configuration, digest: str | None, cache_dir: Path | None) -> _Around:
    def built(plan: Plan) -> Mapping[str, Brought]:
        return known.packages(plan, cache_dir, digest) if cache_dir and digest else {}

    found = beside(config, digest or _NO_DIGEST, cache_dir or Path(), built)
    files = dict(found.files)
    del files[METADATA]
    components: dict[str, int] = {}
    for component, size in files.values():
        components[component] = components.get(component, 0) + size
    directories = {*found.directories, *parents({*files, *found.links, METADATA})}
    programs = {path.rpartition("/")[2] for path in {*files, *found.links} if "bin/" in path}
    metadata_bytes = len(without_own(config, found.contents[METADATA]))
    components[METADATA_COMPONENT] = components.get(METADATA_COMPONENT, 0) + metadata_bytes
    return _Around(
        components=components,
        exact=found.exact,
        unknown=found.unknown,
        members_bytes=tarball.members_bytes((size for _, size in files.values()), len(directories) + len(found.links)),
        members=len(files) + len(directories) + len(found.links) + 1,
        metadata_bytes=metadata_bytes,
        packed_bytes=found.packed_bytes,
        library=Library(sum(library.files.values()), library.packed_bytes) if (library := found.library) else None,
        image=image_config.of(config, releases.load(), found.plan.arch),
        taken=frozenset(programs),
    )


def busybox_model(config: Configuration) -> BusyBox | None:
    """The measured BusyBox that a configuration's is computed from; None where none was."""
    return busybox.load(config.choice("IMAGE_ARCH"), static=config.choice("IMAGE_LINK") == "static")


def busybox_values(config: Configuration) -> dict[str, str]:
    """BusyBox's symbols by upstream name, as Kconfig values, with those that only the preset has."""
    values = _of_busybox(config.values)
    for name, value in config.further["busybox"].items():
        values[name] = as_kconfig(value)
    return values


def _of_busybox(values: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_PREFIX): value for name, value in values.items() if name.startswith(_PREFIX)}
