"""Every file that cannot be read is refused with one line that says what is wrong and what to do."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from service.errors import BadInput
from service.readers.archive import check_archive
from service.readers.limits import Limits
from service.readers.reading import read_in_process
from tests.readers.results import read
from tests.readers.writing import Text, archive, pdf

DOCX = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
A_PDF = pdf([[Text("Some words on a page.", 72, 90)]])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.md", b" \n\t\n", "is empty"),
        ("a.md", b"\x00\x01\x02binary" * 50, "holds binary data"),
        ("a.md", codecs.BOM_UTF16_LE + b"a", "damaged text"),
        ("a.md", A_PDF, "named .md but holds a .pdf file. Rename it to “a.pdf”"),
        ("a.pdf", b"Just words.", "named .pdf but holds no such file"),
        ("a.docx", b"Just words.", "named .docx but holds no such file"),
        ("a.pptx", archive(DOCX), "named .pptx but holds a .docx file. Rename it to “a.docx”"),
        ("a.xlsx", archive({"xl/workbook.xml": b""}), "of a kind that cannot be read. Supported are Markdown"),
        ("a.zip", archive({"a.md": b"words"}), "of a kind that cannot be read"),
        ("archive", archive({"a.md": b"words"}), "is an archive. Unpack it"),
        ("sheet", archive({"xl/workbook.xml": b""}), "is a spreadsheet"),
        ("a.docx", archive({"a.txt": b"words"}), "the document inside is missing"),
        ("a.docx", archive(DOCX)[:120], "is damaged"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        ("a.docx", OLE, "old Office format"),
        ("a.md", b"{\\rtf1 words}", "an RTF document"),
        ("picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "a picture, not a document"),
        ("a.exe", b"MZ" + b"\x00" * 50, "of a kind that cannot be read"),
        ("a.md", b"... !!! ???", "holds no words"),
        ("a.html", b"<html><body><img src=x></body></html>", "holds no words"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_helps(name: str, content: bytes, says: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(content, name)
    assert says in str(refusal.value)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_without_an_extension_follows_its_content() -> None:
    assert read(b"Just some words.", "README").media_type == "text/plain"
    assert read(b"<!DOCTYPE html><p>Some words.</p>", "page").media_type == "text/html"
    assert read(A_PDF, "paper").media_type == "application/pdf"


def test_missing_files_folders_empty_and_huge_files_are_refused_before_they_are_opened(tmp_path: Path) -> None:
    huge = tmp_path / "huge.md"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "none.md").touch()
    for path, says in (
        (tmp_path / "lost.md", "was not found"),
        (tmp_path, "is a folder"),
        (tmp_path / "none.md", "is empty"),
        (huge, "is too large: 100 MB, and 50 MB is the most"),
    ):
        with pytest.raises(BadInput, match=says):
            read_in_process(path, path.name)


def test_more_text_than_the_limit_is_refused() -> None:
    with pytest.raises(BadInput, match="more than 1,000 characters"):
        read("word " * 300, "long.md", Limits(characters=1000))


BOMBS = {
    "a huge part": {**DOCX, "word/media/a.bin": b"\x00" * 3_000_000},
    "too much in all": {**DOCX, **{f"word/{n}.bin": bytes(range(256)) * 40 for n in range(9)}},
    "too many parts": {**DOCX, **{f"word/{n}.xml": b"" for n in range(60)}},
    "a way out": {**DOCX, "../../etc/passwd": b"root"},
    "an absolute name": {**DOCX, "/etc/passwd": b"root"},
    "a drive": {**DOCX, "C:\\windows\\a.xml": b"root"},
    "entities": {**DOCX, "word/styles.xml": b'<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>'},
    "entities in UTF-16": {**DOCX, "word/styles.xml": '<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>'.encode("utf-16")},
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_archives_that_are_bombs_or_traps_are_refused(bomb: dict[str, bytes]) -> None:
    limits = Limits(archive_entries=50, archive_bytes=90_000 if len(bomb) == 11 else 100_000_000)
    with pytest.raises(BadInput, match="Save it again"):
        check_archive(archive(bomb), "bomb.docx", limits)


def test_an_honest_archive_passes() -> None:
    check_archive(archive({**DOCX, "word/media/photo.jpg": bytes(range(256)) * 100}), "fine.docx", Limits())
