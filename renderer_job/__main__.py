"""The command line of the renderer: `film` makes one video from one storyboard, `work` serves the render lane."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from renderer_job.cache import FolderCache, default_folder
from renderer_job.film import film
from service.adapters.speech import open_speech
from service.domain.storyboard import Storyboard
from service.errors import BadInput, CoursewrightError
from service.ports import Report
from service.settings import load_settings

LARGEST = 20_000_000  # bytes of a storyboard file


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["work"]:
        from renderer_job.work import main as work

        return work(given[1:])
    choices = _parser().parse_args(given)
    try:
        return _film(choices)
    except BadInput as error:
        return _fail(str(error), 2)
    except CoursewrightError as error:
        return _fail(str(error), 1)
    except OSError as error:
        name = error.filename or choices.out
        return _fail(f"{name}: {error.strerror or error}. Choose a folder that can be written and has room.", 2)
    except KeyboardInterrupt:
        return _fail("Stopped; what was filmed so far is in the cache.", 130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m renderer_job", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("film", help="make the video, captions, chapters, transcript and poster of a storyboard")
    one.add_argument("file", type=Path, metavar="FILE", help="a storyboard (JSON)")
    one.add_argument("--out", type=Path, required=True, help="folder to make; it must not exist")
    one.add_argument("--cache", type=Path, default=default_folder(), help="where finished pieces are kept")
    one.add_argument("--voice", default="", help="auto:, piper:, espeak:, silent: or openai:MODEL (default: SPEECH)")
    commands.add_parser("work", help="claim lessons from the render lane and film them")
    return parser


def _film(choices: argparse.Namespace) -> int:
    storyboard = _read(choices.file)
    if choices.out.exists():
        raise BadInput(f"{choices.out} exists already. Choose another folder, or move this one away.")
    settings = load_settings()
    cache = FolderCache(choices.cache)
    speech = open_speech(
        choices.voice or settings.speech,
        openai_api_key=settings.openai_api_key.get_secret_value(),
        openai_base_url=settings.openai_base_url,
        cache_dir=choices.cache,
    )
    try:
        with _progress() as report:
            made = film(storyboard, speech, cache, choices.out, report)
    finally:
        speech.close()
    cache.prune()
    minutes, seconds = divmod(round(made.seconds), 60)
    again = f", {made.segments_reused} of {made.segments} pieces reused" if made.segments_reused else ""
    print(f"{choices.out / 'video.mp4'}: {minutes}:{seconds:02} min, voice {made.voice}{again}")
    for note in made.notes:
        print(f"note: {note}")
    return 0


def _read(path: Path) -> Storyboard:
    """The storyboard in a file. Raises BadInput that says what is wrong with it and where."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST // 1_000_000} MB. Give a storyboard file.")
        return Storyboard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{path} is not a storyboard: {place}: {first['msg']}. Mend it and try again.") from error
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}. Give the path of a storyboard file.") from error


@contextmanager
def _progress() -> Iterator[Report]:
    """A progress bar on a terminal, nothing elsewhere."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<44}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stdout.isatty(), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def report(what: str, part: float | None = None) -> None:
            bar.update(task, description=what, completed=part)

        yield report


def _fail(message: str, code: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
