"""Sequences of arm64's instructions that a linker may have to move."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from kimitui.sizes.erratum import expected_bytes, sequences
from kimitui.sizes.layout import Contents, Rules, file_bytes

ADRP_X0 = 0x90000000
LDR_X1_X2 = 0xF9400041  # ldr x1, [x2]
LDR_X1_X0_8 = 0xF9400401  # ldr x1, [x0, #8]
STR_W3_X0_4 = 0xB9000403  # str w3, [x0, #4]
ADD_X0_X0 = 0x91000000  # add x0, x0, #0
NOP = 0xD503201F


def code(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ((ADRP_X0, LDR_X1_X2, LDR_X1_X0_8), 1),
        ((ADRP_X0, LDR_X1_X2, NOP, STR_W3_X0_4), 1),
        ((ADRP_X0, LDR_X1_X2, NOP, NOP, STR_W3_X0_4), 0),
        ((ADRP_X0, ADD_X0_X0, LDR_X1_X0_8), 0),
        ((ADRP_X0, LDR_X1_X2, LDR_X1_X2), 0),
        ((ADRP_X0, LDR_X1_X2, LDR_X1_X0_8) * 100, 100),
        ((ADRP_X0,), 0),
        ((), 0),
    ],
)
def test_a_sequence_is_an_address_a_load_or_store_and_one_with_that_address(
    words: tuple[int, ...], number: int
) -> None:
    assert sequences(code(*words)) == number


def test_one_in_512_is_where_it_matters_and_takes_a_page() -> None:
    assert expected_bytes(code(ADRP_X0, LDR_X1_X2, LDR_X1_X0_8) * 512) == 4096


def test_only_programs_larger_than_adr_reaches_are_larger_for_it() -> None:
    plain = Rules(
        head_bytes=600,
        text_bytes=0,
        text_rate=0.0,
        rodata_rate=0.0,
        rodata_bytes=0,
        relro_bytes=500,
        data_bytes=0,
        bss_bytes=0,
        tail_bytes=1_000,
        separate_code=False,
        protected=False,
    )
    rules = replace(plain, erratum_rate=0.02)
    for text, more in ((400_000, 0), (900_000, 0), (1_400_000, 28_000)):
        contents = Contents(text=text, rodata=50_000, relro=10_000, data=1_000, bss=0)
        assert file_bytes(contents, rules) - file_bytes(contents, plain) == pytest.approx(more, abs=4096)
        assert more or file_bytes(contents, rules) == file_bytes(contents, plain)
