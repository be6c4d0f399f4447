"""Images in a registry that the test starts."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimitui.build import push, reference
from kimitui.build.reference import Reference
from kimitui.cli import main
from kimitui.errors import BuildError, MachineError, UsageError
from tests.build import registry as registries
from tests.build.conftest import Image, kimitui
from tests.build.made import artifacts, manifest_digest
from tests.build.registry import Registry, needs_registry


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with registries.running() as running:
        yield running


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """One of its own for every test."""
    return f"team/{request.node.name.split('[')[0].replace('_', '-')}"


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of a user of Docker, which is empty."""
    directory = tmp_path / "docker"
    directory.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return directory / "config.json"


@needs_registry
def test_one_image_gets_the_tags_of_the_release(registry: Registry, repository: str, tmp_path: Path) -> None:
    made = artifacts(tmp_path)
    pushed = push.push([made], Reference(f"{registry.host}/{repository}"))
    digest = manifest_digest(made)
    assert pushed.tags == {"0.1.0-minimal-amd64": digest, "0.1.0-minimal": digest, "latest-minimal": digest}
    assert pushed.platforms == {"linux/amd64": digest}
    for tag in pushed.tags:
        assert registry.manifest(repository, tag)[0] == digest
    assert registry.tags(repository) == set(pushed.tags)


@needs_registry
def test_several_architectures_are_an_index(registry: Registry, repository: str, tmp_path: Path) -> None:
    made = [artifacts(tmp_path, arch, preset="standard", content=arch.encode()) for arch in ("x86_64", "arm64")]
    said: list[str] = []
    pushed = push.push(
        made, Reference(f"{registry.host}/{repository}"), rolling=("latest", "stable", "edge"), say=said.append
    )
    digest, index = registry.manifest(repository, "0.1.0")
    assert {one["platform"]["architecture"]: one["digest"] for one in index["manifests"]} == {
        "amd64": manifest_digest(made[0]),
        "arm64": manifest_digest(made[1]),
    }
    assert {tag: registry.manifest(repository, tag)[0] for tag in pushed.tags} == dict(pushed.tags)
    assert pushed.tags == {
        "0.1.0-amd64": manifest_digest(made[0]),
        "0.1.0-arm64": manifest_digest(made[1]),
        **dict.fromkeys(("0.1.0", "latest", "stable", "edge"), digest),
    }
    # What others pull under a tag that moves is whole by then.
    assert [line.rpartition(":")[2] for line in said] == list(pushed.tags)


@needs_registry
def test_what_is_there_is_not_sent_again(registry: Registry, repository: str, tmp_path: Path) -> None:
    made = artifacts(tmp_path)
    target = Reference(f"{registry.host}/{repository}")
    first = push.push([made], target)
    before = registry.uploads(repository)
    assert push.push([made], target) == first
    assert registry.uploads(repository) == before
    push.push([artifacts(tmp_path / "changed", content=b"other")], target)
    assert registry.uploads(repository) != before


@needs_registry
def test_the_same_images_give_the_same_index(registry: Registry, repository: str, tmp_path: Path) -> None:
    made = [artifacts(tmp_path, arch) for arch in ("x86_64", "riscv64", "i686")]
    digests = {push.push(made, Reference(f"{registry.host}/{repository}-{n}")).tags["0.1.0-minimal"] for n in range(2)}
    assert len(digests) == 1


@needs_registry
def test_a_tag_of_ones_own(registry: Registry, repository: str, tmp_path: Path) -> None:
    pushed = push.push([artifacts(tmp_path)], Reference(f"{registry.host}/{repository}", "mine"))
    assert registry.tags(repository) == set(pushed.tags) == {"mine", "mine-amd64"}


