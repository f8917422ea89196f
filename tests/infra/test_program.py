"""The program as the engine starts it, and the files that the engine reads."""

from __future__ import annotations

import runpy
import sys

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks, settings

from service.settings import ROOT
from tests.infra.graph import _Answers, _Monitor, configuration, own_loop


def test_the_engine_finds_the_program_with_only_its_folder_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine runs `infra/__main__.py` from within `infra/`, with that folder first on the path and the root not."""
    exported: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    monkeypatch.setattr(sys, "path", [str(ROOT / "infra"), *(p for p in sys.path if p not in ("", str(ROOT)))])
    monkeypatch.chdir(ROOT / "infra")
    for name in [name for name in sys.modules if name == "infra" or name.startswith("infra.")]:
        monkeypatch.delitem(sys.modules, name)
    with own_loop():
        settings.set_root_resource(None)
        monitor = _Monitor(answers := _Answers(preview=True))
        mocks.set_mocks(answers, project="coursewright", stack="prod", preview=True, monitor=monitor)
        pulumi.runtime.set_all_config(configuration("prod"))

        @mocks.test
        def run() -> None:
            runpy.run_path(str(ROOT / "infra"), run_name="__main__")

        run()
    assert exported["site_url"] == "https://site-123456789012.us-central1.run.app"
    assert len(monitor.seen) > 100


def test_the_door_is_short() -> None:
    assert len((ROOT / "infra" / "__main__.py").read_text(encoding="utf-8").splitlines()) < 30


def test_no_module_hides_one_of_pythons_own() -> None:
    """`infra/` is first on the path, so a module named like one of the standard library would be found in its place."""
    names = {path.stem for path in (ROOT / "infra").glob("*.py")}
    assert not names & set(sys.stdlib_module_names)


def test_the_project_file_says_where_everything_is() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    options = project["runtime"]["options"]
    assert project["main"] == "infra/"
    assert options["virtualenv"] == "infra/.venv"  # relative to Pulumi.yaml, not to `main`
    assert project["options"]["refresh"] == "always"
    lock = (ROOT / "infra" / "requirements.txt").read_text(encoding="utf-8").strip()
    assert lock.startswith("-r ")
    assert (ROOT / "infra" / lock.removeprefix("-r ")).resolve().exists()


def test_the_program_imports_nothing_of_the_product() -> None:
    for path in (ROOT / "infra").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "from service" not in text
        assert "from renderer_job" not in text
