"""What a learner gets who asks a course: sentences of its own sources with their cites, or a plain refusal."""

from __future__ import annotations

from pydantic import Field

from service.domain.lesson import Claim
from service.domain.source import Document, Span

MOST_SENTENCES = 3
LONGEST_QUESTION = 300  # characters


class Answer(Document):
    """The answer to one question, in the sources' order. Without sentences the course does not cover the question.

    `procedure` says that the sentences after the first are the items that it announces: a list is quoted whole.
    `nearest` are the passages that come closest where the answer is refused. `by_words` says why the question was
    looked up by its words alone, where it would have been looked up by its meaning too.
    """

    question: str = Field(max_length=LONGEST_QUESTION)
    sentences: tuple[Claim, ...] = ()
    procedure: bool = False
    nearest: tuple[Span, ...] = ()
    by_words: str = ""

    @property
    def covered(self) -> bool:
        return bool(self.sentences)
