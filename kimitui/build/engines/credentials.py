"""Who somebody is to a registry, as Docker's own configuration has it: `docker login`, stores and helpers."""

from __future__ import annotations

import base64
import warnings

from docker import auth
from docker.errors import DockerException, InvalidRepository

from kimitui.errors import MachineError


def registry(repository: str) -> str:
    """The registry that a repository is in, `HOST[:PORT]`; Docker's own where the name has none."""
    try:
        name, _ = auth.resolve_repository_name(repository)
    except InvalidRepository as error:
        raise MachineError(str(error)) from error
    return str(name)


def authfile(registry: str) -> dict[str, object] | None:
    """What an authentication file says for a registry that knows this user; None where Docker has nothing for it.

    Raises MachineError where a helper for credentials fails.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a helper is missing is said by an error, too
            found = auth.load_config().resolve_authconfig(registry)
    except DockerException as error:
        raise MachineError(
            f"Docker's configuration does not tell who you are to {registry}: {error}",
            fix=f"Install the helper that it names, or log in again: docker login {registry}",
        ) from error
    known = {key.lower(): value for key, value in (found or {}).items() if value}
    if "identitytoken" in known:
        # Whoever has a token is no user, and the file wants a name all the same.
        pair, more = "00000000-0000-0000-0000-000000000000:", {"identitytoken": known["identitytoken"]}
    elif "username" in known:
        pair, more = f"{known['username']}:{known.get('password', '')}", {}
    else:
        return None
    return {"auths": {registry: {"auth": base64.b64encode(pair.encode()).decode(), **more}}}
