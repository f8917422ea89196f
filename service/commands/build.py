"""`coursewright build`: documents to a complete course folder, by the site's own pipeline on a private database.

With `--locked` the course of an earlier build is made again from its `course.lock`, and compared with it byte for byte.
"""

from __future__ import annotations

import math
import signal
import time
import uuid
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.orm import Session

from service.commands.arguments import new_folder, parser
from service.commands.workshop import COURSE_ID, Wish, capped, make, workshop
from service.db.tables import User
from service.domain.course import Brief, CoursePlan
from service.domain.course_folder import CourseLock
from service.errors import BadInput
from service.pipeline import locked
from service.pipeline.own_outline import brought_outline
from service.pipeline.produce import create_course
from service.ports import Services
from service.readers import Limits
from service.readers.reading import check_file
from service.settings import load_settings

WANTED = {
    "minutes": "must be between 0 (as long as the sources carry) and 3000",
    "language": "must be a language code such as en or pt-BR",
}
LEVELS = ("beginner", "intermediate", "advanced")
OF_THE_BRIEF = ("title", "audience", "level", "minutes", "language")
IN_THE_LOCK = (*OF_THE_BRIEF, "outline")


def main(argv: list[str]) -> int:
    """Build a course folder; `--out` appears only when it is complete."""
    given = _options(argv)
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(stderr=True)
    told = _build_again(given, console) if given.locked else _build(given, console)
    console.print(f"{told}, in {time.monotonic() - started:.0f} s: {given.out}", highlight=False, soft_wrap=True)
    return 0


def _interrupt(*_: object) -> None:
    """SIGTERM ends a build like Ctrl-C: in order, with its database and its temporary folder."""
    raise KeyboardInterrupt


def _options(argv: list[str]) -> Namespace:
    options = parser("build", "Turn documents into a complete course folder.")
    options.add_argument("source", nargs="*", help="Markdown, text, HTML, PDF, DOCX or PPTX files, in teaching order")
    options.add_argument("--out", required=True, help="the folder to make; it must not exist yet")
    options.add_argument(
        "--title", help="the course's title; without it the sources give one; alone, a model writes what it knows"
    )
    options.add_argument("--audience", help="who it is for, in a sentence")
    options.add_argument("--level", choices=LEVELS, help="beginner, if not said otherwise")
    options.add_argument("--minutes", type=int, help="wished length of all videos; 0: what the sources hold")
    options.add_argument("--language", help="the sources' language, such as en or pt-BR; en, if not said otherwise")
    options.add_argument(
        "--outline", metavar="FILE", help="your own outline: # Course, ## Module, ### Lesson, - objective; kept whole"
    )
    options.add_argument("--no-video", action="store_true", help="texts, storyboards and quizzes only")
    options.add_argument(
        "--budget-usd", type=float, help="the most that may be spent; without it USER_DAY_USD and its like count"
    )
    options.add_argument(
        "--cache", help="where speech, film segments and a model's answers are kept for the next build"
    )
    options.add_argument(
        "--locked", metavar="COURSE", help="a course folder or its course.lock: make that course again, and compare"
    )
    options.add_argument("--allow-drift", action="store_true", help="with --locked: other package versions will do")
    return options.parse_args(argv)


# --- a new course ---


def _build(given: Namespace, console: Console) -> str:
    if not given.source:
        _refuse_without_sources(given)
    sources, brief = _sources(given.source), _brief(given)
    brief, outline = _outline(Path(given.outline), brief) if given.outline else (brief, None)

    def begin(session: Session, services: Services, owner: User) -> uuid.UUID:
        course = create_course(session, services.storage, owner, brief, sources, course_id=COURSE_ID)
        course.own_outline = outline
        return course.id

    wish = Wish(new_folder(Path(given.out)), not given.no_video, _cache(given), begin)
    with workshop(wish, **_cap(given)) as services:
        return make(services, wish, console)[1]