def logged_in(config: Path, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Let Docker's configuration know the user of a registry."""
    if how == "config":
        pair = base64.b64encode(":".join(registries.USER).encode()).decode()
        config.write_text(json.dumps({"auths": {host: {"auth": pair}}}))
        return
    helper = tmp_path / "bin/docker-credential-kept"
    helper.parent.mkdir()
    user, secret = registries.USER
    answer = json.dumps({"ServerURL": host, "Username": user, "Secret": secret})
    helper.write_text(f"""#!/bin/sh
[ "$1" = get ] && [ "$(cat)" = "{host}" ] && echo '{answer}'
""")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
    config.write_text(json.dumps({"credHelpers": {host: "kept"}} if how == "helper" else {"credsStore": "kept"}))


@needs_registry
@pytest.mark.parametrize("how", ["config", "helper", "store"])
def test_credentials_are_those_of_docker(
    how: str, repository: str, docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = artifacts(tmp_path)
    with registries.running(with_users=True) as guarded:
        target = Reference(f"{guarded.host}/{repository}")
        with pytest.raises(MachineError, match="does not let you push") as caught:
            push.push([made], target)
        assert f"docker login {guarded.host}" in str(caught.value)
        logged_in(docker_config, guarded.host, tmp_path, monkeypatch, how)
        assert push.push([made], target).tags["latest-minimal"] == manifest_digest(made)
    assert not list(Path(tmp_path).glob("**/kimitui-*.json"))


def test_a_helper_that_is_missing_is_named(docker_config: Path, tmp_path: Path) -> None:
    docker_config.write_text(json.dumps({"credsStore": "gone"}))
    assert main(["push", "minimal", "127.0.0.1:1/team/app", "--cache-dir", str(tmp_path / "cache")]) == 3
    assert not (tmp_path / "cache").exists(), "it is said before anything is built"
    with pytest.raises(MachineError, match="docker-credential-gone") as caught:
        push.push([artifacts(tmp_path)], Reference("127.0.0.1:1/team/app"))
    assert "docker login" in str(caught.value)


@needs_registry
def test_a_registry_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MachineError, match="cannot be reached") as caught:
        push.push([artifacts(tmp_path)], Reference(f"127.0.0.1:{port}/team/app"))
    assert "connection refused" in str(caught.value) and caught.value.exit_code == 3


@needs_registry
def test_a_damaged_archive_is_not_pushed(registry: Registry, repository: str, tmp_path: Path) -> None:
    made = artifacts(tmp_path)
    archive = made / "image.oci.tar"
    archive.write_bytes(archive.read_bytes().replace(b'"/hello"', b'"/Hello"'))
    with pytest.raises(BuildError, match="is damaged"):
        push.push([made], Reference(f"{registry.host}/{repository}"))


def test_images_that_do_not_belong_together(tmp_path: Path) -> None:
    made = artifacts(tmp_path)
    with pytest.raises(UsageError, match="twice"):
        push.push([made, made], Reference("127.0.0.1:1/team/app"))
    with pytest.raises(UsageError, match="different images"):
        push.push([made, artifacts(tmp_path, preset="standard")], Reference("127.0.0.1:1/team/app"))


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("app", "app", None),
        ("team/app:1.0", "team/app", "1.0"),
        ("localhost:5000/app", "localhost:5000/app", None),
        ("Registry.example:5000/a/b_c/d--e:T.1-x", "Registry.example:5000/a/b_c/d--e", "T.1-x"),
        ("[::1]:5000/app:edge", "[::1]:5000/app", "edge"),
    ],
)
def test_references(text: str, repository: str, tag: str | None) -> None:
    assert reference.parse(text) == Reference(repository, tag)
    assert str(reference.parse(text)) == text


@pytest.mark.parametrize("text", ["", "App", "a b", "app:", "app@sha256:0", "https://host/app", "app:-x", "a//b", "/a"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of an image"):
        reference.parse(text)


def test_what_cannot_be_is_said_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: object) -> tuple[int, str]:
        code = main(["push", *map(str, arguments), "--cache-dir", str(tmp_path / "cache")])
        return code, capsys.readouterr().err

    target = "127.0.0.1:1/team/app"
    assert said("minimal", f"{target}:1", "--rolling", "edge")[0] == 2
    assert said("vm-minimal", target)[0] == 2
    code, text = said(artifacts(tmp_path), target, "--arch", "arm64")
    assert code == 2 and "--arch is for presets" in text
    (tmp_path / "empty").mkdir()
    assert "not what kimitui build made" in said(tmp_path / "empty", target)[1]
    monkeypatch.setenv("PATH", str(tmp_path))
    code, text = said("minimal", target)
    assert code == 3 and "apt-get install skopeo" in text
    assert not (tmp_path / "cache").exists()


@needs_registry
@pytest.mark.build
def test_a_built_image_is_pushed_as_it_is(registry: Registry, repository: str, minimal: Image) -> None:
    target = f"{registry.host}/{repository}"
    pushed = json.loads(kimitui("push", minimal.directory, target, "--json"))
    digest = manifest_digest(minimal.directory)
    assert pushed["tags"]["0.1.0-minimal"] == registry.manifest(repository, "latest-minimal")[0] == digest
    inspected = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", f"docker://{target}:0.1.0-minimal"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(inspected.stdout)["Digest"] == digest
