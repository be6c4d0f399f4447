# SPDX-License-Identifier: GPL-2.0-only
"""Print, as PEM, the certificates that Mozilla's certdata.txt trusts to vouch for web servers.

The file is a list of PKCS #11 objects, each a block of lines `attribute type value`: a certificate and what it is
trusted with are two objects that share issuer and serial number. Octets come as \\ooo in lines up to END.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

Object = dict[str, str | bytes]

# The longest that browsers let a server's certificate be valid.
LONGEST = timedelta(days=398)


def objects(lines: Iterator[str]) -> Iterator[Object]:
    """The objects in the order of the file."""
    current: Object = {}
    for line in lines:
        words = line.split(maxsplit=2)
        if not words or not words[0].startswith("CKA_"):
            continue
        attribute, kind = words[:2]
        if attribute == "CKA_CLASS" and current:
            yield current
            current = {}
        current[attribute] = octets(lines) if kind == "MULTILINE_OCTAL" else words[-1].strip()
    yield current


def octets(lines: Iterator[str]) -> bytes:
    """The value that begins with the next line."""
    found = bytearray()
    for line in lines:
        if line.startswith("END"):
            return bytes(found)
        found += bytes(int(octet, 8) for octet in re.findall(r"\\([0-7]{3})", line))
    raise EOFError("certdata.txt ends within a value")


def is_over(certificate: Object, now: datetime) -> bool:
    """Whether nothing valid can be left of what the authority issued while its word still counted.

    A list of certificates cannot say that only what was issued before some day is to be trusted.
    """
    until = certificate.get("CKA_NSS_SERVER_DISTRUST_AFTER")
    if not isinstance(until, bytes):
        return False
    return datetime.strptime(until.decode(), "%y%m%d%H%M%SZ").replace(tzinfo=UTC) + LONGEST < now


def trusted(everything: list[Object], now: datetime) -> Iterator[bytes]:
    """The trusted certificates, as DER."""
    vouching = {
        (item["CKA_ISSUER"], item["CKA_SERIAL_NUMBER"])
        for item in everything
        if item["CKA_CLASS"] == "CKO_NSS_TRUST" and item["CKA_TRUST_SERVER_AUTH"] == "CKT_NSS_TRUSTED_DELEGATOR"
    }
    for item in everything:
        if item["CKA_CLASS"] == "CKO_CERTIFICATE" and not is_over(item, now):
            value = item["CKA_VALUE"]
            if (item["CKA_ISSUER"], item["CKA_SERIAL_NUMBER"]) in vouching and isinstance(value, bytes):
                yield value


def main() -> None:
    """Read the file that the command line names."""
    now = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        certificates = list(trusted(list(objects(file)), now))
    if not certificates:
        sys.exit("certdata.txt has no certificate that is trusted")
    for certificate in certificates:
        text = base64.b64encode(certificate).decode()
        lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
        sys.stdout.write(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")


main()
