"""Says what a file is, by its name and by its first bytes, and refuses it in words when the two disagree."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath
from typing import Literal

from service.errors import BadInput

Format = Literal["markdown", "text", "rst", "html", "pdf", "docx", "pptx"]

SUPPORTED = "Markdown (.md), text (.txt, .rst), web pages (.html), PDF (.pdf), Word (.docx) and PowerPoint (.pptx)"

MEDIA_TYPES: dict[Format, str] = {
    "markdown": "text/markdown",
    "text": "text/plain",
    "rst": "text/x-rst",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_BY_EXTENSION: dict[str, Format] = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mkd": "markdown",
    ".txt": "text", ".text": "text", ".rst": "rst",
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".pdf": "pdf", ".docx": "docx", ".pptx": "pptx",
}  # fmt: skip
_EXTENSION_OF: dict[str, str] = {"pdf": ".pdf", "docx": ".docx", "pptx": ".pptx"}
_KNOWN_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"OggS", "a sound or film"),
    (b"ID3", "a sound"),
    (b"\x1aE\xdf\xa3", "a film"),
    (b"SQLite format 3", "a database"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(rb"<(?:meta[^>]{0,200}?charset\s*=\s*[\"']?|\?xml[^>]{0,100}?encoding\s*=\s*[\"'])([\w-]+)", re.I)


def format_of(data: bytes, name: str) -> Format:
    """The format that both the name and the content agree on. A name without an extension follows the content.

    Raises:
        BadInput: the file is empty, of a kind that cannot be read, or not what its name says.
    """
    if not data.strip(b"\x00 \t\r\n"):
        raise BadInput(f"“{name}” is empty. Add a file with text in it.")
    extension = PurePath(name).suffix.lower()
    wanted = _BY_EXTENSION.get(extension)
    if extension and wanted is None:
        raise BadInput(f"“{name}” is of a kind that cannot be read. Supported are {SUPPORTED}.")
    found = _binary_format(data, name)
    if found is None:
        _refuse_foreign(data, name)
    if (found and wanted and found != wanted) or (found is None and wanted in _EXTENSION_OF):
        raise _mismatch(name, extension, found)
    if found:
        return found
    return wanted or ("html" if _is_page(data) else "text")


def _mismatch(name: str, extension: str, found: Format | None) -> BadInput:
    if found:
        right = PurePath(name).with_suffix(_EXTENSION_OF[found]).name
        return BadInput(
            f"“{name}” is named {extension} but holds a {_EXTENSION_OF[found]} file. Rename it to “{right}”."
        )
    return BadInput(
        f"“{name}” is named {extension} but holds no such file. Export it again, or give it its right name."
    )


def _binary_format(data: bytes, name: str) -> Format | None:
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _archive_format(data, name)
    return None


def _archive_format(data: bytes, name: str) -> Format:
    """Which Office document a zip archive is, by the names at its end."""
    if b"word/document.xml" in data:
        return "docx"
    if b"ppt/presentation.xml" in data:
        return "pptx"
    if b"xl/workbook" in data:
        raise BadInput(f"“{name}” is a spreadsheet, which cannot be read. Save it as PDF, then add that.")
    if PurePath(name).suffix.lower() in (".docx", ".pptx"):
        raise BadInput(f"“{name}” is damaged: the document inside is missing. Save it again, then add it.")
    raise BadInput(f"“{name}” is an archive. Unpack it, then add the documents inside.")


def _refuse_foreign(data: bytes, name: str) -> None:
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise BadInput(f"“{name}” is locked with a password. Save a copy without the password, then add that.")
        raise BadInput(f"“{name}” is in an old Office format. Save it as .docx, .pptx or PDF, then add that.")
    for magic, what in _KNOWN_FOREIGN:
        if data.startswith(magic):
            raise BadInput(f"“{name}” is {what}, not a document. Supported are {SUPPORTED}.")


def _is_page(data: bytes) -> bool:
    return bool(re.match(rb"\s*(?:\xef\xbb\xbf)?(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html)", data[:400], re.I))


def decode(data: bytes, name: str, page: bool = False) -> tuple[str, str]:
    """The text, and a note when its encoding had to be guessed. A web page may say its own encoding.

    Raises:
        BadInput: these bytes are no text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding), ""
            except UnicodeDecodeError as error:
                raise BadInput(f"“{name}” is damaged text. Save it again as UTF-8, then add it.") from error
    control = sum(data[:65536].count(byte) for byte in (*range(9), *range(14, 27), *range(28, 32)))
    if b"\x00" in data or control * 20 > len(data[:65536]):
        raise BadInput(f"“{name}” holds binary data, not text. Supported are {SUPPORTED}.")
    declared = _CHARSET.search(data[:2048]) if page else None
    for encoding in ("utf-8", declared[1].decode() if declared else ""):
        text = _try(data, encoding)
        if text is not None:
            return text, ""
    text = data.decode("cp1252", errors="replace")
    return text, "This file is not UTF-8; it was read as Windows-1252. Check accents and quotation marks."


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (UnicodeDecodeError, LookupError):
        return None
