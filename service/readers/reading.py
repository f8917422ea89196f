"""Reads one document in this process. Only the jail's child and tests call this on files that nobody vouched for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from service.domain.source import Source
from service.errors import BadInput
from service.readers.builder import SourceBuilder
from service.readers.detect import MEDIA_TYPES, Format, decode, format_of
from service.readers.limits import Limits


def read_in_process(path: Path, name: str, limits: Limits | None = None) -> Source:
    """The document at `path` as a source called `name`.

    Raises:
        BadInput: it cannot be read; the message says why and what to do.
    """
    limits = limits or Limits()
    check_file(path, name, limits)
    return read_bytes(path.read_bytes(), name, limits)


def check_file(path: Path, name: str, limits: Limits) -> None:
    """Refuse what need not be opened to be refused.

    Raises:
        BadInput: there is no such file, it is a folder, it is empty, or it is too large.
    """
    if path.is_dir():
        raise BadInput(f"“{name}” is a folder. Name the files in it.")
    if not path.is_file():
        raise BadInput(f"“{name}” was not found. Check the path.")
    size = path.stat().st_size
    if not size:
        raise BadInput(f"“{name}” is empty. Add a file with text in it.")
    if size > limits.file_bytes:
        most = limits.file_bytes / 1_000_000
        raise BadInput(
            f"“{name}” is too large: {size / 1_000_000:.0f} MB, and {most:.0f} MB is the most. "
            "Split it, or save it without pictures."
        )


def read_bytes(data: bytes, name: str, limits: Limits) -> Source:
    """The document with this content as a source called `name`. Raises BadInput."""
    kind = format_of(data, name)
    into = SourceBuilder(limits)
    try:
        pages = _READERS[kind](data, name, into)
    except RecursionError as error:
        raise BadInput(f"“{name}” is nested too deeply to be read. Simplify it, or save it as text.") from error
    return into.finish(name, MEDIA_TYPES[kind], pages)


def _text(data: bytes, name: str, into: SourceBuilder, page: bool = False) -> str:
    text, note = decode(data, name, page)
    if note:
        into.notes.append(note)
    return text


def _read_markdown(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.markdown import read_markdown

    read_markdown(_text(data, name, into), into)
    return 0


def _read_text(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.plain import looks_like_markdown, read_plain

    text = _text(data, name, into)
    if looks_like_markdown(text):
        from service.readers.markdown import read_markdown

        read_markdown(text, into)
    else:
        read_plain(text, into)
    return 0


def _read_rst(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.plain import read_plain

    read_plain(_text(data, name, into), into, rst=True)
    return 0


def _read_html(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.webpage import read_webpage

    read_webpage(_text(data, name, into, page=True), into)
    return 0


def _read_pdf(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.pdf import read_pdf

    return read_pdf(data, name, into)


def _read_docx(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.archive import check_archive
    from service.readers.word import read_word

    check_archive(data, name, into.limits)
    read_word(data, name, into)
    return 0


def _read_pptx(data: bytes, name: str, into: SourceBuilder) -> int:
    from service.readers.archive import check_archive
    from service.readers.presentation import read_presentation

    check_archive(data, name, into.limits)
    return read_presentation(data, name, into)


_READERS: dict[Format, Callable[[bytes, str, SourceBuilder], int]] = {
    "markdown": _read_markdown,
    "text": _read_text,
    "rst": _read_rst,
    "html": _read_html,
    "pdf": _read_pdf,
    "docx": _read_docx,
    "pptx": _read_pptx,
}
