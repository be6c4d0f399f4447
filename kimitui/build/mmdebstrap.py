"""Make a Debian root file system with mmdebstrap, as root or as an ordinary user, owned by whoever asks."""

from __future__ import annotations

import os
import pwd
import re
import select
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kimitui.build import debian
from kimitui.errors import BuildError, KimituiError, MachineError

# mmdebstrap's scratch directory and the unpacked root took 1.1 GB each when measured.
NEEDED_BYTES = 1_500_000_000

_PULSE_SECONDS = 0.2
_TAIL_LINES = 12
_TAIL_COLUMNS = 200
_KEPT_LINES = 200
_PRIVATE_MOUNTS = ("unshare", "--mount")


def make_root(
    root: Path,
    *,
    suite: str,
    packages: Sequence[str],
    exclude: Sequence[str],
    scratch_link: Path,
    log: Path,
    line: Callable[[str], None],
    pulse: Callable[[], None],
) -> None:
    """Make the directory `root`: Debian `suite` with `packages`, without the paths that match `exclude`.

    Everything in it belongs to the caller and can be read and removed by them; no device nodes, no set-user-ID bits,
    nothing of the host. All that mmdebstrap prints goes to `log` and, line by line, to `line`; `pulse` is called
    several times a second; both may raise to cancel. `scratch_link` is a symbolic link that names the scratch
    directory while it exists, for `remove_scratch` after a kill.

    Raises `MachineError` if the machine lacks something, else `BuildError`.
    """
    check_machine(root.parent)
    scratch = _make_scratch()
    try:
        scratch_link.symlink_to(scratch)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as log_file:
            _run(
                _command(suite, packages, exclude),
                root,
                scratch=scratch,
                log=log_file,
                line=line,
                pulse=pulse,
            )
    except _FailedError as failure:
        raise _explain(failure.lines, log) from failure
    finally:
        remove_scratch(scratch_link)
    tidy(root)


def installed(root: Path) -> dict[str, str]:
    """The versions of all Debian packages installed in `root`, by name."""
    # Read here: where there is no mmdebstrap, there is no dpkg-query either.
    status = (root / "var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    versions = {}
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if re.match(r"\S+: ", line))
        if fields.get("Status", "").endswith(" installed"):
            versions[fields["Package"]] = fields["Version"]
    return dict(sorted(versions.items()))


def remove_scratch(scratch_link: Path) -> None:
    """Remove the scratch directory that `scratch_link` names, and the link; if there is none, nothing happens.

    What a killed mmdebstrap of an ordinary user leaves belongs to that user's subordinate ids, and only root of
    their user namespace can remove it.
    """
    if not scratch_link.is_symlink():
        return
    scratch = scratch_link.readlink()
    # Never through a mount: mmdebstrap mounts the host's /proc, /sys and /dev below it.
    remove = ["rm", "--recursive", "--force", "--one-file-system", "--"]
    if os.geteuid() != 0 and scratch.is_dir():
        # Empties the directories inside; to remove them from `scratch`, one must be its owner.
        _works(["mmdebstrap", "--unshare-helper", *remove, *(str(path) for path in scratch.iterdir())])
    _works([*remove, str(scratch)])
    scratch_link.unlink()


def _command(suite: str, packages: Sequence[str], exclude: Sequence[str]) -> list[str]:
    try:
        sources = [debian.mirror().source_line("deb", suite)]
    except debian.NoMirrorError:
        sources = []  # mmdebstrap knows Debian's own
    # As root, mmdebstrap would mount in the host's name space, and leave the mounts there when it is killed.
    mode = [*_PRIVATE_MOUNTS, "mmdebstrap", "--mode=root"] if os.geteuid() == 0 else ["mmdebstrap", "--mode=unshare"]
    return [
        *mode,
        "--verbose",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in exclude),
        "--dpkgopt=force-unsafe-io",
        '--aptopt=Acquire::Retries "2"',
        *(f"--aptopt={setting}" for setting in debian.proxy_settings()),
        suite,
        "-",
        *sources,
    ]


class _FailedError(Exception):
    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines)
        self.lines = lines


def _run(
    command: Sequence[str],
    root: Path,
    *,
    scratch: Path,
    log: IO[str],
    line: Callable[[str], None],
    pulse: Callable[[], None],
) -> None:
    """Run mmdebstrap and unpack what it writes into `root` as it comes. Raises `_FailedError`."""
    root.mkdir()
    told, telling = os.pipe()
    with _process_group() as group, os.fdopen(told, "rb", buffering=0) as pipe:
        with os.fdopen(telling, "wb") as tell:
            making = subprocess.Popen(
                command,
                env={**os.environ, "LC_ALL": "C", "TMPDIR": str(scratch)},
                umask=0o022,
                process_group=group,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=tell,
            )
            unpacking = subprocess.Popen(
                [
                    "tar",
                    "--extract",
                    "--file=-",
                    f"--directory={root}",
                    "--no-same-owner",
                    "--no-same-permissions",  # takes the set-user-ID bits away, too
                    "--exclude=./dev/*",
                ],
                umask=0o022,
                process_group=group,
                stdin=making.stdout,
                stdout=subprocess.DEVNULL,
                stderr=tell,
            )
        if making.stdout:  # only tar reads it: should tar fail, mmdebstrap must notice
            making.stdout.close()
        tail: deque[str] = deque(maxlen=_KEPT_LINES)
        for text in _lines(pipe, pulse):
            tail.append(text)
            log.write(f"{text}\n")
            log.flush()
            line(text)
        statuses = making.wait(), unpacking.wait()
        if any(statuses):
            raise _FailedError(tuple(tail))


