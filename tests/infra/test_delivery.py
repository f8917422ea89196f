"""The way from a push to a release: the build's steps, the images' recipes, and the tools that judge them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic import command
from alembic.config import Config

from infra.delivery import substitutions
from infra.stack_config import StackConfig
from service.__main__ import COMMANDS
from service.settings import ROOT
from tests.infra.finding import containers
from tests.infra.graph import Graph

BUILD: dict[str, Any] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = BUILD["steps"]
IMAGES = ("service", "renderer_job")
SCRIPTS = ("deploy", "destroy", "images", "invite")
OF_CLOUD_BUILD = {"BUILD_ID", "SHORT_SHA"}


def recipe(image: str) -> list[str]:
    """A Dockerfile's instructions, continued lines joined, comments left out."""
    text = (ROOT / image / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()


def linter(name: str) -> str:
    """The tool, from this environment or the system; the test is skipped where there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def test_every_step_waits_for_the_one_that_it_builds_on() -> None:
    seen: set[str] = set()
    for step in STEPS:
        assert set(step.get("waitFor", ())) <= seen, step["id"]
        assert step["id"] == "version" or step["waitFor"], f"{step['id']} would start with the first"
        seen.add(step["id"])


def test_nothing_is_released_before_the_schema_and_no_traffic_before_the_smoke() -> None:
    def before(step: str) -> set[str]:
        waits = {one["id"]: set(one.get("waitFor", ())) for one in STEPS}
        found: set[str] = set()
        to_see = [step]
        while to_see:
            for other in waits[to_see.pop()] - found:
                found.add(other)
                to_see.append(other)
        return found

    assert {"build-site", "build-render"} <= before("migrate")
    assert "migrate" in before("lanes")
    assert "lanes" in before("site")
    assert {"site", "invite"} <= before("smoke")
    assert "smoke" in before("settle")
    assert [step["id"] for step in STEPS if "--to-revisions" in step["script"]] == ["settle"]
    assert "--no-traffic" in next(step["script"] for step in STEPS if step["id"] == "site")


def test_every_substitution_is_declared_and_told_by_the_trigger(prod: Graph) -> None:
    used = {name for step in STEPS for name in re.findall(r"\$\{?(_[A-Z_]+)", step["script"])}
    declared = set(BUILD["substitutions"])
    told = set(substitutions(StackConfig(project="some-project", region="us-central1"), "https://x"))
    assert used == declared == told == set(prod.of("cloudbuild:Trigger")[0].inputs["substitutions"])
    assert set(re.findall(r"_[A-Z_]+(?==)", (ROOT / "scripts" / "deploy").read_text())) >= told


def test_builtin_names_are_those_of_cloud_build() -> None:
    used = {name for step in STEPS for name in re.findall(r"\$\{?([A-Z][A-Z_]+)", step["script"])}
    assert used == OF_CLOUD_BUILD
    assert BUILD["options"]["automapSubstitutions"] is True


def test_a_build_with_an_account_of_its_own_logs_where_it_may() -> None:
    assert BUILD["options"]["logging"] == "CLOUD_LOGGING_ONLY"


def test_the_trigger_names_this_file(prod: Graph) -> None:
    assert (ROOT / prod.of("cloudbuild:Trigger")[0].inputs["filename"]).exists()


def test_the_build_fits_its_schema() -> None:
    done = run([linter("check-jsonschema"), "--builtin-schema", "vendor.cloudbuild", str(ROOT / "cloudbuild.yaml")])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["id"])
def test_the_steps_scripts_are_sound(step: dict[str, Any], tmp_path: Path) -> None:
    (script := tmp_path / "step").write_text(step["script"], encoding="utf-8")
    done = run([linter("shellcheck"), str(script)])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_are_sound(script: str) -> None:
    done = run([linter("shellcheck"), str(ROOT / "scripts" / script)])
    assert done.returncode == 0, done.stdout


def test_the_migrations_are_safe_to_run_beside_the_old_site(tmp_path: Path) -> None:
    """As SQL, through squawk. The timeouts it asks for are set by `migrations/env.py` for the whole transaction."""
    tool = linter("squawk")
    config = Config(toml_file=str(ROOT / "pyproject.toml"))
    with (sql := tmp_path / "migrations.sql").open("w", encoding="utf-8") as out:
        config.output_buffer = out
        command.upgrade(config, "head", sql=True)
    assert "CREATE TABLE" in sql.read_text(encoding="utf-8")
    taste = "prefer-bigint-over-int,prefer-text-field,require-lock-timeout,require-statement-timeout"
    done = run([tool, f"--exclude={taste}", str(sql)])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("image", IMAGES)
def test_the_recipe_is_sound(image: str) -> None:
    done = run([linter("hadolint"), str(ROOT / image / "Dockerfile")])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_runs_as_nobody_and_installs_by_hash(image: str) -> None:
    lines = recipe(image)
    assert "USER 10001:10001" in lines
    assert lines.index("USER 10001:10001") < next(i for i, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
    [install] = [line for line in lines if "uv pip install" in line]
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(install.split())
    for lock in re.findall(r"-r /requirements/(\S+)", install):
        assert (ROOT / "requirements" / lock).exists()
    assert "pulumi" not in install


@pytest.mark.parametrize("image", IMAGES)
def test_what_the_recipe_copies_is_there_and_not_ignored(image: str) -> None:
    let_in = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for line in recipe(image):
        if line.startswith("COPY"):
            source = line.split()[-2]
            assert (ROOT / source).exists()
            assert source in let_in, f".dockerignore keeps {source} out"


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_can_lay_out_text(image: str) -> None:
    """Pillow's wheel loads FriBiDi and does not bring it; the first image built without it drew no slide."""
    assert any("apt-get install" in line and "libfribidi0" in line for line in recipe(image))


def test_the_packages_come_before_the_code() -> None:
    for image in IMAGES:
        lines = recipe(image)
        installed = next(i for i, line in enumerate(lines) if "uv pip install" in line)
        assert all(i > installed for i, line in enumerate(lines) if line.startswith("COPY"))


def test_the_migration_finds_its_files_in_the_image() -> None:
    copied = {line.split()[-2] for line in recipe("service") if line.startswith("COPY")}
    assert {"pyproject.toml", "migrations", "templates", "service", "renderer_job"} <= copied


def test_every_command_of_a_container_exists(prod: Graph) -> None:
    entry = {image: next(line for line in recipe(image) if line.startswith("ENTRYPOINT")) for image in IMAGES}
    assert '"service"' in entry["service"]
    assert '"renderer_job"' in entry["renderer_job"]
    for node, _, container in containers(prod):
        if node.name in ("author", "migrate"):
            assert container["args"][0] in COMMANDS
    assert 'CMD ["serve", "--port", "8080", "--bind", "0.0.0.0"]' in recipe("service")
    assert "serve" in COMMANDS
    render = next(container for node, _, container in containers(prod) if node.name == "render")
    assert render["args"] == ["work"]
