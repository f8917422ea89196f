"""Sentences that guide the listener and assert nothing, handed out in rotation so that none is heard twice in a row."""

from __future__ import annotations

from collections import Counter

_NEXT = (
    "Next: {topic}.",
    "Now turn to {topic}.",
    "That brings you to {topic}.",
    "The next topic is {topic}.",
    "Let’s look at {topic}.",
)
_SIGNS = {
    "warning": ("Watch out here.", "Be careful at this point.", "Take care with this one."),
    "definition": ("One term comes first.", "You need one term here.", "Learn this term, too."),
    "code": (
        "Look at the code on screen.",
        "Here it is in practice.",
        "See it on screen.",
    ),
    "reading": (
        "Take a moment to read it line by line.",
        "Say in your own words what you see.",
        "Read it once more, from top to bottom.",
    ),
    "steps": ("Work through it step by step.", "Here are the steps, in order."),
    "table": ("The table puts the cases side by side.", "Compare the rows of this table."),
    "list": ("Here is the list.", "Take the points one by one."),
}


class Signposts:
    """One lesson's supply. A kind that was used twice through falls silent: signs wear off."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def next_topic(self, topic: str) -> str:
        """Announces the next topic; one bare word only after a colon, where it needs no grammar."""
        if " " not in topic:
            return _NEXT[0].format(topic=topic)
        return _NEXT[self._count("next") % len(_NEXT)].format(topic=topic)

    def sign(self, kind: str) -> str:
        """A sign of this kind, or '' when there were enough."""
        signs = _SIGNS[kind]
        used = self._count(kind)
        return signs[used % len(signs)] if used < len(signs) else ""

    def _count(self, kind: str) -> int:
        self._used[kind] += 1
        return self._used[kind] - 1
