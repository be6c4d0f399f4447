"""What a step can reach, tried by a step that means harm."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kimitui.build.engines import choose, chroot
from kimitui.build.engines.base import Job, Mount
from kimitui.build.engines.sandbox import SandboxEngine, command
from kimitui.build.runner import Root

pytestmark = pytest.mark.build


def job(root: Root, tmp_path: Path, script: str, *mounts: Mount) -> Job:
    for name in ("output", "input"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "input/step.sh").write_text(script)
    return Job(
        root=root.path,
        argv=("/bin/sh", "/input/step.sh"),
        env={"PATH": "/usr/bin:/bin", "GREETING": "hello"},
        mounts=(
            Mount(tmp_path / "output", "/output", writable=True),
            Mount(tmp_path / "input", "/input"),
            *mounts,
        ),
    )


def run(root: Root, tmp_path: Path, script: str, *mounts: Mount) -> tuple[int, list[str]]:
    execution = SandboxEngine().start(job(root, tmp_path, script, *mounts))
    lines = list(execution.lines())
    return execution.wait(), lines


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a server on this machine's loopback, which a step must not reach."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_step_gets_its_inputs_and_leaves_its_output(root: Root, tmp_path: Path) -> None:
    source = tmp_path / "archive"
    source.write_text("content")
    script = "cat /sources/thing; echo; echo $GREETING > /output/result; pwd; id -u; hostname"
    status, lines = run(root, tmp_path, script, Mount(source, "/sources/thing"))
    assert (status, lines) == (0, ["content", "/build", "0", "kimigayo"])
    assert (tmp_path / "output/result").read_text() == "hello\n"


def test_a_hostile_step_has_no_network(root: Root, tmp_path: Path, listener: int) -> None:
    script = f"""
cat /proc/net/dev | tail -n +3
python3 - <<EOF
import socket
for address in (("127.0.0.1", {listener}), ("192.0.2.1", 80)):
    try:
        socket.create_connection(address, timeout=5)
        print("reached", address)
    except OSError as error:
        print("refused")
try:
    socket.getaddrinfo("example.org", 80)
    print("resolved")
except OSError:
    print("unresolved")
EOF
"""
    status, lines = run(root, tmp_path, script)
    assert status == 0
    interfaces = [line.split(":")[0].strip() for line in lines if ":" in line]
    assert (interfaces, lines[-3:]) == (["lo"], ["refused", "refused", "unresolved"])


def test_a_hostile_step_sees_no_home_and_no_environment(
    root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key")
    monkeypatch.setenv("KIMITUI_TEST_SECRET", "the key")
    script = f"ls -A /root /home; cat {secret}; env | sort; cat /proc/1/environ"
    _status, lines = run(root, tmp_path, script)
    assert not any("the key" in line for line in lines)
    assert {line.split("=")[0] for line in lines if "=" in line} <= {"GREETING", "PATH", "PWD", "OLDPWD", "SHLVL", "_"}
    assert str(Path.home()) not in "\n".join(lines).replace("/root:", "")


def test_a_hostile_step_sees_no_other_process(root: Root, tmp_path: Path) -> None:
    _status, lines = run(root, tmp_path, f"ls -d /proc/[0-9]* | wc -l; kill -0 {os.getpid()} || echo no such process")
    assert int(lines[0]) <= 4
    assert lines[-1] == "no such process" or psutil.Process().pid < 10


def test_a_hostile_step_cannot_write_outside(root: Root, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("good")
    script = """
for path in /usr/bin/gcc /etc/passwd /input/step.sh /sources/tree/file /new /sources/new /input/new; do
    (echo bad > $path) 2>/dev/null && echo wrote $path
done
mount -t tmpfs none /mnt 2>/dev/null && echo mounted
unshare --user true 2>/dev/null && echo new user namespace
mount -o remount,rw / 2>/dev/null && echo remounted
echo done
"""
    _status, lines = run(root, tmp_path, script, Mount(source, "/sources/tree"))
    assert lines == ["done"]
    assert (source / "file").read_text() == "good"


def test_a_step_dies_with_its_parent(root: Root, tmp_path: Path) -> None:
    argv = command(job(root, tmp_path, "echo ready; exec sleep 1000"))
    parent = f"import subprocess, sys; sys.exit(subprocess.call({argv!r}))"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
        process.kill()
        _gone, alive = psutil.wait_procs(family, timeout=30)
        assert alive == []


def test_killing_ends_all_processes_of_a_step(root: Root, tmp_path: Path) -> None:
    execution = SandboxEngine().start(job(root, tmp_path, "sleep 1000 & sleep 1000 & echo ready; wait"))
    lines = execution.lines()
    assert next(lines) == "ready"
    family = psutil.Process().children(recursive=True)
    execution.kill()
    assert execution.wait() != 0
    assert psutil.wait_procs(family, timeout=30)[1] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="a chroot needs root")
def test_the_chroot_runs_the_same_step(root: Root, tmp_path: Path) -> None:
    source = tmp_path / "tree"
    source.mkdir()
    (source / "file").write_text("content")
    script = (
        "cat /sources/tree/file; echo; mkdir /output/sub; echo made > /output/sub/result; env | grep -c HOME; exit 3"
    )
    engine = chroot.ChrootEngine("for a test")
    beside = SandboxEngine().start(
        job(
            root,
            tmp_path / "beside",
            "echo ready; while [ ! -e /input/go ]; do [ -e /input/step.sh ] || exit 9; done; pwd -P",
        )
    )
    printed = beside.lines()
    assert next(printed) == "ready"
    execution = engine.start(job(root, tmp_path, script, Mount(source, "/sources/tree")))
    assert list(execution.lines()) == ["content", "0"]
    assert execution.wait() == 3
    assert (tmp_path / "output/sub/result").read_text() == "made\n"
    assert "for a test" in (engine.warning() or "")
    # The toolchain is as it was, so that the sandbox can use it again.
    assert not (root.path / "sources/tree").exists()
    assert list((root.path / "output").iterdir()) == []
    assert run(root, tmp_path, "echo still works") == (0, ["still works"])
    # A sandbox that ran meanwhile has kept what was mounted in it.
    (tmp_path / "beside/input/go").touch()
    assert list(printed) == ["/build"] and beside.wait() == 0


def test_the_machine_is_asked_by_trying() -> None:
    assert choose().name == "sandbox"
