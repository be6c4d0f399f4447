"""Download one file over HTTP, resumed where an earlier attempt stopped, and check its SHA-256."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in total; 0 in total while unknown."""

_TIMEOUT_SECONDS = (10.0, 60.0)  # to connect; between two pieces of data
RETRY_PAUSE_SECONDS = 1.0
_CHUNK_BYTES = 1 << 18
_UNRESOLVED = "the host name cannot be resolved"


class Reason(StrEnum):
    """Why a place did not give an archive; `ABSENT`: this machine does not have such a place."""

    DIGEST = "digest"
    GONE = "gone"
    TRUNCATED = "truncated"
    NETWORK = "network"
    REFUSED = "refused"
    ABSENT = "absent"


class PlaceError(Exception):
    """A place did not give the file; the text says why in a line. `passing`: it may help to try again."""

    def __init__(self, reason: Reason, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.reason = reason
        self.passing = passing


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(
    url: str,
    part: Path,
    *,
    sha256: str,
    progress: Progress = lambda done_bytes, total_bytes: None,
    attempts: int = 3,
) -> None:
    """Make `part` the file at `url`, continuing what is in it already.

    A transfer that breaks off is continued, with growing pauses, until `attempts` have failed. Afterwards `part` has
    the digest `sha256`; a file with another digest is removed, an incomplete one is kept to be continued another day.

    Raises `PlaceError` if this place does not give the file, `OSError` for what is wrong with the disk.
    """
    failures = 0
    while True:
        try:
            resumed = _transfer(url, part, progress)
        except PlaceError as error:
            failures += 1
            if not error.passing or failures == attempts:
                raise
            time.sleep(RETRY_PAUSE_SECONDS * 2 ** (failures - 1))
            continue
        digest = sha256_of(part)
        if digest == sha256:
            return
        size_bytes = part.stat().st_size
        part.unlink()
        # What was there before may have been the start of another file: once more, from the beginning.
        if not resumed:
            raise PlaceError(Reason.DIGEST, f"wrong file: {size_bytes} bytes with SHA-256 {digest}")


def _transfer(url: str, part: Path, progress: Progress) -> bool:
    """Fetch what is missing in `part`; whether anything was there before. Raises `PlaceError`."""
    have_bytes = part.stat().st_size if part.exists() else 0
    # Compressed on the way, a range would not be a range of the file; some servers would also unpack a .gz.
    headers = {"Accept-Encoding": "identity", "User-Agent": "kimitui"}
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
    import requests  # 50 ms, which a build that has its sources must not pay

    try:
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
            if response.status_code == 416:
                return _range_refused(response, part, have_bytes)
            _check_status(response)
            resumed = response.status_code == 206
            if resumed and _range_start(response) != have_bytes:
                raise _start_again(part)
            _receive(response, part, have_bytes if resumed else 0, progress)
            return resumed
    except (requests.ConnectionError, requests.Timeout) as error:
        text = _in_words(error)
        raise PlaceError(Reason.NETWORK, text, passing=text != _UNRESOLVED) from error
    except requests.RequestException as error:
        raise PlaceError(Reason.REFUSED, str(error)) from error


def _check_status(response: requests.Response) -> None:
    status = f"HTTP status {response.status_code} {response.reason or ''}".rstrip()
    if response.status_code in (404, 410):
        raise PlaceError(Reason.GONE, status)
    if response.status_code in (408, 429) or response.status_code >= 500:
        raise PlaceError(Reason.NETWORK, status, passing=True)
    if response.status_code not in (200, 206):
        raise PlaceError(Reason.REFUSED, status)


def _range_start(response: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _range_refused(response: requests.Response, part: Path, have_bytes: int) -> bool:
    """416: either everything is there already, or what is there does not belong to this file."""
    if response.headers.get("Content-Range") == f"bytes */{have_bytes}":
        return True
    raise _start_again(part)


def _start_again(part: Path) -> PlaceError:
    part.unlink(missing_ok=True)
    return PlaceError(Reason.TRUNCATED, "the server cannot continue an earlier download", passing=True)


def _receive(response: requests.Response, part: Path, start_bytes: int, progress: Progress) -> None:
    import urllib3

    length = response.headers.get("Content-Length", "")
    total_bytes = start_bytes + int(length) if length.isdecimal() else 0
    done_bytes = start_bytes
    with part.open("ab" if start_bytes else "wb") as file:
        progress(done_bytes, total_bytes)
        try:
            for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                file.write(chunk)
                done_bytes += len(chunk)
                progress(done_bytes, total_bytes)
        except urllib3.exceptions.HTTPError as error:
            of_total = f" of {total_bytes}" if total_bytes else ""
            text = f"the transfer broke off after {done_bytes}{of_total} bytes"
            raise PlaceError(Reason.TRUNCATED, text, passing=True) from error


def _in_words(error: requests.RequestException) -> str:
    """The innermost cause, without the layers of objects that requests prints."""

    import requests

    text = str(error)
    if "NameResolutionError" in text or "Failed to resolve" in text:
        return _UNRESOLVED
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached or refuses"
    if isinstance(error, requests.exceptions.SSLError):
        return f"no secure connection: {_innermost(error)}"
    return _innermost(error)


def _innermost(error: BaseException) -> str:
    while True:
        inner = getattr(error, "reason", None) or error.__cause__ or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            return str(error)
        error = inner