def _refuse_without_sources(given: Namespace) -> None:
    """A model may write about a title alone, from what it knows; whatever else would be made of nothing is refused.

    Raises:
        BadInput: there is no title either, no model, or an outline whose lessons nothing could be found for.
    """
    if not given.title or not given.title.strip():
        raise BadInput("There is nothing to build from. Name the documents, such as notes/*.md.")
    if given.outline:
        raise BadInput("An outline of one's own needs documents to teach from. Name them, such as notes/*.md.")
    if load_settings().model.startswith("offline"):
        raise BadInput(
            f"Without a model nothing can be written about “{given.title.strip()}” alone. Name a document about it, "
            "such as notes/*.md, or set OPENAI_API_KEY and check what the model wrote: none of it has a source."
        )


def _cache(given: Namespace) -> Path:
    return Path(given.cache) if given.cache else Path.home() / ".cache" / "coursewright"


def _cap(given: Namespace) -> dict[str, object]:
    if given.budget_usd is None:
        return {}
    if not math.isfinite(given.budget_usd) or given.budget_usd < 0:
        raise BadInput("--budget-usd is no sum of money. Give the most that may be spent, such as 2.50.")
    return capped(given.budget_usd)


def _sources(names: Sequence[str]) -> list[Path]:
    paths = [Path(name) for name in names]
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path} does not exist. Check the path.")
        if path.is_dir():
            raise BadInput(f"{path} is a folder. Name the documents in it, such as {path}/*.md.")
        check_file(path, path.name, Limits())
    return paths


def _brief(given: Namespace) -> Brief:
    try:
        return Brief(**{name: getattr(given, name) for name in OF_THE_BRIEF if getattr(given, name) is not None})
    except ValidationError as error:
        field = str(error.errors(include_url=False)[0]["loc"][0])
        raise BadInput(f"--{field} {WANTED.get(field, 'is too long; shorten it')}.") from error


def _outline(path: Path, brief: Brief) -> tuple[Brief, CoursePlan]:
    """The outline in the file, and the brief under its title: the outline's own words are kept, titles included."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadInput(f"--outline {path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"--outline {path} is not text in UTF-8. Save it as Markdown or plain text.") from error
    try:
        return brought_outline(text, brief)
    except BadInput as error:
        raise BadInput(f"--outline {path}: {error}") from error


# --- the course of a lock ---


def _build_again(given: Namespace, console: Console) -> str:
    for name in IN_THE_LOCK:
        if getattr(given, name) is not None:
            raise BadInput(f"--{name} stands in the lock. Leave it out, or build without --locked.")
    recipe = locked.read_recipe(Path(given.locked), _sources(given.source))
    lock = recipe.lock

    def check(services: Services) -> None:
        for drift in locked.check_fit(lock, services, allow_drift=given.allow_drift):
            console.print(f"Not as in the lock: {drift}", highlight=False, soft_wrap=True)

    def begin(session: Session, services: Services, owner: User) -> uuid.UUID:
        return locked.begin(session, services, owner, recipe)

    def prepare(services: Services, course_id: uuid.UUID) -> None:
        if lock.reviewed is not None:
            locked.take_outline(services, course_id, lock.reviewed)

    wish = Wish(
        out=new_folder(Path(given.out)),
        video=lock.video and not given.no_video,
        cache=_cache(given),
        begin=begin,
        check=check,
        prepare=prepare,
        recorded=recipe.calls if lock.calls else None,
        signed=lock.signed,
    )
    with workshop(wish, **_cap(given), **_author(lock)) as services:
        made, told = make(services, wish, console)
    count = locked.compare(lock, made, wish.out)
    return f"{told}: identical, {count} documents compared"


def _author(lock: CourseLock) -> dict[str, object]:
    """The settings of the lock's author: a model's recorded answers need neither its key nor a network."""
    if lock.model is None:
        return {"llm": "offline"}
    return {"llm": f"recorded:{lock.model.name}", "openai_base_url": lock.model.endpoint}
