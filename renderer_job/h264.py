"""H.264 at the level of bits: pictures that say "as before" in fifteen bytes, and frame numbers that fit together.

x264 needs 7 to 14 ms even for a picture equal to the last one, and nearly all of a lesson is that. So only distinct
pictures are given to it; the time in between is filled here, with P pictures in which every macroblock is skipped.
They use a second picture parameter set, with CAVLC, in which such a picture is one number. What this asks of the
stream: one slice and one reference picture, no B pictures, picture order type 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from service.errors import Broken

START = b"\0\0\0\1"
SLICE, IDR, SPS, PPS = 1, 5, 7, 8
HIGH_PROFILES = (100, 110, 122, 244)
SKIP_PPS = 1  # the id of our own picture parameter set


class BitWriter:
    """Writes the syntax elements of ITU-T H.264 §7.3."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def u(self, count: int, value: int) -> BitWriter:
        """An unsigned number of `count` bits."""
        self._bits.append(format(value, f"0{count}b"))
        return self

    def ue(self, *values: int) -> BitWriter:
        """Exp-Golomb codes; a signed zero is written the same."""
        for value in values:
            code = format(value + 1, "b")
            self._bits.append("0" * (len(code) - 1) + code)
        return self

    def nal(self, header: int) -> bytes:
        """The NAL unit with its stop bit and emulation prevention, without a start code."""
        bits = "".join(self._bits) + "1"
        bits += "0" * (-len(bits) % 8)
        raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
        return bytes([header]) + escape(raw)


class BitReader:
    """Reads syntax elements from the payload of a NAL unit, emulation prevention removed."""

    def __init__(self, payload: bytes) -> None:
        self._bits = "".join(format(byte, "08b") for byte in payload)
        self.position = 0

    def u(self, count: int) -> int:
        start, self.position = self.position, self.position + count
        return int(self._bits[start : self.position], 2)

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + (self.u(zeros) if zeros else 0)


def escape(raw: bytes) -> bytes:
    """Emulation prevention: no payload may look like a start code."""
    return re.sub(b"\0\0(?=[\0-\3])", b"\0\0\3", raw)


def unescape(payload: bytes) -> bytes:
    """The payload as it was before `escape`."""
    return payload.replace(b"\0\0\3", b"\0\0")


def nal_units(annex_b: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream, without start codes."""
    marks = [(m.start(), m.end()) for m in re.finditer(b"\0?\0\0\1", annex_b)]
    ends = [start for start, _ in marks[1:]] + [len(annex_b)]
    for (_, begin), end in zip(marks, ends, strict=True):
        yield annex_b[begin:end]


def kind(nal: bytes) -> int:
    """The type of a NAL unit: SLICE, IDR, SPS, PPS or another."""
    return nal[0] & 31


@dataclass(frozen=True)
class Numbering:
    """How a stream writes frame numbers, and how many macroblocks its pictures have."""

    bits: int
    macroblocks: int

    @property
    def modulus(self) -> int:
        return 1 << self.bits


@lru_cache(maxsize=8)
def numbering(sps: bytes) -> Numbering:
    """Read a sequence parameter set.

    Raises:
        Broken: the stream does not have the shape that skipping needs.
    """
    read = BitReader(unescape(sps[1:]))
    profile = read.u(8)
    read.u(16)  # constraints and level
    read.ue()
    if profile in HIGH_PROFILES:
        chroma = read.ue()
        depth = read.ue() + read.ue()
        read.u(1)
        if chroma != 1 or depth or read.u(1):
            raise Broken("The video encoder did not write 8-bit 4:2:0. Use another build of PyAV.")
    bits = read.ue() + 4
    order = read.ue()
    references = read.ue()
    read.u(1)
    width, height = read.ue() + 1, read.ue() + 1
    if order != 2 or references != 1:
        raise Broken("The video encoder reorders pictures. Use another build of PyAV.")
    return Numbering(bits, width * height)


@lru_cache(maxsize=1)
def skip_parameters() -> bytes:
    """The picture parameter set of skip pictures: CAVLC, one slice group, everything else off."""
    write = BitWriter().ue(SKIP_PPS, 0).u(1, 0).u(1, 0).ue(0, 0, 0).u(1, 0).u(2, 0).ue(0, 0, 0)
    return write.u(1, 0).u(1, 0).u(1, 0).nal(0x68)


@lru_cache(maxsize=70000)
def skip_picture(number: int, shape: Numbering) -> bytes:
    """The P picture that repeats the one before it, as frame `number` of its group."""
    write = BitWriter().ue(0, SLICE_P_ONLY, SKIP_PPS).u(shape.bits, number % shape.modulus)
    return write.u(1, 0).u(1, 0).u(1, 0).ue(0, shape.macroblocks).nal(0x41)


SLICE_P_ONLY = 5  # slice type: P, and so are all slices of the picture


def renumber(nal: bytes, number: int, shape: Numbering) -> bytes:
    """The slice with another frame number; it has a fixed width, so nothing else moves."""
    read = BitReader(unescape(nal[1:40]))
    for _ in range(3):  # first macroblock, slice type, picture parameter set
        read.ue()
    raw = bytearray(unescape(nal[1:]))
    for i in range(shape.bits):
        bit = (number % shape.modulus) >> (shape.bits - 1 - i) & 1
        at, place = divmod(read.position + i, 8)
        raw[at] = raw[at] & ~(1 << 7 - place) | bit << 7 - place
    return nal[:1] + escape(bytes(raw))