def _lines(pipe: IO[bytes], pulse: Callable[[], None]) -> Iterator[str]:
    """What comes out of a pipe, line by line without line ends; `pulse` is called also while nothing comes."""
    rest = b""
    while True:
        pulse()
        if not select.select([pipe], [], [], _PULSE_SECONDS)[0]:
            continue
        data = pipe.read(65_536)
        if not data:
            break
        *whole, rest = (rest + data).split(b"\n")
        yield from (text.decode(errors="replace").rstrip() for text in whole)
    if rest:
        yield rest.decode(errors="replace").rstrip()


@contextmanager
def _process_group() -> Iterator[int]:
    """A process group that does not outlive the block: neither an exception nor the death of this process.

    mmdebstrap does not end when it is asked to (it waits for apt, which may wait for us to read), and nothing may go
    on behind the back of the next run. So the group's leader waits for a pipe to close, and then kills them all.
    As owner of the user namespace, an ordinary user may do so too.
    """
    leader = subprocess.Popen(
        ["sh", "-c", "read line; kill -KILL 0"],
        process_group=0,
        stdin=subprocess.PIPE,
    )
    try:
        yield leader.pid
    finally:
        leader.communicate()


def tidy(root: Path) -> None:
    """Make everything readable, and take away what came from the host."""
    subprocess.run(["chmod", "--recursive", "u+rwX,go+rX", str(root)], check=True)
    etc = root / "etc"
    (etc / "hostname").write_text("kimitui\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    (etc / "resolv.conf").unlink(missing_ok=True)
    shutil.rmtree(etc / "apt", ignore_errors=True)


def check_machine(directory: Path) -> None:
    """Whether a root file system can be made below `directory`. Raises `MachineError` for what is missing."""
    check_tools()
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < NEEDED_BYTES:
        raise _no_space(directory, free_bytes)


def check_tools() -> None:
    """Whether mmdebstrap can run here. Raises `MachineError` for what it lacks."""
    if not shutil.which("mmdebstrap"):
        raise MachineError(
            "mmdebstrap is not installed; the toolchain is made with it",
            fix="Install it:  apt-get install mmdebstrap",
        )
    if os.geteuid() == 0:
        if not _works([*_PRIVATE_MOUNTS, "true"]):
            raise MachineError(
                "root cannot mount anything here, so the toolchain cannot be made (a container without privileges?)",
                fix="Run the container with --privileged (or --cap-add=SYS_ADMIN and without AppArmor's and seccomp's"
                " profiles), or build outside of it.",
            )
        return
    if not shutil.which("newuidmap") or not shutil.which("newgidmap"):
        raise MachineError(
            "newuidmap is not installed; without root, the toolchain is made in a user namespace",
            fix="Install it:  apt-get install uidmap",
        )
    user = _user_name()
    for path in (Path("/etc/subuid"), Path("/etc/subgid")):
        if not _has_subordinate_ids(path, user):
            raise MachineError(
                f"{user} has no subordinate ids; without root, the toolchain is made in a user namespace",
                where=path,
                fix=f"As root:  usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
            )
    if not _works(["unshare", "--user", "true"]):
        raise MachineError(
            "this machine refuses user namespaces to ordinary users",
            fix="Build as root, or allow them (as root, whichever of these the machine has):\n"
            "  sysctl kernel.unprivileged_userns_clone=1\n"
            "  sysctl kernel.apparmor_restrict_unprivileged_userns=0\n"
            "  sysctl user.max_user_namespaces=10000",
        )


def _works(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _has_subordinate_ids(path: Path, user: str) -> bool:
    try:
        owners = {line.partition(":")[0] for line in path.read_text().splitlines()}
    except OSError:
        return False
    return user in owners or str(os.geteuid()) in owners


def _make_scratch() -> Path:
    """A directory for mmdebstrap on a disk with room; others must be able to enter it, unlike a user's home."""
    places = [Path(tempfile.gettempdir()), Path("/var/tmp")]
    for place in places:
        if place.is_dir() and shutil.disk_usage(place).free >= NEEDED_BYTES:
            scratch = Path(tempfile.mkdtemp(prefix="kimitui-", dir=place))
            scratch.chmod(0o711)
            return scratch
    raise _no_space(places[0], shutil.disk_usage(places[0]).free)


def _no_space(place: Path, free_bytes: int) -> MachineError:
    return MachineError(
        f"not enough space to make the toolchain: {NEEDED_BYTES / 1e9:.1f} GB are needed,"
        f" {free_bytes / 1e9:.1f} GB are free",
        where=place,
        fix="Make room, or name other directories with KIMITUI_CACHE (the cache) and TMPDIR (scratch space).",
    )


def _explain(lines: Sequence[str], log: Path) -> KimituiError:
    """The error for what mmdebstrap printed: the machine's fault where the words tell so."""
    text = "\n".join(lines)
    # What mmdebstrap and tar say of their own end is not the cause; some of it is as long as a list of all packages.
    told = [line for line in lines if not line.startswith(("I: ", "tar: "))]
    tail = tuple(line[:_TAIL_COLUMNS] for line in told[-_TAIL_LINES:])
    if "No space left on device" in text:
        return MachineError(
            "the disk filled up while the toolchain was being made",
            where=log,
            details=tail,
            fix="Make room, or name other directories with KIMITUI_CACHE (the cache) and TMPDIR (scratch space).",
        )
    if any(words in text for words in ("Could not resolve", "Temporary failure resolving", "Could not connect")):
        return MachineError(
            "the toolchain could not be made: Debian's mirror cannot be reached",
            where=log,
            details=tail,
            fix="Check the network and the proxy; the mirror is the one of this machine's apt configuration.",
        )
    return BuildError("mmdebstrap could not make the toolchain", where=log, details=tail)
