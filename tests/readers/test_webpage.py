"""A web page gives its article; the site around it stays behind."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadInput
from tests.readers.results import check_spans, marked, outline, read, words_of

PAGE = """<!DOCTYPE html>
<html class="has-nav-open"><head><title>Bread at home | The Bakery</title><style>p { color: red }</style>
<script>track("visit")</script></head>
<body class="with-sidebar cookie-shown">
<header><nav><a href="/">Home</a> <a href="/shop">Shop</a></nav></header>
<div id="cookie-bar">We use cookies. <button>Accept</button></div>
<main>
  <ul class="breadcrumb"><li>Home</li><li>Bread</li></ul>
  <h1>Bread at home <a class="headerlink" href="#bread">¶</a></h1>
  <p>Flour, <b>water</b> and <em>salt</em> make
     dough.<br>Yeast makes it <a href="https://example.org/rise">rise</a>. <!-- secret --></p>
  Loose words outside any paragraph stand too, and they are read in their place.
  <h2>Steps</h2>
  <ol><li>Mix.<ul><li>By hand</li></ul></li><li><p>Knead.</p><p>Ten minutes.</p></li></ol>
  <pre class="language-python"><code>def bake():
    return "bread"</code></pre>
  <pre><samp>bread</samp></pre>
  <table><caption>Ovens</caption><thead><tr><th rowspan="2">Kind</th><th colspan="2">Heat</th></tr>
  <tr><th>Low</th><th>High</th></tr></thead><tr><td>Gas</td><td>150</td><td>230</td></tr></table>
  <table role="presentation"><tr><td><p>Laid out with a table.</p></td></tr></table>
  <aside class="tip"><p>Weigh everything.</p></aside>
  <blockquote><p>Good bread needs time.</p></blockquote>
  <dl><dt>Crumb</dt><dd>The inside of the loaf.</dd></dl>
  <figure><img src="loaf.jpg" alt="A loaf"><figcaption>Figure 1: a loaf</figcaption></figure>
  <p style="display: none">Hidden words.</p><p aria-hidden="true">More hidden words.</p>
  <form><label>Mail</label><input></form>
</main>
<footer>© The Bakery</footer>
</body></html>
"""


def test_only_the_article_is_read() -> None:
    text = read(PAGE, "bread.html").text
    for leak in (
        "Shop",
        "cookies",
        "Accept",
        "track",
        "color",
        "¶",
        "Home",
        "©",
        "Hidden",
        "hidden",
        "secret",
        "loaf\n",
        "Mail",
        "<",
    ):
        assert leak not in text, leak


def test_structure_and_order_are_kept() -> None:
    source = read(PAGE, "bread.html")
    assert source.title == "Bread at home"
    assert outline(source) == [
        ("paragraph", "Flour, water and salt make dough. Yeast makes it rise."),
        ("paragraph", "Loose words outside any paragraph stand too, and they are read in their place."),
        ("heading", "Steps"),
        ("item", "Mix."),
        ("item", "By hand"),
        ("item", "Knead."),
        ("paragraph", "Ten minutes."),
        ("code", 'def bake():\n    return "bread"'),
        ("output", "bread"),
        ("paragraph", "Ovens"),
        ("table", "Kind\tHeat\t\n\tLow\tHigh\nGas\t150\t230"),
        ("paragraph", "Laid out with a table."),
        ("paragraph", "Weigh everything."),
        ("quote", "Good bread needs time."),
        ("paragraph", "Crumb"),
        ("paragraph", "The inside of the loaf."),
    ]
    check_spans(source)


def test_lists_roles_languages_and_terms() -> None:
    source = read(PAGE, "bread.html")
    by_words = {words_of(source, block): block for block in source.blocks}
    assert (by_words["Mix."].ordered, by_words["Mix."].level, by_words["By hand"].level) == (True, 1, 2)
    assert by_words["Ten minutes."].list_id == by_words["Mix."].list_id == by_words["Knead."].list_id
    assert by_words["Weigh everything."].role == "note"
    assert by_words['def bake():\n    return "bread"'].lang == "python"
    assert marked(source, "term") == ["Crumb"]
    assert marked(source, "strong") == ["water"]
    assert marked(source, "link") == ["rise"]


def test_a_mark_covers_its_words_and_not_the_space_around_them() -> None:
    source = read("<p>A<b> strong </b>word and <a href='https://example.org'> a link</a>.</p>", "page.html")
    assert source.text == "A strong word and a link.\n\n"
    assert marked(source, "strong") == ["strong"]
    assert marked(source, "link") == ["a link"]


def test_a_link_called_reference_is_text_and_only_the_mark_of_a_footnote_is_left_out() -> None:
    page = (
        '<main><p>Sorts are <a class="reference external" href="https://example.org/s">stable</a>, as '
        '<a class="reference internal" href="#s"><code class="xref"><span>sorted()</span></code></a> is'
        '<sup class="reference"><a href="#n3">[3]</a></sup>. Ties keep their order<a class="footnote" href="#n4">4</a>.'
        "</p></main>"
    )
    assert read(page, "sort.html").text.strip() == "Sorts are stable, as sorted() is. Ties keep their order."


def test_what_is_left_out_is_said() -> None:
    assert read(PAGE, "bread.html").notes == ("1 picture was left out.", "1 form was left out.")


def test_a_class_that_says_nav_on_the_body_does_not_remove_the_page() -> None:
    page = "<html><body class='nav-open sidebar'><p>" + "Plain words that matter. " * 5 + "</p></body></html>"
    assert read(page, "page.html").words == 20


def test_a_page_says_its_own_encoding() -> None:
    page = "<html><head><meta charset='iso-8859-2'></head><body><p>Zażółć gęślą jaźń dziś.</p></body></html>"
    source = read(page.encode("iso-8859-2"), "page.html")
    assert "Zażółć gęślą jaźń" in source.text
    assert source.notes == ()


def test_a_deeply_nested_page_is_read_flat() -> None:
    page = "<div>" * 1000 + "<p>Deep words.</p>" + "</div>" * 1000
    assert "Deep words." in read(page, "deep.html").text


NAMES = "p div span ul ol li table tr td th pre code h1 h2 b em a blockquote dl dt dd br img nav main figure details"
TAGS = st.sampled_from(NAMES.split())
PIECES = st.one_of(
    TAGS.map(lambda tag: f"<{tag}>"),
    TAGS.map(lambda tag: f"</{tag}>"),
    st.text(max_size=12),
    st.sampled_from(["word ", "&nbsp;", "&#0;", "<td colspan=3>", "<td rowspan=2>", "<a href='https://example.org'>"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_every_span_lies_where_it_says(pieces: list[str]) -> None:
    try:
        source = read("<body>" + "".join(pieces) + "<p>The end.</p>", "page.html")
    except BadInput:
        return
    check_spans(source)
