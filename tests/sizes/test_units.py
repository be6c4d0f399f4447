from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui.errors import UsageError
from kimitui.sizes.units import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("5MB", 5_000_000),
        ("4MiB", 4 * 1024 * 1024),
        ("900kB", 900_000),
        ("123", 123),
        ("0", 0),
        ("12 B", 12),
        ("1.5 kB", 1500),
        ("0.1kB", 100),
        ("1.2345kB", 1234),
        (" 2 gib ", 2 * 1024**3),
        ("5mb", 5_000_000),
        ("1KiB", 1024),
        ("3GB", 3_000_000_000),
    ],
)
def test_sizes_are_read(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MB", "5 apples", "-5MB", "5MBit", "1e3", "5,5MB", "0x10", "½MB", "5M B", "٣"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1_250_000, "1.25 MB"),
        (12_345, "12.3 kB"),
        (123_456, "123 kB"),
        (9_994, "9.99 kB"),
        (9_996, "10.0 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (5_000_000_000, "5.00 GB"),
        (7_000_000_000_000_000, "7000 TB"),
        (-14_200, "−14.2 kB"),
    ],
)
def test_sizes_are_written(size_bytes: int, text: str) -> None:
    assert format_size(size_bytes) == text


@given(st.integers(0, 10**15))
def test_a_written_size_is_within_half_a_percent(size_bytes: int) -> None:
    text = format_size(size_bytes).replace("TB", "GB")
    factor = 1000 if format_size(size_bytes).endswith("TB") else 1
    assert abs(parse_size(text) * factor - size_bytes) <= size_bytes * 0.005


@given(st.integers(0, 10**14), st.integers(0, 10**14))
def test_a_larger_size_never_reads_smaller(a: int, b: int) -> None:
    def value(size_bytes: int) -> float:
        number, unit = format_size(size_bytes).split()
        return float(number) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]

    low, high = sorted((a, b))
    assert value(low) <= value(high)
