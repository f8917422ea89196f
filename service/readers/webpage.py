"""HTML to a source: one walk in document order that keeps what a reader came for and leaves the site around it.

Where a page says what its main part is, only that part is read. Menus, banners, cookie bars and forms are known by
element, ARIA role or class; a class never removes the greater part of a page, because bodies carry odd classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from service.domain.source import BlockKind, BlockRole, MarkKind
from service.errors import BadInput
from service.readers.builder import Run, SourceBuilder, clean
from service.readers.roles import role_of

Element = Any  # lxml's elements carry no types worth the name


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NEVER = _names(
    "script style nav form noscript template svg button select option textarea input label iframe object embed "
    "video audio canvas map dialog menu head title meta link footer"
)
_COUNTED = {
    "img": ("picture was", "pictures were"),
    "svg": ("picture was", "pictures were"),
    "video": ("film or sound was", "films or sounds were"),
    "audio": ("film or sound was", "films or sounds were"),
    "iframe": ("embedded page was", "embedded pages were"),
    "form": ("form was", "forms were"),
}
_ROLES_OUT = _names(
    "navigation banner contentinfo search dialog alertdialog complementary menu menubar toolbar tablist"
)
_NOISE = _names(
    "nav navbar navigation menu breadcrumb breadcrumbs sidebar footer cookie cookies consent gdpr toc share "
    "sharing social banner advert advertisement ads promo newsletter subscribe related pagination pager comments "
    "headerlink permalink skip skiplink skipnav linenos lineno mw-editsection reflist catlinks navbox"
)
_INLINE_MARKS: dict[str, MarkKind] = {
    "code": "code", "kbd": "code", "samp": "code", "tt": "code", "strong": "strong", "b": "strong",
    "em": "emphasis", "i": "emphasis", "cite": "emphasis", "var": "emphasis", "dfn": "term",
}  # fmt: skip
_BLOCKS = _names(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure "
    "header h1 h2 h3 h4 h5 h6 hgroup hr html legend li main ol p pre section summary table tbody td tfoot th "
    "thead tr ul"
)
_LANG = re.compile(r"(?:^|\s)(?:language|lang|highlight-source|highlight|brush:?)-?\s*([\w+#]+)")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_MARK = re.compile(r"\s*(?:\[[^\]]{1,9}\]|[\d,*†‡§¶↩^]{1,5})\s*$")
_DEEPEST = 150


def read_webpage(text: str, into: SourceBuilder) -> None:
    """Append an HTML page's content.

    Raises:
        BadInput: the page holds no element.
    """
    from lxml import etree, html

    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = html.document_fromstring(_XML_DECLARATION.sub("", clean(text)), parser=parser)
    except etree.ParserError as error:
        raise BadInput("The page is empty. Save it again from the browser, then add it.") from error
    title = root.findtext(".//title") or ""
    main = _main_part(root)
    headings = [h for h in main.iter("h1") if _words(h)]
    into.title = "".join(_visible_text(headings[0])) if len(headings) == 1 else _page_title(title)
    _Walk(into, _words(main)).element(main, _Place())


def read_fragment(text: str, into: SourceBuilder, role: BlockRole, quoted: bool) -> None:
    """Append a piece of HTML that stands inside another document."""
    from lxml import html

    root = html.fragment_fromstring(clean(text), create_parent="div", parser=html.HTMLParser(remove_comments=True))
    _Walk(into, _words(root)).element(root, _Place(role=role, quoted=quoted))


@dataclass(frozen=True)
class _Place:
    """What surrounds an element: its role, list and depth."""

    role: BlockRole = ""
    quoted: bool = False
    list_id: int = 0
    ordered: bool = False
    level: int = 0
    depth: int = 0
    main: bool = False


@dataclass
class _Walk:
    """Blocks in document order. `pending` holds inline runs until the next block begins or ends."""

    into: SourceBuilder
    words: int
    pending: list[Run] = field(default_factory=list)
    item_opens: bool = False

    def element(self, element: Element, place: _Place) -> None:
        """Append one block element and what it holds."""
        if self._unwanted(element, place):
            return
        tag = element.tag
        role = role_of(*_classes(element), *(("note",) if tag == "aside" else ())) or place.role
        place = replace(place, role=role, depth=place.depth + 1, main=place.main or tag in ("main", "article"))
        handler = _HANDLERS.get(tag)
        if place.depth > _DEEPEST:
            self._leaf("paragraph", [Run(" ".join(element.itertext()))], place)
        elif handler:
            handler(self, element, place)
        else:
            self._flow(element, place)

    def _flow(self, element: Element, place: _Place, marks: tuple[tuple[MarkKind, str], ...] = ()) -> None:
        """Text and children in order; inline text between blocks becomes paragraphs."""
        self._inline(element, place, marks)
        self._flush(place)

    def _inline(self, element: Element, place: _Place, marks: tuple[tuple[MarkKind, str], ...]) -> None:
        self.pending.append(Run(element.text or "", marks))
        for child in element:
            tag = child.tag
            if not isinstance(tag, str):
                pass
            elif tag in _BLOCKS:
                self._flush(place)
                self.element(child, place)
            elif tag == "br":
                self.pending.append(Run(" "))
            elif place.depth < _DEEPEST and not self._unwanted(child, place):
                self._inline(child, replace(place, depth=place.depth + 1), _marks_of(child, marks))
            self.pending.append(Run(child.tail or "", marks))

    def _flush(self, place: _Place) -> None:
        runs, self.pending = self.pending, []
        if not any(run.text.strip() for run in runs):
            return
        if place.list_id:
            self._leaf("item" if self.item_opens else "paragraph", runs, place)
            self.item_opens = False
        else:
            self._leaf("quote" if place.quoted else "paragraph", runs, place)

    def _leaf(self, kind: BlockKind, runs: list[Run], place: _Place, **attributes: Any) -> None:
        where = {"role": place.role, "list_id": place.list_id, "ordered": place.ordered, "level": place.level}
        self.into.add(kind, runs, **(where | attributes))

    def _unwanted(self, element: Element, place: _Place) -> bool:
        """Whether the element is of the site and not of the page's subject. Counts what people might miss."""
        tag = element.tag
        if not isinstance(tag, str):
            return True
        if tag in _COUNTED:
            self.into.drop(*_COUNTED[tag])
        if tag in _NEVER or (tag == "header" and not place.main and not _has_heading(element)):
            return True
        style = re.sub(r"\s", "", element.get("style") or "").lower()
        hidden = element.get("hidden") is not None or element.get("aria-hidden") == "true" or "display:none" in style
        roles = set((element.get("role") or "").lower().split())
        if hidden or roles & _ROLES_OUT:
            return True
        return bool(_noise_words(element) & _NOISE) and _words(element) * 2 < self.words

    def _heading(self, element: Element, place: _Place) -> None:
        self._inline_only("heading", element, place, level=int(element.tag[1]), list_id=0, ordered=False)

    def _inline_only(self, kind: BlockKind, element: Element, place: _Place, **attributes: Any) -> None:
        """A block whose descendants are all taken as inline text."""
        outer, self.pending = self.pending, []
        self._inline_text(element, place, ())
        runs, self.pending = self.pending, outer
        self._leaf(kind, runs, place, **attributes)

    def _inline_text(self, element: Element, place: _Place, marks: tuple[tuple[MarkKind, str], ...]) -> None:
        self.pending.append(Run(element.text or "", marks))
        for child in element:
            if child.tag == "br":
                self.pending.append(Run(" "))
            elif not self._unwanted(child, place) and place.depth < _DEEPEST:
                space = " " if child.tag in _BLOCKS else ""
                self.pending.append(Run(space))
                self._inline_text(child, replace(place, depth=place.depth + 1), _marks_of(child, marks))
                self.pending.append(Run(space))
            self.pending.append(Run(child.tail or "", marks))

    def _list(self, element: Element, place: _Place) -> None:
        list_id = self.into.new_list()
        inner = replace(place, list_id=list_id, ordered=element.tag == "ol", level=place.level + 1)
        for child in element:
            if child.tag == "li":
                if not self._unwanted(child, inner):
                    self.item_opens = True
                    self._flow(child, inner)
                    self.item_opens = False
            elif isinstance(child.tag, str):
                self.element(child, inner)

    def _code(self, element: Element, place: _Place) -> None:
        classes = " ".join(
            (e.get("class") or "") + " " + (e.get("data-lang") or "")
            for e in (element.getparent(), element, *element)
            if e is not None
        )
        output = element.find(".//samp") is not None or "output" in classes.split()
        lang = _LANG.search(classes)
        for line_break in element.iter("br"):
            line_break.tail = "\n" + (line_break.tail or "")
        text = "".join(_visible_text(element))
        self.item_opens = False
        kind: BlockKind = "output" if output else "code"
        self._leaf(kind, [Run(text)], place, lang=lang[1].lower() if lang and not output else "", ordered=False)

    def _table(self, element: Element, place: _Place) -> None:
        """A table of data. Tables that only arrange a page, or the lines of a listing, are read as what they hold."""
        if element.get("role") in ("presentation", "none") or _arranges(element):
            self._flow(element, place)
            return
        caption = element.find("caption")
        if caption is not None:
            self._inline_only("paragraph", caption, place)
        rows: list[list[str]] = []
        carried: dict[int, int] = {}  # column → how many more rows a cell from above reaches into
        for row in element.iter("tr"):
            cells: list[str] = []
            for cell in row:
                if cell.tag in ("td", "th"):
                    self._place_cell(cell, place, cells, carried)
            _skip_carried(cells, carried)
            rows.append(cells)
        self.into.table(rows, role=place.role, list_id=place.list_id)

    def _place_cell(self, cell: Element, place: _Place, cells: list[str], carried: dict[int, int]) -> None:
        """Append a cell below its column's title: cells that span leave empty ones where they reach."""
        _skip_carried(cells, carried)
        wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
        for column in range(len(cells), len(cells) + wide):
            if high > 1:
                carried[column] = high - 1
        cells += [self._cell(cell, place), *[""] * (wide - 1)]

    def _cell(self, cell: Element, place: _Place) -> str:
        outer, self.pending = self.pending, []
        self._inline_text(cell, place, ())
        text, self.pending = "".join(run.text for run in self.pending), outer
        return text

    def _quote(self, element: Element, place: _Place) -> None:
        self._flow(element, replace(place, quoted=True))

    def _term(self, element: Element, place: _Place) -> None:
        self._flow(element, replace(place, list_id=0, level=0, ordered=False), (("term", ""),))

    def _definition(self, element: Element, place: _Place) -> None:
        self._flow(element, replace(place, list_id=0, level=0, ordered=False))

    def _figure(self, element: Element, place: _Place) -> None:
        """Pictures go with their captions; a figure around a table, code or a quotation is only a frame."""
        if any(element.find(f".//{tag}") is not None for tag in ("table", "pre", "blockquote")):
            self._flow(element, place)
        else:
            self.into.drop("picture was", "pictures were", max(1, len(element.findall(".//img"))))

    def _rule(self, element: Element, place: _Place) -> None:
        """A line across the page says nothing."""


