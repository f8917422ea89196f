"""Frames: the picture of a slide in a settled state, what identifies it, and stills of it. Pillow only.

A frame is a pure function of what it shows; two frames with equal keys are the same picture. What lies between two
settled states is `motion`'s.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

from PIL import Image

from renderer_job import fonts, pages
from renderer_job.slides.anatomy import Page
from renderer_job.theme import HEIGHT, WIDTH
from service.domain.storyboard import Storyboard
from service.errors import NotFound

UNSEEN = {"id", "cues", "cites"}  # fields of a scene that no slide shows


# The code that a picture or its encoding depends on beside its content; a change of it films everything anew.
DRAWING = ("canvas", "fonts", "h264", "layout", "motion", "segments", "text", "theme")


@cache
def renderer_version() -> str:
    """A hash of everything that can change a picture beside its content: the drawing code and the fonts."""
    digest = hashlib.sha256(f"{fonts.fingerprint()}{fonts.SHAPES}".encode())
    folder = Path(__file__).parent
    for path in [*(folder / f"{name}.py" for name in DRAWING), *sorted(folder.glob("slides/*.py"))]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Look:
    """A settled state of a page; `ring` is how many seconds of a question's pause are over."""

    page: Page
    state: int
    ring: int | None = None

    @cached_property
    def key(self) -> str:
        """What identifies the picture: everything that it shows, and what draws it."""
        page = self.page
        content = {
            "scene": page.scene.model_dump(mode="json", exclude=UNSEEN),
            "deck": vars(page.deck),
            "page": [page.number, page.part, page.parts, page.first, page.role],
            "state": [self.state, self.ring],
            "by": renderer_version(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Frame:
    """One picture of the film: a settled look, or step `step` of `steps` of the way to it from another."""

    look: Look
    before: Look | None = None
    motion: str = ""
    step: int = 0
    steps: int = 0

    @property
    def key(self) -> str:
        if not self.before:
            return self.look.key
        way = f"{self.before.key} {self.look.key} {self.motion} {self.step}/{self.steps}"
        return hashlib.sha256(way.encode()).hexdigest()


def picture(look: Look) -> Image.Image:
    """The picture of a settled look, 1920 x 1080. Do not draw on it: it is shared.

    Raises:
        BadInput: a field fits nowhere; the message names slide and field.
    """
    return _picture(look.key, _Unhashed(look))


class _Unhashed:
    """Carries a look past a cache that goes by its key: hashing a whole scene for each frame costs more."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashed)


@lru_cache(maxsize=4)
def _picture(key: str, carried: _Unhashed) -> Image.Image:
    del key
    look = carried.look
    return pages.draw(look.page, look.state, look.ring).image


def still(storyboard: Storyboard, scene_id: str, width: int) -> bytes:
    """A JPEG of a scene's last settled state, `width` pixels wide.

    Raises:
        NotFound: the storyboard has no such scene.
    """
    for i, scene in enumerate(storyboard.scenes):
        if scene.id == scene_id:
            page = pages.paginate_scene(storyboard, i)[-1]
            return jpeg(picture(Look(page, pages.final_state(page))), width)
    raise NotFound(f"The storyboard has no scene {scene_id!r}. Reload the page.")


def poster(storyboard: Storyboard) -> bytes:
    """A JPEG of the first slide with everything on it: what the film shows before it plays."""
    page = pages.paginate_scene(storyboard, 0)[0]
    return jpeg(picture(Look(page, pages.final_state(page))), 1280)


def jpeg(image: Image.Image, width: int) -> bytes:
    """The picture as a JPEG of that width."""
    if width < WIDTH:
        image = image.resize((width, round(width * HEIGHT / WIDTH)), Image.Resampling.LANCZOS)
    body = io.BytesIO()
    image.save(body, "JPEG", quality=88, optimize=True, progressive=True)
    return body.getvalue()
