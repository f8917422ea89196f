"""`scripts/bench tutor`: whether "Ask this course" answers with the right passage, and refuses what is not covered."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from service.adapters.embeddings import open_embedder
from service.adapters.vectors import open_vectors
from service.authors.extractive.sources.library import ReadingCache
from service.authors.extractive.tutor import Tutor
from service.domain.answer import Answer
from service.domain.chunks import chunks_of
from service.domain.source import Source
from service.pipeline.asking import kept_evidence
from service.ports import Embedder, Evidence, IndexedChunk, Vectors
from service.readers import read_documents
from service.settings import ROOT
from tests.authors.texts import backups, bees, sourdough

QUESTIONS = Path(__file__).parent / "questions"
# Words alone find no paraphrase: they are asked for less, and for as few wrong answers.
WANTED_RIGHT = {"words alone": 0.55, "with meaning": 0.75}
WANTED_REFUSED = 0.90


@dataclass(frozen=True)
class Asked:
    """A question, and the words of which one must stand in a cite of its answer; none: it must be refused."""

    course: str
    question: str
    quotes: tuple[str, ...]

    def right(self, answer: Answer) -> bool:
        """Whether the answer holds the right passage, or is the refusal that it should be."""
        cited = [cite.quote for claim in answer.sentences for cite in claim.cites]
        return any(quote in one for quote in self.quotes for one in cited) if self.quotes else not answer.covered


def questions(half: str) -> list[Asked]:
    """The questions of one half: `seen`, on which the rules were tuned, or `unseen`."""
    found = []
    for line in (QUESTIONS / f"{half}.tsv").read_text(encoding="utf-8").splitlines():
        course, question, quotes = line.split("\t")
        found.append(Asked(course, question, tuple(one.strip() for one in quotes.split("|") if one.strip())))
    return found


def courses() -> dict[str, tuple[Source, ...]]:
    """The sources of each course that questions are asked of."""
    pages = sorted((ROOT / "samples").glob("[0-9]*.md"))
    read = read_documents([(page, page.name) for page in pages])
    web = tuple(document for _, document in read if isinstance(document, Source))
    return {"web": web, "bread": (sourdough(),), "laptop": (backups(),), "bees": (bees(),)}


def evidence_of(sources: tuple[Source, ...], vectors: Vectors, embedder: Embedder | None) -> Evidence:
    """Evidence with the site's own retrieval, without its database."""
    chunks = [chunk for source in sources for chunk in chunks_of(source)]
    texts = [f"{chunk.heading}\n{chunk.text}".strip() for chunk in chunks]
    found = embedder.passages(texts) if embedder else [None] * len(chunks)
    rows = [IndexedChunk(chunk, vector) for chunk, vector in zip(chunks, found, strict=True)]
    return kept_evidence(uuid.uuid4(), sources, rows, vectors, embedder)


def main(shown: str = "") -> int:
    """Print the table; 1 when a target is missed. `shown`: the half whose faults are listed."""
    tutor, missed = Tutor(ReadingCache()), False
    read = courses()
    print(f"{'half':<8}{'search':<22}{'right passage':>16}{'wrongly refused':>17}{'wrongly answered':>18}")
    for embedder in dict.fromkeys((open_embedder("none:"), open_embedder("local:"))):
        vectors = open_vectors("memory:")
        evidence = {name: evidence_of(sources, vectors, embedder) for name, sources in read.items()}
        for half in ("seen", "unseen"):
            answers = [(one, tutor.answer(one.question, evidence[one.course])) for one in questions(half)]
            covered = [(one, answer) for one, answer in answers if one.quotes]
            other = [(one, answer) for one, answer in answers if not one.quotes]
            right = sum(one.right(answer) for one, answer in covered)
            refused = sum(not answer.covered for _, answer in covered)
            wrong = sum(answer.covered for _, answer in other)
            how = embedder.name if embedder else "words alone"
            print(
                f"{half:<8}{how:<22}{right:>9}/{len(covered):<3}{right / len(covered):>4.0%}"
                f"{refused:>11}/{len(covered):<3}{wrong:>14}/{len(other)}"
            )
            wanted = WANTED_RIGHT["with meaning" if embedder else "words alone"]
            missed |= right < wanted * len(covered) or wrong > (1 - WANTED_REFUSED) * len(other)
            if half == shown:
                _show(answers)
        vectors.close()
    shares = ", ".join(f"{share:.0%} {how}" for how, share in WANTED_RIGHT.items())
    print(f"wanted: right passages at least {shares}; wrongly answered at most {1 - WANTED_REFUSED:.0%}")
    return int(missed)


def _show(answers: list[tuple[Asked, Answer]]) -> None:
    for one, answer in answers:
        if not one.right(answer):
            said = " ".join(claim.text for claim in answer.sentences) or "refused"
            print(f"    {one.course}: {one.question} -> {said}")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
