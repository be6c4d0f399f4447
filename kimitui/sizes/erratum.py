"""Cortex-A53's erratum 843419: where GNU ld keeps programs for arm64 from what the processor does wrong.

It concerns an ADRP in one of the last two places of a page of 4 kB, followed by a load or store and, one or two
instructions on, a load or store that the ADRP has the address for (Arm's notice of Cortex-A53's errata, 843419). GNU ld
moves the latter to a page of its own, empty but for that. Where functions come to lie is up to chance, how many of such
sequences they have is not.
"""

from __future__ import annotations

import struct

PAGE_BYTES = 4096
_PLACES = 2 / (PAGE_BYTES // 4)
"""How likely it is that an instruction is in one of the last two places of a page."""


def sequences(code: bytes) -> int:
    """How many sequences of instructions there are in code for arm64 that the erratum may concern."""
    words = struct.unpack(f"<{len(code) // 4}I", code[: len(code) // 4 * 4])
    return sum(
        1
        for at, word in enumerate(words[:-2])
        if word & 0x9F000000 == 0x90000000  # ADRP
        and words[at + 1] & 0x0A000000 == 0x08000000  # a load or store
        and any(_uses(later, word & 31) for later in words[at + 2 : at + 4])
    )


def expected_bytes(code: bytes) -> int:
    """What GNU ld adds on average for code, wherever it comes to lie."""
    return round(sequences(code) * _PLACES * PAGE_BYTES)


def _uses(word: int, register: int) -> bool:
    """Whether it is a load or store with a register and a number that is added to it."""
    return word & 0x3B000000 == 0x39000000 and word >> 5 & 31 == register
