"""What the programs beside BusyBox do in an image that was really built."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from kimitui.build import elf, packages, sources
from kimitui.build.arch import ARCHES
from kimitui.build.build import Request, build
from kimitui.build.lock import load_lock
from kimitui.config import Configuration
from kimitui.resources import cache_dir
from tests.build.conftest import Image, Make, in_sandbox, kimitui, run_in, unpacked

pytestmark = pytest.mark.build

# How each says its version; the words around it are its own.
VERSIONS = {
    "dropbear": "dropbear -V 2>&1",
    "tini": "tini --version",
    "strace": "strace -V",
    "lsof": "lsof -v 2>&1",
    "libpcap": "tcpdump --version",
    "tcpdump": "tcpdump --version",
    "mbedtls": "curl --version",
    "curl": "curl --version",
    "e2fsprogs": "mke2fs -V 2>&1",
}

# An ordinary user who is all that the sandbox has: a server that is not root lets in only whom it runs as.
AS_APP = ("--uid", "1000", "--gid", "1000")


@pytest.fixture(scope="session")
def presets_of_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("packages")
    (directory / "everything.json5").write_text('{ extends: "extended", image: { users: "app" } }')
    (directory / "shared.json5").write_text(
        '{ extends: "minimal", image: { link: "dynamic" }, packages: { dropbear: true, tini: true } }'
    )
    (directory / "everything-shared.json5").write_text('{ extends: "everything", image: { link: "dynamic" } }')
    return directory


@pytest.fixture(scope="session")
def everything(make_image: Make, presets_of_packages: Path) -> Image:
    return make_image(presets_of_packages / "everything.json5")


@pytest.mark.parametrize("package", VERSIONS)
def test_it_is_the_release_that_the_lock_names(everything: Image, package: str) -> None:
    assert load_lock()[package].version in everything.run(VERSIONS[package])


def test_the_record_has_packages_and_programs(everything: Image) -> None:
    info = json.loads((everything.directory / "build-info.json").read_text())
    assert set(info["packages"]) == {*VERSIONS, "ca-certificates"} - {"libpcap", "mbedtls"}
    assert {*VERSIONS, "ca-certificates"} < set(info["sources"])
    files = {path for package in info["packages"].values() for path in package["files"]}
    programs = set(info["programs"]) - {"/bin/busybox"}
    assert {"/usr/sbin/dropbear", "/sbin/tini", "/usr/bin/curl", "/sbin/e2fsck"} <= programs <= files
    for path in files:
        assert (everything.rootfs / path.lstrip("/")).lstat().st_size == sum(
            package["files"].get(path, 0) for package in info["packages"].values()
        )


def test_definitions_name_the_programs_that_packages_bring(everything: Image) -> None:
    info = json.loads((everything.directory / "build-info.json").read_text())
    places = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/")
    for name, package in packages.load().items():
        if name in info["packages"]:
            brought = {path[1:] for path in info["packages"][name]["files"] if path.startswith(places)}
            assert brought == set(package.programs), name


# **Feature: kimigayo-os-core, Property 4: PIE, stack protector, RELRO and a non-executable stack**
def test_every_program_is_hardened(everything: Image) -> None:
    info = json.loads((everything.directory / "build-info.json").read_text())
    for path, said in info["programs"].items():
        facts = elf.read(everything.rootfs / path.lstrip("/"))
        assert (facts.machine, facts.pie, facts.nx, facts.relro) == ("EM_X86_64", True, True, "full"), path
        assert (facts.interpreter, facts.needed) == (None, ()), path
        assert said["stack_protector"], path


def test_packages_come_in_the_place_of_applets(everything: Image, presets_of_packages: Path, tmp_path: Path) -> None:
    printed = kimitui("build", presets_of_packages / "everything.json5", "--out", tmp_path, "--progress", "json")
    said = [event["text"] for event in map(json.loads, printed.splitlines()) if event["event"] == "message"]
    assert "packages: lsof takes the place of BusyBox's lsof" in said
    assert "packages: e2fsprogs takes the place of BusyBox's chattr, lsattr, mke2fs, mkfs.ext2, tune2fs" in said
    for name in ("lsof", "mkfs.ext2", "tune2fs", "chattr"):
        (found,) = (path for path in everything.rootfs.rglob(name) if path.parent.name in ("bin", "sbin"))
        assert not found.is_symlink() or found.readlink().name != "busybox"


def test_dropbear_lets_in_who_has_the_key_and_nobody_else(everything: Image) -> None:
    said = everything.run(
        """
        cd /tmp && mkdir -m 700 keys
        for key in host user other; do dropbearkey -t ed25519 -f $key >$key.pub 2>/dev/null; done
        grep ^ssh-ed25519 user.pub >keys/authorized_keys
        dropbear -r host -p 127.0.0.1:2222 -D /tmp/keys -P /tmp/pid  # in the background once it listens
        connect() { dbclient -y -i "$1" -p 2222 app@127.0.0.1 "$2" </dev/null 2>/dev/null; }
        connect user 'whoami; echo $SSH_CONNECTION | cut -d " " -f 4'
        connect other 'echo in'
        echo content >file
        scp -o StrictHostKeyChecking=no -i user -P 2222 file app@127.0.0.1:/tmp/copy 2>/dev/null && cat copy
        """,
        options=AS_APP,
    )
    assert said.split() == ["app", "2222", "content"]


def test_openssh_and_dropbear_understand_each_other(everything: Image, tmp_path: Path) -> None:
    client = shutil.which("ssh")
    if client is None:
        pytest.skip("ssh is not installed (Debian package openssh-client)")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "user")], check=True)
    public = (tmp_path / "user.pub").read_text()
    serve = f"""
        cd /tmp && mkdir -m 700 keys && echo '{public.strip()}' >keys/authorized_keys
        dropbearkey -t ecdsa -f host >/dev/null 2>&1
        exec dropbear -i -r host -D /tmp/keys
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": str(tmp_path / "known"),
            "IdentityFile": str(tmp_path / "user"),
            "BatchMode": "yes",
        }
        command = [client, "-F", "none", *(word for pair in options.items() for word in ("-o", "=".join(pair)))]
        port = str(listening.getsockname()[1])
        with subprocess.Popen(
            [*command, "-p", port, "app@127.0.0.1", "id -un"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        ) as ssh:
            connection, _address = listening.accept()
            with connection:
                sandbox = in_sandbox(everything.rootfs, ("/bin/sh", "-c", serve), options=AS_APP)
                subprocess.run(sandbox, stdin=connection.fileno(), stdout=connection.fileno(), check=False)
            said, _errors = ssh.communicate()
    assert (said, ssh.returncode) == (b"app\n", 0)


def test_tini_collects_orphans_and_hands_on_the_status(everything: Image) -> None:
    # The orphan's directory in /proc goes away only when somebody collects it.
    script = """
        tini -s -w -- sh -c '
            orphan=$(sh -c "sleep 0.1 >/dev/null & echo \\$!")
            while [ -d /proc/$orphan ]; do :; done
            exit 7' 2>&1
        echo $?
    """
    warned, status = everything.run(script).splitlines()
    assert "Reaped zombie process" in warned
    assert status == "7"


@contextlib.contextmanager
def https_server(directory: Path) -> Iterator[int]:
    """A server with a certificate for `localhost` by an authority of its own, `ca.crt` in the directory; its port."""
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = [*openssl, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(directory / "key"), "-out", str(directory / "ca.crt")]
    subprocess.run([*made, *files], check=True, capture_output=True)
    (directory / "served").mkdir()
    (directory / "served/hello").write_text("hello over TLS\n")
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory / "served"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "ca.crt", directory / "key")
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_curl_trusts_whom_it_is_told_to_and_else_the_bundle(everything: Image, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian package openssl)")
    with https_server(tmp_path) as port:
        said = everything.run(
            """
            url=https://localhost:$1/hello
            curl --silent --cacert /tmp/ca.crt --resolve localhost:$1:127.0.0.1 $url
            # 60: the bundle was read, and this server is not in it.
            curl --silent --resolve localhost:$1:127.0.0.1 $url || echo $?
            curl --silent --cacert /tmp/ca.crt --resolve other:$1:127.0.0.1 https://other:$1/hello || echo $?
            """,
            "sh",
            str(port),
            binds={tmp_path / "ca.crt": "/tmp/ca.crt"},
            options=("--share-net",),
        )
    assert said.splitlines() == ["hello over TLS", "60", "60"]


