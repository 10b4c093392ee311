"""A secret is found in what the usual tools print of bytes, in all columns, over the ends of rows."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from switchover.redaction import Redactor

VALUE = "Kq7ZtPwJ3vNx+é9=Lm"
TOOLS = (
    *("xxd", "xxd -u", "xxd -c 7", "xxd -e", "xxd -b", "xxd -p", "xxd -i", "xxd -g 1"),
    *("hexdump -C", "hexdump", "hexdump -b", "hexdump -c", "hexdump -d", "hexdump -o", "hd"),
    *("od", "od -c", "od -a", "od -b", "od -x", "od -d", "od -tx1", "od -tx4", "od -tx8", "od -td1", "od -tu1"),
    *("od -A x -t x1z", "od -An -tx1", "od -An -tx1 -w7", "od -An -tu1", "od -An -b"),
    *("cat -v", "cat -A", "base64", "base64 -w 13"),
)
# With something before each of their rows, nothing tells them from it.
WITHOUT_OFFSETS = (
    "xxd -p",
    "base64",
    "base64 -w 13",
    "xxd -i",
    "od -An -tx1",
    "od -An -tx1 -w7",
    "od -An -tu1",
    "od -An -b",
)
KNOWN_TO_FAIL = ("od -a",)  # which drops a bit of each byte that is not ASCII: only plain secrets are found in it


def _dumped(tool: str, data: bytes) -> bytes:
    if shutil.which(tool.split(maxsplit=1)[0]) is None:
        pytest.skip(f"there is no {tool.split(maxsplit=1)[0]} here")
    return subprocess.run(tool.split(), input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("offset", [0, 5, 13])
@pytest.mark.parametrize(
    ("tool", "prefix"),
    [
        *((tool, b"") for tool in TOOLS),
        *((tool, b"2024-01-01T10:00:00Z pod-1 | ") for tool in TOOLS if tool not in WITHOUT_OFFSETS),
    ],
)
def test_a_secret_in_a_dump_is_found(tool: str, offset: int, prefix: bytes) -> None:
    value = VALUE.replace("é", "e") if tool in KNOWN_TO_FAIL or tool.startswith("cat") else VALUE
    text = b"." * offset + value.encode() + b" and then some more text, which may be read\n"
    out = _dumped(tool, text)
    if prefix:
        out = b"".join(prefix + line for line in out.splitlines(keepends=True))
    redactor = Redactor({"s": value})
    assert "(secret s)" in redactor.redact(out.decode())
    for cut in range(0, len(out), 7):
        clean = redactor.feed(out[:cut]) + redactor.feed(out[cut:]) + redactor.finish()
        assert b"(secret s)" in clean, (out, cut)
        assert not any(value[n : n + 6].encode() in clean for n in range(len(value) - 5))


@pytest.mark.parametrize(
    "value", ["ScottTigerHunter2024", "abcdef0123456789abcdef0123456789", "1234567890123456789012"]
)
@pytest.mark.parametrize("tool", ["od -c", "hexdump -c", "od -tu1", "od -b"])
def test_letters_that_look_like_numbers_are_letters_too(tool: str, value: str) -> None:
    clean = Redactor({"s": value}).redact(_dumped(tool, value.encode()).decode())
    assert "(secret s)" in clean
    assert len(clean.split()) <= 5, "rows of it are left"


@pytest.mark.parametrize(
    "form", ["\\%03o", "\\\\%03o", "&#%d;", "&#0%d;", "%%u%04x", "=%02X", "%d,", "%d, ", "%d,\n", "%d ", "%03o "]
)
@pytest.mark.parametrize("chunk", [1 << 16, 40])
def test_a_secret_written_out_as_numbers_is_found(form: str, chunk: int) -> None:
    value = "ScottTigerHunter2024"
    data = f"[{''.join(form % letter for letter in value.encode()).rstrip(', ')}]\n".encode()
    redactor = Redactor({"s": value})
    clean = b"".join(redactor.feed(data[at : at + chunk]) for at in range(0, len(data), chunk)) + redactor.finish()
    assert b"(secret s)" in clean
    assert len(clean) < 16 + len(data) // 3


@pytest.mark.parametrize("tool", ["xxd", "hexdump -C", "od -c", "od", "hexdump -d"])
def test_a_dump_without_a_secret_is_left_as_it_is(tool: str) -> None:
    out = _dumped(tool, b"nothing of interest, twice: nothing of interest\n" * 3)
    redactor = Redactor({"s": VALUE})
    assert redactor.redact(out.decode()) == out.decode()
    assert redactor.feed(out) + redactor.finish() == out


def test_columns_of_numbers_are_no_dump() -> None:
    table = "0000123 12 34 56\n0000124  7  8  9\n2024-01-01 00:00:00 0.5 17 99 100\n"
    assert Redactor({"s": VALUE, "t": "1234567"}).redact(table) == table
