"""Real builds for the tests: made once per session in the user's own cache, as any build is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from kimitui.build import sources
from kimitui.build.source_cache import SourceCache
from kimitui.errors import MachineError
from kimitui.resources import cache_dir
from tests.inits import INITS, Init


@dataclass(frozen=True)
class Image:
    """The artifacts of a build, and its root file system unpacked."""

    directory: Path
    reference: str
    rootfs: Path

    def run(
        self,
        script: str,
        *arguments: str,
        prefix: tuple[str, ...] = (),
        binds: Mapping[Path, str] | None = None,
        options: tuple[str, ...] = (),
    ) -> str:
        """What a shell script prints in a sandbox whose root is the image."""
        return run_in(self.rootfs, (*prefix, "/bin/sh", "-c", script, *arguments), binds=binds, options=options)


def run_in(
    rootfs: Path, argv: tuple[str, ...], *, binds: Mapping[Path, str] | None = None, options: tuple[str, ...] = ()
) -> str:
    """What a command prints in a sandbox whose root is `rootfs`; it must succeed.

    `options` are further ones of bwrap, `binds` what of the host is seen where.
    """
    command = in_sandbox(rootfs, argv, binds=binds, options=options)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def in_sandbox(
    rootfs: Path, argv: tuple[str, ...], *, binds: Mapping[Path, str] | None = None, options: tuple[str, ...] = ()
) -> list[str]:
    """The command that runs another as `run_in` does."""
    command = [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        *("--uid", "0", "--gid", "0"),
        "--clearenv",
        *("--setenv", "PATH", "/sbin:/bin:/usr/sbin:/usr/bin"),
        *("--ro-bind", str(rootfs), "/"),
        *("--proc", "/proc"),
        *("--dev", "/dev"),
        *("--tmpfs", "/tmp"),
        *options,
    ]
    for host, target in (binds or {}).items():
        command += ["--ro-bind", str(host), target]
    return [*command, *argv]


def unpacked(artifacts: Path, reference: str, into: Path) -> Image:
    """The image whose artifacts are in a directory, its root file system unpacked below `into`."""
    rootfs = into / "rootfs"
    rootfs.mkdir()
    with tarfile.open(artifacts / "rootfs.tar") as archive:
        archive.extractall(rootfs, filter="tar")
    return Image(artifacts, reference, rootfs)


def kimitui(*arguments: object, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a command of kimitui prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "kimitui", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


Make = Callable[..., Image]


@pytest.fixture(scope="session")
def make_image(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Build a preset, given as a path or a name, and unpack it."""

    def make(preset: str | Path, *arguments: object) -> Image:
        directory = tmp_path_factory.mktemp("image")
        printed = kimitui("build", preset, "--out", directory / "out", "--json", "--progress", "plain", *arguments)
        result = json.loads(printed)
        return unpacked(Path(result["directory"]), result["reference"], directory)

    return make


