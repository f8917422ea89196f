"""Slide thumbnails: the render job's own pictures, drawn where they are asked for. Needs Pillow, nothing of video."""

from __future__ import annotations

from functools import lru_cache

from service.domain.storyboard import Storyboard

NARROWEST, WIDEST = 80, 1920  # pixels


class SlideStills:
    """Draws stills and keeps the last ones, since a page asks for the same thumbnails again and again."""

    def draw(self, storyboard: Storyboard, scene_id: str, width: int) -> bytes:
        """A JPEG of the scene's last settled state. Raises NotFound when the storyboard has no such scene."""
        return _draw(storyboard, scene_id, min(max(width, NARROWEST), WIDEST))


@lru_cache(maxsize=256)
def _draw(storyboard: Storyboard, scene_id: str, width: int) -> bytes:
    from renderer_job.frames import still

    return still(storyboard, scene_id, width)