def test_the_bundle_is_mozillas_list(everything: Image) -> None:
    bundle = everything.rootfs / "etc/ssl/certs/ca-certificates.crt"
    context = ssl.create_default_context(cafile=str(bundle))
    assert 100 < len(context.get_ca_certs()) == bundle.read_text().count("BEGIN CERTIFICATE")
    trusted = str(context.get_ca_certs())
    assert all(name in trusted for name in ("ISRG Root X1", "GlobalSign Root CA", "DigiCert Global Root G2"))
    # Distrusted since 30 November 2024: nothing that it issued before can still be valid.
    assert "Entrust Root Certification Authority - G2" not in trusted
    assert (everything.rootfs / "etc/ssl/cert.pem").resolve() == bundle.resolve()


def test_strace_shows_system_calls(everything: Image) -> None:
    said = everything.run("strace -f -o /tmp/log sh -c 'cat /etc/hostname' && cat /tmp/log")
    assert said.startswith("kimigayo\n")
    assert 'open("/etc/hostname", O_RDONLY' in said
    assert "exited with 0" in said


def test_lsof_finds_the_file_of_a_descriptor(everything: Image) -> None:
    assert everything.run("exec 5</etc/hostname; lsof -a -p $$ -d 5 -F n; :").splitlines()[-1] == "n/etc/hostname"