_HANDLERS = {
    **{f"h{level}": _Walk._heading for level in range(1, 7)},
    "ul": _Walk._list, "ol": _Walk._list, "dir": _Walk._list, "pre": _Walk._code, "table": _Walk._table,
    "blockquote": _Walk._quote, "dt": _Walk._term, "dd": _Walk._definition, "figure": _Walk._figure,
    "hr": _Walk._rule,
}  # fmt: skip


def _main_part(root: Element) -> Element:
    """The element that the page calls its main part, when it holds enough to be that."""
    candidates = [*root.iter("main"), *root.xpath("//*[@role='main']")]
    articles = list(root.iter("article"))
    if len(articles) == 1:
        candidates += articles
    for element in candidates:
        if _words(element) >= 30:
            return element
    body = root.find("body")
    return root if body is None else body


def _page_title(title: str) -> str:
    """The page's own part of `<title>`: "Knots — The Sailing School" is a page called Knots."""
    parts = re.split(r"\s+[|–—·»]\s+|\s+-\s+", " ".join(title.split()))
    return parts[0] if len(parts[0]) > 3 else " ".join(title.split())


def _span(cell: Element, name: str) -> int:
    digits = (cell.get(name) or "").strip()
    return min(max(int(digits), 1), 50) if digits.isascii() and digits.isdigit() else 1


