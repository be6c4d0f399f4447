"""A registry on the loopback that a test starts, from Debian's package."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

USER = ("kimi", "secret")
# What htpasswd -nbB says of USER; the registry takes no other kind.
_HTPASSWD = "kimi:$2b$05$kimitukimitukimitukimeyJaui3XjgMjni2q0SlIaYwT1Nt/iWpm\n"
_TYPES = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


needs_registry = pytest.mark.skipif(
    not shutil.which("docker-registry") or not shutil.which("skopeo"),
    reason="docker-registry or skopeo is not installed",
)


@dataclass(frozen=True)
class Registry:
    """A registry that answers at `host`, which is `ADDRESS:PORT`; its data are below `directory`."""

    host: str
    directory: Path

    def manifest(self, repository: str, tag: str) -> tuple[str, dict[str, Any]]:
        """What a tag means: the digest, and the manifest or index itself."""
        answer = requests.get(f"http://{self.host}/v2/{repository}/manifests/{tag}", headers={"Accept": _TYPES})
        answer.raise_for_status()
        return answer.headers["Docker-Content-Digest"], answer.json()

    def tags(self, repository: str) -> set[str]:
        """The tags that a repository has."""
        answer = requests.get(f"http://{self.host}/v2/{repository}/tags/list")
        answer.raise_for_status()
        return set(answer.json()["tags"])

    def uploads(self, repository: str) -> int:
        """A number that changes whenever a blob is sent."""
        return (self.directory / "docker/registry/v2/repositories" / repository / "_uploads").stat().st_mtime_ns


@contextlib.contextmanager
def running(*, with_users: bool = False) -> Iterator[Registry]:
    """A registry for the block, ended by its process; with users, only USER is let in."""
    with tempfile.TemporaryDirectory(prefix="kimitui-") as name:
        directory = Path(name)
        config: dict[str, Any] = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": name}},
            "http": {"addr": "127.0.0.1:0"},
        }
        if with_users:
            (directory / "htpasswd").write_text(_HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "test", "path": f"{name}/htpasswd"}}
        (directory / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        command = ["docker-registry", "serve", str(directory / "config.yml")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            try:
                said: list[str] = []
                for line in process.stdout:
                    said.append(line)
                    if found := re.search(r"listening on (127\.0\.0\.1:\d+)", line):
                        break
                else:
                    raise AssertionError("".join(said))
                # It would wait for ever for somebody to read what it says.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield Registry(found[1], directory)
            finally:
                process.terminate()