@pytest.fixture(scope="session")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of presets that only tests want."""
    directory = tmp_path_factory.mktemp("presets")
    (directory / "dynamic.json5").write_text('{ extends: "minimal", image: { link: "dynamic" } }')
    (directory / "soft.json5").write_text(
        '{ extends: "minimal", hardening: { pie: false, stack_protector: "none", stack_clash: false, relro: "none",'
        ' auto_var_init: false }, image: { compression: "zstd" } }'
    )
    (directory / "laid.json5").write_text(
        '{ extends: "minimal", image: { users: "app, web:33:/srv/www:/bin/false", user: "app", files: "files",'
        ' workdir: "/srv" }, hardening: { no_setuid: false } }'
    )
    (directory / "contained.json5").write_text('{ extends: "minimal", hardening: { containment: true } }')
    (directory / "fortified.json5").write_text('{ extends: "minimal", hardening: { fortify: "3" } }')
    files = directory / "files"
    for name, mode, text in (
        ("etc/motd", 0o664, "hello"),
        ("usr/bin/top", 0o6775, "#!/bin/sh\necho mine"),
        ("home/app/.profile", 0o600, "TZ=UTC"),
        ("srv/www/index.html", 0o644, "<p>"),
        ("var/run/app/state", 0o644, ""),
        ("tmp/note", 0o666, ""),
    ):
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_text(f"{text}\n")
        (files / name).chmod(mode)
    (files / "etc/localtime").symlink_to("/usr/share/zoneinfo/../../../../../etc/passwd")
    return directory


@pytest.fixture(scope="session")
def laid(make_image: Make, presets: Path) -> Image:
    """An image with users and files of its own, and a set-user-ID BusyBox."""
    return make_image(presets / "laid.json5")


@pytest.fixture(scope="session")
def minimal(make_image: Make) -> Image:
    return make_image("minimal")


@pytest.fixture(scope="session")
def contained(make_image: Make, presets: Path) -> Image:
    """An image with the launcher and the filters of system calls."""
    return make_image(presets / "contained.json5")


@pytest.fixture(scope="session")
def dynamic(make_image: Make, presets: Path) -> Image:
    return make_image(presets / "dynamic.json5")


@pytest.fixture(scope="session")
def fortify_headers() -> None:
    """Leaves a test out where fortify-headers, which only upstream has, are not in the cache and cannot be had."""
    try:
        sources.fetch(sources.load_lock()["fortify-headers"], SourceCache(cache_dir()), emit=lambda _event: None)
    except MachineError as error:
        pytest.skip(str(error).splitlines()[0])


@pytest.fixture(scope="session")
def fortified(fortify_headers: None, make_image: Make, presets: Path) -> Image:
    return make_image(presets / "fortified.json5")


@pytest.fixture(scope="session")
def soft(make_image: Make, presets: Path) -> Image:
    return make_image(presets / "soft.json5")


SERVED = """{
  extends: "minimal",
  image: { command: "/sbin/init", files: "files" },
  init: { system: "busybox" },
  services: {
    console: true, crond: true, hostname: true, httpd: true, httpd_port: 8080, klogd: true, syslogd: true,
    sshd: true, sysctl: true, app: { command: "sleep 1000", needs: ["mounts"] },
  },
}
"""

# A script such as somebody brings who knows OpenRC.
HELLO = """#!/sbin/openrc-run
supervisor=supervise-daemon
command=/bin/sleep
command_args=2000
depend() { need httpd; }
"""


@pytest.fixture(scope="session", params=INITS)
def init(request: pytest.FixtureRequest) -> Init:
    assert isinstance(request.param, Init)
    return request.param


@pytest.fixture(scope="session")
def presets_with_services(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with presets whose command is an init.

    `served-busybox.json5` and `served-openrc.json5`, by the init, and `limited.json5`, which contains services.
    """
    directory = tmp_path_factory.mktemp("served")
    (directory / "files/srv/www").mkdir(parents=True)
    (directory / "files/srv/www/index.html").write_text("hello\n")
    (directory / "served-busybox.json5").write_text(SERVED)
    (directory / "limited.json5").write_text('{ extends: "./served-busybox.json5", hardening: { containment: true } }')
    own = directory / "openrc-files"
    shutil.copytree(directory / "files", own)
    (own / "etc/init.d").mkdir(parents=True)
    (own / "etc/init.d/hello").write_text(HELLO)
    (own / "etc/init.d/hello").chmod(0o755)
    (own / "etc/runlevels/default").mkdir(parents=True)
    (own / "etc/runlevels/default/hello").symlink_to("/etc/init.d/hello")
    (directory / "served-openrc.json5").write_text(
        '{ extends: "./served-busybox.json5", image: { files: "openrc-files" }, init: { system: "openrc" } }'
    )
    return directory


@pytest.fixture(scope="session")
def served(init: Init, make_image: Make, presets_with_services: Path) -> Image:
    return make_image(presets_with_services / f"served-{init.word}.json5")


@pytest.fixture(scope="session")
def limited(make_image: Make, presets_with_services: Path) -> Image:
    return make_image(presets_with_services / "limited.json5")
