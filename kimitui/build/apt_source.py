"""Source archives from Debian, through apt's own client and a private apt directory.

Neither the system's package lists nor its caches are touched, and no root is needed; proxies and passwords of the
machine's apt configuration stay in force.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kimitui.build import debian
from kimitui.build.download import PlaceError, Progress, Reason, sha256_of
from kimitui.build.lock import DebianSource
from kimitui.build.locks import held

# `#clear` takes away what the machine runs after every update (a desktop's notifier, a container's cache
# cleaner). The sandbox user `_apt` could not enter a user's cache, so apt would complain. An index that has outlived
# its validity still names the right archive: the lock's SHA-256 decides.
_APT_CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Dir::Etc::sourcelist "{directory}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State "{directory}/state";
Dir::State::lists "{directory}/lists";
Dir::State::status "{directory}/status";
Dir::Cache "{directory}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "{directory}/log";
"""


# Two downloads into one file would spoil each other; util-linux is on every machine with apt.
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")

_APT_WORDS = (
    (r"mismatch|unexpected size", Reason.DIGEST),
    (r"\b404\b|does not have a Release file", Reason.GONE),
    (r"resolv|connect|timed out|timeout|network|unreachable", Reason.NETWORK),
)


class AptError(Exception):
    """apt could not do it; the text is one line in apt's own words where it has any."""


@dataclass(frozen=True)
class SourceFile:
    """A file of a source package as the archive's index describes it; `sha256` may be unknown (empty)."""

    uri: str
    name: str
    size_bytes: int
    sha256: str


def fetch(source: DebianSource, sha256: str, part: Path, *, apt_dir: Path, progress: Progress) -> None:
    """Make `part` the archive of `source` with the digest `sha256`.

    If the suite has moved on, the package's present version is tried: it often carries the same archive. `apt_dir`
    keeps what apt needs between calls.

    Raises `PlaceError` if Debian does not give the archive, `OSError` for what is wrong with the disk.
    """
    directory = apt_dir / source.suite
    into = part.with_suffix(".apt")
    with held(apt_dir / f"{source.suite}.lock"):
        try:
            packages = SourcePackages(directory, source.suite)
        except debian.NoMirrorError as error:
            raise PlaceError(Reason.ABSENT, str(error)) from error
        try:
            packages.update()
        except AptError as error:
            raise _place_error(error) from error
        package, file = _locate(packages, source, sha256)
        into.mkdir(exist_ok=True)
        complaint = None
        try:
            packages.download(
                package,
                into,
                lambda fraction: progress(int(fraction * file.size_bytes), file.size_bytes),
            )
        except AptError as error:
            # Perhaps about another archive of the package: look at ours.
            complaint = _place_error(error)
        downloaded = into / file.name
        digest = sha256_of(downloaded) if downloaded.exists() else ""
        if digest == sha256:
            downloaded.replace(part)
        elif complaint and complaint.reason is Reason.NETWORK:
            raise complaint  # what has arrived stays, for apt to continue
        shutil.rmtree(into)
        if digest != sha256:
            raise complaint or PlaceError(Reason.DIGEST, f"wrong file: {file.uri} has SHA-256 {digest}")


def _locate(packages: SourcePackages, source: DebianSource, sha256: str) -> tuple[str, SourceFile]:
    """What to ask apt for, and the file that comes of it. Raises `PlaceError`."""
    told = []
    for package in (f"{source.package}={source.version}", source.package):
        try:
            files = packages.files(package)
        except AptError as error:
            told.append(str(error))
            continue
        for file in files:
            # An index without SHA-256 leaves it to us to find out after the download.
            if file.sha256 in (sha256, ""):
                return package, file
        told += [f"{file.name} there is another archive" for file in files]
    raise PlaceError(Reason.GONE, "; ".join(dict.fromkeys(told)))


def _place_error(error: AptError) -> PlaceError:
    """What apt's words mean. Raises `OSError` if the disk is full."""
    text = str(error)
    if "No space left on device" in text or "don't have enough free space" in text:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    for words, reason in _APT_WORDS:
        if re.search(words, text, flags=re.IGNORECASE):
            return PlaceError(reason, text)
    return PlaceError(Reason.REFUSED, text)


class SourcePackages:
    """Source packages of one suite, through a private apt directory; not for two processes at once."""

    def __init__(self, directory: Path, suite: str) -> None:
        """Prepare `directory`. Raises `debian.NoMirrorError`; `OSError` if it cannot be written."""
        self.mirror = debian.mirror()
        self._directory = directory
        for name in ("state", "lists/partial", "cache/archives/partial", "log"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        (directory / "sources.list").write_text(self.mirror.source_line("deb-src", suite) + "\n")
        (directory / "apt.conf").write_text(_APT_CONF.format(directory=directory))

    def update(self) -> None:
        """Fetch the suite's index of source packages. Raises `AptError`."""
        self._apt("update", "--error-on=any")

    def files(self, package: str) -> tuple[SourceFile, ...]:
        """The archives of `package`, `NAME` or `NAME=VERSION`, without Debian's own changes. Raises `AptError`."""
        listing = self._apt("source", "--print-uris", "--only-source", "--tar-only", package)
        found = re.findall(r"^'([^']+)' (\S+) (\d+) (\S*)$", listing, flags=re.MULTILINE)
        return tuple(
            SourceFile(
                uri=uri,
                name=name,
                size_bytes=int(size),
                sha256=digest.removeprefix("SHA256:") if digest.startswith("SHA256:") else "",
            )
            for uri, name, size, digest in found
        )

    def download(self, package: str, into: Path, progress: Callable[[float], None]) -> None:
        """Download the archives of `package` into the directory `into`; a part that is there is resumed.

        `progress` is called with the fraction done, 0.0 to 1.0. Raises `AptError`.
        """
        reading, writing = os.pipe()
        with os.fdopen(reading, "r", errors="replace") as status:
            try:
                process = subprocess.Popen(
                    [
                        *_DIES_WITH_US,
                        "apt-get",
                        *("-c", str(self._directory / "apt.conf")),
                        *("-o", f"APT::Status-Fd={writing}"),
                        "--quiet=2",
                        "source",
                        "--download-only",
                        "--only-source",
                        "--tar-only",
                        package,
                    ],
                    cwd=into,
                    env=debian.environment(),
                    pass_fds=(writing,),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                )
            finally:
                os.close(writing)
            try:
                for line in status:
                    # dlstatus:<item>:<per cent>:<text>
                    if found := re.match(r"dlstatus:\d+:([\d.]+):", line):
                        progress(float(found[1]) / 100)
                _, errors = process.communicate()
            except BaseException:
                process.kill()
                process.wait()
                raise
        if process.returncode != 0:
            raise AptError(_reason(errors))

    def _apt(self, *arguments: str) -> str:
        result = subprocess.run(
            [
                *_DIES_WITH_US,
                "apt-get",
                *("-c", str(self._directory / "apt.conf")),
                "--quiet=2",
                *arguments,
            ],
            cwd=self._directory,
            env=debian.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if result.returncode != 0:
            raise AptError(_reason(result.stderr))
        return result.stdout


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    told = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")]
    return (told or lines or ["apt-get failed without a word"])[0]
