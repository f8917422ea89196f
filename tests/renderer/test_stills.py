"""Thumbnails: a scene's last state as a JPEG, without loading anything of video."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image

from service.adapters.stills import SlideStills
from service.errors import NotFound
from service.settings import ROOT
from tests.renderer.boards import every_kind


def test_every_scene_has_a_still_of_the_width_asked_for() -> None:
    made = every_kind()
    stills = SlideStills()
    drawn = [stills.draw(made, scene.id, 320) for scene in made.scenes]
    assert len(set(drawn)) == len(made.scenes)
    for body in drawn:
        with Image.open(io.BytesIO(body)) as image:
            assert (image.format, image.size) == ("JPEG", (320, 180))
            assert image.info.get("progressive")
    assert stills.draw(made, made.scenes[0].id, 320) == drawn[0]


def test_a_scene_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        SlideStills().draw(every_kind(), "nowhere", 320)


def test_drawing_loads_neither_moviepy_nor_an_encoder_nor_numpy() -> None:
    code = (
        "import sys, renderer_job.timeline, service.adapters.stills as s; from tests.renderer.boards import short;"
        "b = short(); s.SlideStills().draw(b, b.scenes[1].id, 320);"
        "print([m for m in ('moviepy', 'av', 'numpy', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


WITHOUT_SHAPING = """
from PIL import features
features.check = lambda name: False
from renderer_job.frames import still
from tests.renderer import boards
made = boards.every_kind()
print(sum(len(still(made, scene.id, 320)) > 1000 for scene in made.scenes), len(made.scenes))
"""


def test_every_kind_is_drawn_where_the_system_cannot_shape_text() -> None:
    """Pillow loads FriBiDi from the system. A bare machine has none, and Pillow then refuses to be told a direction."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SHAPING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    drawn, scenes = done.stdout.split() or (done.stderr, "")
    assert drawn == scenes
