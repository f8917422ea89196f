"""A lesson's questions follow its source: what changed in a cited passage changes in the question, and a question that
is not right any more after that, or whose passage is gone, goes.
"""

from __future__ import annotations

from service.authors.extractive.changes.mending import Mending
from service.domain.item_flaws import flaws
from service.domain.item_support import support_faults
from service.domain.quiz import Option, Quiz, QuizItem
from service.domain.support import judge


def mended_quiz(quiz: Quiz, mending: Mending) -> Quiz:
    """The questions with every one that cites a changed passage following it."""
    items = tuple(made for item in quiz.items if (made := mended_item(item, mending)) is not None)
    return quiz.model_copy(update={"items": items})


def mended_item(item: QuizItem, mending: Mending) -> QuizItem | None:
    """The question as its passages have it now; None when it is not right any more, or they are gone."""
    changes = mending.of(item.cites)
    if not changes:
        return item
    cites = mending.cites(item.cites)
    if any(change.new is None for change in changes) or not cites:
        mending.notes.append(f"The question “{item.stem[:60]}” goes: what it asks is not in the source any more.")
        return None
    made = item.model_copy(
        update={
            "stem": mending.text(item.stem, item.cites),
            "options": _options(item, mending),
            "model_answer": mending.text(item.model_answer, item.cites),
            "cites": cites,
        }
    )
    if _worse(made, item):
        mending.notes.append(f"The question “{item.stem[:60]}” goes: it is not right any more with what changed.")
        return None
    return made


def _options(item: QuizItem, mending: Mending) -> tuple[Option, ...]:
    """Right options and all reasons follow the source. A wrong option that has become the right one takes its place:
    the old answer is the best wrong one there is.
    """
    right = {place: mending.text(item.options[place].text, item.cites) for place in item.key}
    swapped = {text.lower(): item.options[place].text for place, text in right.items()}
    made = []
    for place, option in enumerate(item.options):
        text = right.get(place, swapped.get(option.text.lower(), option.text))
        rationale = mending.text(option.rationale, item.cites)
        made.append(Option(text=text, rationale=rationale, match=mending.text(option.match, item.cites)))
    return tuple(made)


def _worse(made: QuizItem, item: QuizItem) -> bool:
    """Whether a rule speaks against the question that spoke for it before, or its passages do."""
    quotes = [cite.quote for cite in made.cites]
    if made.kind == "short" and judge(made.model_answer, quotes).state == "unsupported":
        return True
    texts = [option.text.strip().lower() for option in made.options]
    repeated = len(set(texts)) < len(texts) and len({o.text.strip().lower() for o in item.options}) == len(item.options)
    new_faults = {*flaws(made), *support_faults(made)} - {*flaws(item), *support_faults(item)}
    return repeated or bool(new_faults)
