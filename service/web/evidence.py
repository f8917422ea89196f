"""The other end of a cite: the source, with the exact span marked between the paragraphs around it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from service.db.tables import Source, SourceState
from service.domain.source import Block, Cite
from service.errors import NotFound
from service.web.deps import CourseInPath, Database
from service.web.site import render, wants_fragment

router = APIRouter()
WHOLE_BLOCKS = 400


@dataclass(frozen=True)
class Paragraph:
    """A block of the source in three parts; `marked` is empty when the cite does not touch it."""

    kind: str
    before: str
    marked: str = ""
    after: str = ""


@dataclass(frozen=True)
class Leaf:
    """What the panel shows: where in the source it stands, and the paragraphs."""

    heading: str
    page: int
    paragraphs: tuple[Paragraph, ...]


class Numbers:
    """Numbers the cites of a page in reading order; the same span has the same number wherever it is cited."""

    def __init__(self, course_id: UUID) -> None:
        self._course = course_id
        self._known: dict[tuple[str, int, int], int] = {}

    def of(self, cite: Cite) -> int:
        """The number of this cite."""
        return self._known.setdefault((cite.source, cite.start, cite.end), len(self._known) + 1)

    def address(self, cite: Cite) -> str:
        """Where the cite's source is shown with its span marked."""
        query = urlencode({"start": cite.start, "end": cite.end, "n": self.of(cite)})
        return f"/courses/{self._course}/sources/{cite.source}?{query}"

    def __len__(self) -> int:
        return len(self._known)


@router.get("/courses/{course_id:uuid}/sources/{sha256}")
def source_page(
    request: Request,
    sha256: str,
    course: CourseInPath,
    database: Database,
    start: int = -1,
    end: int = -1,
    n: int = 0,
) -> Response:
    """The panel beside a lesson, a page of its own without JavaScript, or the whole text without a span."""
    source = database.scalar(
        select(Source)
        .where(Source.course_id == course.id, Source.sha256 == sha256, Source.state == SourceState.READY)
        .where(Source.replaces.is_(None))
        .order_by(Source.superseded_by.is_not(None), Source.position)
        .limit(1)
    )
    if source is None or source.body is None:
        raise NotFound("There is no such source in this course.")
    blocks = [Block.model_validate(block) for block in source.blocks or []]
    if start < 0:
        leaf = whole(source.body, blocks)
    elif start < end <= len(source.body):
        leaf = around(source.body, blocks, start, end)
    else:
        raise NotFound("The source has no such passage.")
    template = "parts/source.html" if wants_fragment(request) else "source.html"
    return render(request, template, course=course, source=source, leaf=leaf, number=max(n, 0), span=start >= 0)


def around(body: str, blocks: list[Block], start: int, end: int) -> Leaf:
    """The blocks that the span touches, with the span marked, and one block either side."""
    shown = [block for block in blocks if block.kind != "heading"]
    touched = [index for index, block in enumerate(shown) if block.start < end and block.end > start]
    headings = [block for block in blocks if block.kind == "heading" and block.start <= start]
    heading = body[headings[-1].start : headings[-1].end] if headings else ""
    if not touched:
        return Leaf(heading, 0, (_paragraph_of_text(body, start, end),))
    first, last = touched[0], touched[-1]
    paragraphs = [
        *(_plain(body, block) for block in shown[max(0, first - 1) : first]),
        *(_marked(body, block, start, end) for block in shown[first : last + 1]),
        *(_plain(body, block) for block in shown[last + 1 : last + 2]),
    ]
    return Leaf(heading, shown[first].page, tuple(paragraphs))


def whole(body: str, blocks: list[Block]) -> Leaf:
    """The source from its beginning."""
    if not blocks:
        return Leaf("", 0, (Paragraph("paragraph", body[:20_000]),))
    return Leaf("", 0, tuple(_plain(body, block) for block in blocks[:WHOLE_BLOCKS]))


def _plain(body: str, block: Block) -> Paragraph:
    return Paragraph(block.kind, body[block.start : block.end])


def _marked(body: str, block: Block, start: int, end: int) -> Paragraph:
    left, right = max(start, block.start), min(end, block.end)
    return Paragraph(block.kind, body[block.start : left], body[left:right], body[right : block.end])


def _paragraph_of_text(body: str, start: int, end: int) -> Paragraph:
    """For a span outside every block, such as a heading: the lines that it stands in."""
    left = body.rfind("\n", 0, start) + 1
    right = body.find("\n", end)
    right = len(body) if right < 0 else right
    return Paragraph("paragraph", body[left:start], body[start:end], body[end:right])
