"""What a search by meaning found for a step, kept beside the answers of the model that the step used.

Vectors come when they come, and whoever builds a course again has none. So the first finding of each question of a step
is the finding of that step, for a worker that continues a killed one, and for `build --locked`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.authors.agents.calls import stored_name
from service.domain.source import Chunk, Document
from service.pipeline.evidence import key_of
from service.ports import Evidence, Services, Till


class Finding(Document):
    """The passages that one question found, best first."""

    passages: tuple[Chunk, ...]


def remembered(services: Services, evidence: Evidence, in_key: str, till: Till) -> Evidence:
    """The evidence with a search that remembers for the step of this input key, and tells the till what it used."""

    def search(query: str, limit: int) -> Sequence[Chunk]:
        key = key_of("finding", in_key, query, limit)
        earlier = services.settings.data_dir / stored_name(key)
        if earlier.is_file():  # of the course that is built again
            found = Finding.model_validate_json(earlier.read_bytes())
        elif services.embedder is None:
            return evidence.search(query, limit)  # by words: the same passages at any time and anywhere
        else:
            found = _kept(services, evidence, key, query, limit)
        till.used(key)
        return found.passages

    return replace(evidence, search=search)


def _kept(services: Services, evidence: Evidence, key: str, query: str, limit: int) -> Finding:
    name = stored_name(key)
    if services.storage.size(name) is None:
        found = Finding(passages=tuple(evidence.search(query, limit)))
        if services.storage.put(name, found.model_dump_json().encode(), "application/json"):
            return found
    return Finding.model_validate_json(services.storage.get(name))  # the first, when two workers asked the same