def _skip_carried(cells: list[str], carried: dict[int, int]) -> None:
    """Leave empty the columns that cells of earlier rows reach into."""
    while carried.get(len(cells), 0) > 0:
        carried[len(cells)] -= 1
        cells.append("")


def _arranges(table: Element) -> bool:
    if table.find(".//td[@class='code']") is not None or table.find(".//table") is not None:
        return True
    rows = list(table.iter("tr"))
    titles = any(table.find(f".//{tag}") is not None for tag in ("h1", "h2", "h3"))
    return titles or all(len(row) < 2 for row in rows) or (len(rows) == 1 and table.find(".//pre") is not None)


def _marks_of(element: Element, marks: tuple[tuple[MarkKind, str], ...]) -> tuple[tuple[MarkKind, str], ...]:
    kind = _INLINE_MARKS.get(element.tag)
    if kind:
        return marks if (kind, "") in marks else (*marks, (kind, ""))
    href = (element.get("href") or "").strip() if element.tag == "a" else ""
    return (*marks, ("link", href)) if href.lower().startswith(("http://", "https://", "mailto:")) else marks


def _classes(element: Element) -> list[str]:
    return (element.get("class") or "").split()


def _noise_words(element: Element) -> set[str]:
    """Class and id as words: `cookie-bar` says cookie. Marks of a footnote, "[3]", count as noise too.

    Sphinx gives the class `reference` to every link of running text: only what such a link shows tells a mark.
    """
    names = f"{element.get('class') or ''} {element.get('id') or ''}".lower().split()
    words = {*names, *(part for name in names for part in re.split(r"[-_]+", name))}
    if element.tag in ("sup", "a") and words & {"reference", "footnote"} and _MARK.match("".join(element.itertext())):
        words.add("reflist")
    return words


def _words(element: Element) -> int:
    return sum(len(text.split()) for text in element.itertext())


def _has_heading(element: Element) -> bool:
    return element.find(".//h1") is not None and element.find(".//nav") is None


def _visible_text(element: Element) -> Iterator[str]:
    """All text below an element but the numbers of lines and the links that headings carry to themselves."""
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and not _noise_words(child) & _NOISE:
            yield from _visible_text(child)
        yield child.tail or ""
