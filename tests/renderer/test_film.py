"""The film itself: what a decoder finds in it, what an edit costs, and that a failure leaves nothing behind."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from renderer_job import second_camera, segments
from renderer_job.cache import MemoryCache
from renderer_job.film import film
from renderer_job.frames import Frame, picture
from renderer_job.motion import Projector
from renderer_job.timeline import FPS, Timeline, plan
from service.adapters.speech import SilentSpeech
from service.domain.storyboard import Film, Storyboard
from service.errors import BadInput, Broken, Canceled, Unavailable
from service.ports import Spoken
from tests.renderer.boards import board, cue, scene, short
from tests.renderer.test_captions import parsed

FILES = {"video.mp4", "captions.vtt", "chapters.vtt", "transcript.md", "poster.jpg", "film.json"}


class Tone:
    """A voice that hums: half a second for each word, with silence around it, and counts what it is asked."""

    voice = "tone:1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def say(self, text: str) -> Spoken:
        self.asked.append(text)
        time = np.arange(int(0.5 * 22_050 * len(text.split()))) / 22_050
        hum = (3000 * np.sin(2 * np.pi * 220 * time)).astype(np.int16)
        silence = np.zeros(6_000, np.int16)
        return Spoken(np.concatenate([silence, hum, silence]).tobytes(), 22_050)

    def close(self) -> None:
        """Nothing is open."""


def quiet(what: str, part: float | None = None) -> None:
    del what, part


@dataclass(frozen=True)
class Made:
    board: Storyboard
    film: Film
    folder: Path
    cache: MemoryCache
    plan: Timeline
    progress: list[float]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("film") / "out"
    cache, told = MemoryCache(), []
    storyboard = short()

    def report(what: str, part: float | None = None) -> None:
        assert what
        told.append(part or 0.0)

    done = film(storyboard, Tone(), cache, folder, report)
    ends = iter(done.cues)
    lengths = [[(one := next(ends)).end - one.start for _ in scene.cues] for scene in storyboard.scenes]
    return Made(storyboard, done, folder, cache, plan(storyboard, lengths), told)


def test_every_file_is_there_and_the_folder_reads_as_one_film(made: Made) -> None:
    assert {path.name for path in made.folder.iterdir()} == FILES
    assert Film.model_validate_json((made.folder / "film.json").read_bytes()) == made.film
    with Image.open(made.folder / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", (1280, 720))
    transcript = (made.folder / "transcript.md").read_text(encoding="utf-8")
    assert transcript.startswith("# Why bread rises\n")
    assert all(cue.text in transcript for cue in made.film.cues)


def test_progress_only_goes_forward_and_ends_at_one(made: Made) -> None:
    assert made.progress == sorted(made.progress)
    assert made.progress[-1] == 1.0


def test_the_video_has_every_frame_at_thirty_a_second(made: Made) -> None:
    with av.open(str(made.folder / "video.mp4")) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.codec.name, audio.codec.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate, video.frames) == (1920, 1080, FPS, made.plan.frames)
        assert video.start_time == audio.start_time == 0
        lasts = [float(stream.duration * stream.time_base) for stream in (video, audio)]
        assert lasts[0] == made.film.seconds == made.plan.seconds
        assert abs(lasts[0] - lasts[1]) < 1 / FPS
        first = next(file.decode(video=0))
        assert (first.colorspace, first.color_range) == (1, 1), "tagged BT.709, limited range"
        assert first.format.name == "yuv420p"


def test_a_player_can_start_anywhere_within_five_seconds_and_at_every_scene(made: Made) -> None:
    with av.open(str(made.folder / "video.mp4")) as file:
        keys = [p.pts * p.time_base * FPS for p in file.demux(video=0) if p.dts is not None and p.is_keyframe]
    assert set(made.plan.starts) <= set(keys)
    assert max(b - a for a, b in zip(keys, [*keys[1:], made.plan.frames], strict=True)) <= 5 * FPS


def test_seeking_into_a_rest_shows_its_picture(made: Made) -> None:
    """What a player does: find the key picture before an instant, decode up to it."""
    at = made.plan.starts[2] + 200  # deep inside the scene that rests longest
    expected = np.asarray(picture(made.plan.frame_at(at).look), np.int16)
    with av.open(str(made.folder / "video.mp4")) as file:
        stream = file.streams.video[0]
        file.seek(int(at / FPS / stream.time_base), stream=stream)
        shown = next(f for f in file.decode(stream) if f.pts * stream.time_base * FPS >= at)
        seen = shown.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709").to_ndarray()
    difference = np.abs(seen.astype(np.int16) - expected)
    assert difference.mean() < 2.0  # of 255: limited range rounds
    assert np.percentile(difference, 99.5) < 24


@pytest.mark.parametrize("accent", ["#2563eb", "#c2410c", "#15803d"])
def test_the_brand_colour_is_the_same_on_the_screen(accent: str) -> None:
    """Read as BT.709, which players assume at this size: another matrix shifts blues and greens by ten and more."""
    look = plan(board(scene("section"), accent=accent), [[1.0]]).spans[0].look
    encoded = segments.encode([Frame(look)], Projector())
    reel = segments.Reel(((encoded, 1),), 1, 0)
    stream = io.BytesIO(reel.parameters + next(reel.packets())[0])
    with av.open(stream, "r", format="h264") as file:
        shown = next(file.decode(video=0)).reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
    drawn = np.asarray(picture(look), np.int16)
    assert np.abs(shown[10, 10].astype(np.int16) - drawn[10, 10]).max() <= 3


def test_the_decoded_pictures_change_exactly_where_the_timeline_says(made: Made) -> None:
    changes, before = [0], None
    with av.open(str(made.folder / "video.mp4")) as file:
        for number, frame in enumerate(file.decode(video=0)):
            now = hash(bytes(frame.planes[0]))
            if before is not None and now != before:
                changes.append(number)
            before = now
    keys = [made.plan.frame_at(number).key for number in range(made.plan.frames)]
    planned = [0, *(number for number in range(1, len(keys)) if keys[number] != keys[number - 1])]
    assert number + 1 == made.plan.frames, "every frame decodes"
    assert changes == planned


def test_the_index_stands_before_the_pictures(made: Made) -> None:
    body, at, order = (made.folder / "video.mp4").read_bytes(), 0, []
    while at < len(body):
        size, name = struct.unpack_from(">I4s", body, at)
        order.append(name.decode())
        at += size
    assert order.index("moov") < order.index("mdat")


def test_the_voice_is_heard_where_its_cue_says(made: Made) -> None:
    with av.open(str(made.folder / "video.mp4")) as file:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
        rate = file.streams.audio[0].rate

    def level(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(sound[int(start * rate) : int(end * rate)] ** 2)))

    for one in made.film.cues:
        assert level(one.start + 0.2, one.end - 0.2) == pytest.approx(0.1, rel=0.25), "brought to -20 dB"
        assert level(one.start - 0.25, one.start - 0.05) < 0.005
        assert level(one.end + 0.1, one.end + 0.25) < 0.005


def test_captions_of_the_film_are_well_formed_and_in_time(made: Made) -> None:
    shown = parsed((made.folder / "captions.vtt").read_text(encoding="utf-8"))
    assert [line for _, _, lines in shown for line in lines]
    assert shown[0][0] == pytest.approx(made.film.cues[0].start, abs=0.001)
    assert shown[-1][1] <= made.film.seconds


def refilmed(made: Made, changed: Storyboard, out: Path, voice: Tone | None = None) -> Film:
    return film(changed, voice or Tone(), made.cache, out, quiet)


def test_filming_again_speaks_and_encodes_nothing(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(segments, "encode", refuse)
    voice = Tone()
    again = refilmed(made, made.board, tmp_path / "again", voice)
    assert voice.asked == []
    assert again.segments_reused == again.segments == made.film.segments
    assert (tmp_path / "again/video.mp4").read_bytes() == (made.folder / "video.mp4").read_bytes()


def test_an_edited_slide_encodes_only_what_shows_it(made: Made, tmp_path: Path) -> None:
    scenes = [one.model_dump(mode="json") for one in made.board.scenes]
    scenes[2]["text"] = "is where every starter is happiest."
    edited = refilmed(made, board(*scenes), tmp_path / "edited")
    assert edited.segments == made.film.segments
    assert edited.segments - edited.segments_reused == 3, "the slide, and the change to it and from it"


def test_an_edited_sentence_encodes_no_picture(made: Made, tmp_path: Path) -> None:
    scenes = [one.model_dump(mode="json") for one in made.board.scenes]
    scenes[1]["cues"][2]["text"] = "A much longer sentence than the one that stood here before."
    voice = Tone()
    edited = refilmed(made, board(*scenes), tmp_path / "edited", voice)
    assert voice.asked == ["A much longer sentence than the one that stood here before."]
    assert edited.segments_reused == edited.segments
    assert edited.seconds > made.film.seconds


def test_two_processes_film_the_same_as_one(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "ENOUGH_FOR_TWO", 2)
    monkeypatch.setattr(segments, "_processors", lambda: 2)
    both = film(made.board, Tone(), MemoryCache(), tmp_path / "both", quiet)
    assert both.segments_reused == 0
    assert (tmp_path / "both/video.mp4").read_bytes() == (made.folder / "video.mp4").read_bytes()


def test_a_second_process_that_dies_is_an_error_and_not_a_wait(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    started = second_camera._SecondCamera.__init__

    def stillborn(self: second_camera._SecondCamera) -> None:
        started(self)
        self._child.kill()

    monkeypatch.setattr(second_camera._SecondCamera, "__init__", stillborn)
    work = {str(i): one.frames for i, one in enumerate(segments.cut(made.plan)[:4])}
    with pytest.raises(Broken, match="ended early"):
        list(second_camera.with_second_camera(work))


class Stop(Tone):
    def say(self, text: str) -> Spoken:
        if len(self.asked) == 3:
            raise Unavailable("The voice is gone. Try again.")
        return super().say(text)


def test_a_voice_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        film(short(), Stop(), MemoryCache(), tmp_path / "out", quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["Speaking", "Filming", "Joining", "Filmed"])
def test_a_stop_is_obeyed_at_every_stage_and_leaves_no_folder(made: Made, tmp_path: Path, when: str) -> None:
    def report(what: str, part: float | None = None) -> None:
        if what.startswith(when):
            raise Canceled("Stopped.")

    cache = MemoryCache() if when == "Filming" else made.cache
    scenes = board(scene("section", title=f"Only {when}", cues=[cue("Short.")]))
    with pytest.raises(Canceled):
        film(scenes, SilentSpeech(), cache, tmp_path / "out", report)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        film(short(), Tone(), MemoryCache(), tmp_path, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
