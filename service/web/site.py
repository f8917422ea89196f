"""What every page shares: the opened services, the templates, the cookie sealer, and how a page is rendered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from service.domain.money import dollars
from service.pipeline.asking import AskingDesk
from service.ports import Services
from service.settings import ROOT, Settings
from service.web.auth import Sealer, Visitor
from service.web.callers import Callers
from service.web.cover import draw_cover
from service.web.policy import Rule
from service.web.prose import inline
from service.web.shelf import then_and_now
from service.web.sums import amount, exact, paid_for, price_range, units

STATIC = Path(__file__).parent / "static"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class Site:
    """One running site; kept on the application's state while it is open."""

    settings: Settings
    services: Services
    sealer: Sealer
    templates: Environment
    media_origin: str
    callers: Callers
    desk: AskingDesk


def site_of(request: Request) -> Site:
    """The site that answers this request."""
    site: Site = request.app.state.site
    return site


def visitor_of(request: Request) -> Visitor:
    """Who is calling, as the guard found out."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return visitor or Visitor(csrf="")


def rule_of(request: Request) -> Rule:
    """The row of the policy that let this request in."""
    rule: Rule = request.state.rule
    return rule


def media_origin(settings: Settings) -> str:
    """The origins, with spaces between, that players fetch films from; empty when the site serves them itself."""
    clouds = urlsplit(settings.storage_url).scheme == "gs" or (settings.media_url and not settings.media_public_url)
    public = urlsplit(settings.media_public_url) if settings.media_url and settings.media_public_url else None
    origins = ["https://storage.googleapis.com"] if clouds else []
    return " ".join(origins + ([f"{public.scheme}://{public.netloc}"] if public else []))


@cache
def static_version() -> str:
    """A hash of all static files: part of their address, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def open_templates(settings: Settings) -> Environment:
    """The templates with the filters that pages use: every value is escaped, every missing one is an error."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=not settings.production,
    )
    environment.filters |= {
        "clock": clock,
        "minutes": minutes,
        "count": count,
        "day": day,
        "moment": moment,
        "inline": inline,
        "initials": initials,
        "size": size,
        "query": urlencode,
        "dollars": dollars,
        "price_range": price_range,
        "exact": exact,
        "amount": amount,
        "units": units,
        "paid_for": paid_for,
        "then_and_now": then_and_now,
    }
    environment.globals |= {"static": f"/static/{static_version()}", "draw_cover": draw_cover, "THEMES": THEMES}
    return environment


def render(request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A page. Using `csrf` in it makes sure that the visitor holds the cookie that the token belongs to."""
    site, visitor = site_of(request), visitor_of(request)

    def csrf() -> str:
        if not visitor.known and visitor.set_cookie is None:
            visitor.set_cookie = site.sealer.seal("", visitor.csrf)
        return visitor.csrf

    theme = request.cookies.get("theme", "auto")
    html = site.templates.get_template(template).render(
        request=request,
        here=request.url.path,
        person=visitor.person,
        csrf=csrf,
        nonce=getattr(request.state, "nonce", ""),
        theme=theme if theme in THEMES else "auto",
        signup=site.settings.signup,
        **context,
    )
    return HTMLResponse(html, status)


def wants_fragment(request: Request) -> bool:
    """Whether our own script asks for a piece of a page instead of the page."""
    return "text/x-fragment" in request.headers.get("accept", "")


def wants_html(request: Request) -> bool:
    """Whether the answer is for a person's eyes; scripts that do not say so get JSON."""
    return "text/html" in request.headers.get("accept", "")


def clock(seconds: float) -> str:
    """A place or a length in a video: 2:14, 1:02:03."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def minutes(length: float) -> str:
    """A length in minutes: "under 1 min", "6 min", "1 h 10 min"."""
    whole = round(length)
    if whole < 1:
        return "under 1 min"
    hours, rest = divmod(whole, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 lesson", "9 lessons", "1,400 words"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(moment: datetime) -> str:
    """A date as people write it: 22 November 2026."""
    local = moment.astimezone(UTC)
    return f"{local.day} {local:%B %Y}"


def moment(instant: datetime) -> Markup:
    """A time as people and programs read it: 22 November 2026, 14:05 UTC."""
    utc = instant.astimezone(UTC)
    return Markup('<time datetime="{:%Y-%m-%dT%H:%MZ}">{}, {:%H:%M} UTC</time>').format(utc, day(utc), utc)


def initials(name: str) -> str:
    """One or two letters that stand for a person."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def size(number: int) -> str:
    """A file's size: "900 B", "41 kB", "6.3 MB"."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.0f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"
