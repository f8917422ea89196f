"""Writes small PDF files and archives for the tests, so that no foreign document lies in the repository."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

FONTS = ("Helvetica", "Helvetica-Bold", "Courier")


@dataclass(frozen=True)
class Text:
    """A line of a page: where (points from the left and from the top), how large, in which of FONTS."""

    words: str
    x: float
    y: float
    size: float = 11
    font: int = 0


def pdf(pages: Sequence[Sequence[Text]], locked: bool = False, drawn: str = "") -> bytes:
    """A valid PDF with these lines; `drawn` is put into every page as it is."""
    bodies = [_content(lines, drawn) for lines in pages]
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(bodies)))
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(bodies)} >>".encode(),
    }
    for n, font in enumerate(FONTS):
        objects[3 + n] = f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>".encode()
    fonts = " ".join(f"/F{n} {3 + n} 0 R" for n in range(len(FONTS)))
    for n, body in enumerate(bodies):
        objects[10 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {11 + 2 * n} 0 R "
            f"/Resources << /Font << {fonts} >> >> >>"
        ).encode()
        objects[11 + 2 * n] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)
    return _file(objects, locked)


def _content(lines: Sequence[Text], drawn: str) -> bytes:
    out = [drawn]
    for line in lines:
        words = line.words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        out.append(f"BT /F{line.font} {line.size} Tf {line.x} {842 - line.y} Td ({words}) Tj ET")
    return "\n".join(out).encode("cp1252")


def _file(objects: dict[int, bytes], locked: bool) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    last = max(objects)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (last + 1)
    for number in range(1, last + 1):
        out += b"%010d 00000 %s \n" % (places.get(number, 0), b"n" if number in places else b"f")
    key = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<00><00>]" % (b"11" * 32, b"22" * 32)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (last + 1, key if locked else b"")
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def archive(parts: dict[str, bytes]) -> bytes:
    """A zip archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in parts.items():
            file.writestr(name, body)
    return buffer.getvalue()