def pcap(*packets: bytes) -> bytes:
    """A capture file of packets that begin with the IPv4 header."""
    raw_ip = 101
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, raw_ip)
    return header + b"".join(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet for packet in packets)


def udp(source: int, target: int) -> bytes:
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2")
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + addresses + struct.pack("!HHHH", source, target, 8, 0)
    )


def test_tcpdump_reads_what_matches_the_filter(everything: Image, tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(pcap(udp(1000, 2000), udp(1000, 53), udp(3000, 4000)))
    binds = {tmp_path / "capture": "/tmp/capture"}
    everyone = everything.run("tcpdump -t -n -r /tmp/capture 2>/dev/null", binds=binds).splitlines()
    assert [line.partition(": ")[0] for line in everyone] == [
        "IP 192.0.2.1.1000 > 192.0.2.2.2000",
        "IP 192.0.2.1.1000 > 192.0.2.2.53",
        "IP 192.0.2.1.3000 > 192.0.2.2.4000",
    ]
    (one,) = everything.run("tcpdump -t -n -r /tmp/capture udp port 4000 2>/dev/null", binds=binds).splitlines()
    assert one.startswith("IP 192.0.2.1.3000 > 192.0.2.2.4000: UDP")


def test_e2fsprogs_make_fill_check_and_grow_a_file_system(everything: Image) -> None:
    said = everything.run(
        """
        cd /tmp && truncate -s 4M disk
        mkfs.ext4 -q -L data disk
        debugfs -w -R 'write /etc/hostname name' disk 2>/dev/null >&2
        truncate -s 8M disk && e2fsck -f -n disk >/dev/null 2>&1 && resize2fs disk >/dev/null 2>&1
        tune2fs -L other disk >/dev/null 2>&1
        fsck.ext4 -f -n disk >/dev/null 2>&1 && echo clean
        debugfs -R 'cat name' disk 2>/dev/null
        dumpe2fs -h disk 2>/dev/null | grep -e volume -e 'Block count'
        dd if=/dev/zero of=disk bs=1k seek=1 count=1 conv=notrunc 2>/dev/null
        e2fsck -n disk >/dev/null 2>&1 || echo broken
        """
    )
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines == ["clean", "kimigayo", "Filesystem volume name: other", "Block count: 8192", "broken"]


# **Feature: kimigayo-os-core, Property 1: the base image is within its budget**
def test_everything_stays_within_the_budget(everything: Image) -> None:
    assert (everything.directory / "rootfs.tar").stat().st_size <= 15_000_000


# **Feature: kimigayo-os-core, Property 29: static and dynamic linking can both be chosen**
@pytest.mark.parametrize("name", ["shared", pytest.param("everything-shared", marks=pytest.mark.slow)])
def test_dynamic_programs_share_one_library(make_image: Make, presets_of_packages: Path, name: str) -> None:
    image = make_image(presets_of_packages / f"{name}.json5")
    programs = json.loads((image.directory / "build-info.json").read_text())["programs"]
    assert {"/sbin/tini", "/usr/sbin/dropbear"} < set(programs)
    for path in programs:
        facts = elf.read(image.rootfs / path.lstrip("/"))
        assert (facts.needed, facts.pie, facts.relro) == (("libc.so",), True, "full"), path
    assert load_lock()["tini"].version in image.run("tini --version; dropbear -V 2>/dev/null")


# **Feature: kimigayo-os-core, Property 16: every supported architecture builds and behaves alike**
@pytest.mark.parametrize(
    ("arch", "preset"),
    [
        ("arm64", '{ extends: "minimal", packages: { dropbear: true, tini: true, lsof: true } }'),
        pytest.param("arm64", '{ extends: "extended" }', marks=pytest.mark.slow),
        pytest.param("riscv64", '{ extends: "extended" }', marks=pytest.mark.slow),
    ],
    ids=["arm64-some", "arm64-all", "riscv64-all"],
)
def test_foreign_architectures(make_image: Make, tmp_path: Path, arch: str, preset: str) -> None:
    (tmp_path / "foreign.json5").write_text(preset)
    image = make_image(tmp_path / "foreign.json5", "--arch", arch)
    info = json.loads((image.directory / "build-info.json").read_text())
    assert {facts["machine"] for facts in info["programs"].values()} == {ARCHES[arch].elf_machine}
    emulator = shutil.which(f"qemu-{ARCHES[arch].qemu}")
    if emulator is None:
        pytest.skip(f"qemu-{ARCHES[arch].qemu} is not installed (Debian package qemu-user)")
    for package in set(VERSIONS) & set(info["sources"]):
        program, *words = VERSIONS[package].split()
        (path,) = (path for path in info["programs"] if Path(path).name == program)
        said = run_in(
            Path("/"),
            ("/bin/sh", "-c", f"{emulator} /tmp{path} {' '.join(words)}"),
            binds={image.rootfs: "/tmp"},
        )
        assert load_lock()[package].version in said, package


HELLO = """#!/sbin/openrc-run
description="Says hello"
command=/bin/sleep
command_args=1000
command_background=true
pidfile=/run/hello.pid
depend() { need first; }
"""

FIRST = """#!/sbin/openrc-run
start() { echo "first" >>/run/order; }
"""


def test_openrc_starts_services_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archives = load_lock()["openrc"].archives
    cache = sources.SourceCache(cache_dir())
    if not any(cache.find(archive) for archive in archives):
        pytest.skip("openrc is not in the source cache (kimitui sources fetch openrc, or add)")
    # No option asks for it by itself.
    honest = packages.installed
    monkeypatch.setattr(packages, "installed", lambda config: (*honest(config), packages.load()["openrc"]))
    for name, text in (("hello", HELLO), ("first", FIRST)):
        path = tmp_path / "files/etc/init.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "files/etc/runlevels/default").mkdir(parents=True)
    (tmp_path / "files/etc/runlevels/default/hello").symlink_to("/etc/init.d/hello")
    preset = tmp_path / "openrc.json5"
    preset.write_text('{ extends: "minimal", image: { link: "dynamic", files: "files" } }')
    made = build(Request(Configuration.open(str(preset)), cache_dir(), tmp_path / "out"), emit=lambda _event: None)
    image = unpacked(made.directory, made.reference, tmp_path)
    programs = json.loads((image.directory / "build-info.json").read_text())["programs"]
    assert set(programs["/sbin/openrc"]["needed"]) == {"librc.so.1", "libeinfo.so.1", "libc.so"}
    assert programs["/lib/librc.so.1"]["relro"] == "full"
    said = image.run(
        """
        openrc --version
        mkdir /run/openrc && openrc default >/dev/null 2>&1
        cat /run/order; rc-service hello status; kill -0 $(cat /run/hello.pid) && echo alive
        rc-status default | grep hello
        rc-service hello stop >/dev/null 2>&1; rc-service hello status || echo $?
        """,
        options=("--tmpfs", "/run"),
    )
    version, *lines = said.splitlines()
    assert load_lock()["openrc"].version in version
    assert [" ".join(line.strip(" *").split()) for line in lines] == [
        "first",
        "status: started",
        "alive",
        "hello [ started ]",
        "status: stopped",
        "3",
    ]
