"""The way from a push to a release: the build's steps, the images' recipes, and what happens when the smoke fails."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic import command
from alembic.config import Config

from infra.compute import RELEASED_TAGS
from infra.delivery import substitutions
from infra.stack_config import StackConfig
from service.__main__ import COMMANDS
from service.db.invitations import hash_secret
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


GCLOUD = """#!/bin/sh
echo "gcloud $*" >>"$LOG"
case "$*" in
  "run jobs describe author"*) echo "$SERVED/site:$LANES" ;;
  "run jobs describe render"*) echo "$SERVED/render:$LANES" ;;
  "run revisions describe site-1"*) echo "$SERVED/site:1" ;;
  "run services describe"*)
    if [ -e "$WORKSPACE/lanes.done" ]; then cat "$AFTER"; else cat "$BEFORE"; fi ;;
esac
for failing in $FAILING; do case "$(echo "$*" | tr ' ' '_')" in *"$failing"*) exit 1 ;; esac; done
exit 0
"""
SMOKE = """import os, sys
open(os.environ["LOG"], "a").write("smoke " + " ".join(sys.argv[1:]) + "\\n")
open(os.environ["LOG"] + ".invitation", "a").write(os.environ.get("SMOKE_INVITATION", "") + "\\n")
sys.exit(any(one in " ".join(sys.argv) for one in os.environ["SMOKE_FAILS"].split()))
"""
SERVING = '{"status": {"traffic": [{"revisionName": "site-1", "percent": 100}]}}'
TRIED = (
    '{"status": {"traffic": [{"revisionName": "site-1", "percent": 100},'
    ' {"revisionName": "site-2", "tag": "candidate", "url": "https://candidate.test"}]}}'
)


class Release:
    """Runs the build's own scripts, one step after the other, against programs that only write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.log = folder / "workspace", folder / "log"
        self.bin = folder / "bin"
        (folder / "source" / "scripts").mkdir(parents=True)
        self.source = folder / "source"
        self.workspace.mkdir()
        self.bin.mkdir()
        self.log.touch()
        (self.source / "scripts" / "smoke").write_text(SMOKE)
        (folder / "before.json").write_text(SERVING)
        (folder / "after.json").write_text(TRIED)
        self._program("gcloud", GCLOUD)
        self._program("docker", '#!/bin/sh\necho "docker $*" >>"$LOG"\n')
        (self.bin / "python3").symlink_to(sys.executable)
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "LOG": str(self.log),
            "WORKSPACE": str(self.workspace),
            "BEFORE": str(folder / "before.json"),
            "AFTER": str(folder / "after.json"),
            "BUILD_ID": "0123456789abcdef",
            "SHORT_SHA": "c0ffee1",
            "FAILING": "",
            "SERVED": REGISTRY,
            "LANES": "1",
            "SMOKE_FAILS": "never",
            **{key: str(value) for key, value in BUILD["substitutions"].items()},
        }

    def _program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, **environment: str) -> tuple[bool, list[str]]:
        """Whether the build succeeded, and every call it made."""
        for step in STEPS:
            script = self.source / "step"
            script.write_text(step["script"].replace("/workspace", str(self.workspace)))
            script.chmod(0o755)
            done = run([str(script)], cwd=self.source, env=self.environment | environment)
            if done.returncode and not step.get("allowFailure"):
                return False, self.calls
        return True, self.calls

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path)


REGISTRY = BUILD["substitutions"]["_REGISTRY"]
NEW = "c0ffee1-01234567"
TO_NEW = "gcloud run services update-traffic site --region us-central1 --to-revisions site-2=100"
TO_OLD = "gcloud run services update-traffic site --region us-central1 --to-revisions site-1=100"
LANES_BACK = [
    f"gcloud run jobs update author --region us-central1 --image {REGISTRY}/site:1",
    f"gcloud run jobs update render --region us-central1 --image {REGISTRY}/render:1",
]


def tagged(calls: list[str]) -> list[tuple[str, str]]:
    """The tags that the release set, in order: from which, to which."""
    found = [call.split()[-2:] for call in calls if call.startswith("gcloud artifacts docker tags add")]
    return [(old.removeprefix(f"{REGISTRY}/"), new.removeprefix(f"{REGISTRY}/")) for old, new in found]


def test_a_good_release_moves_traffic_after_the_smoke(release: Release) -> None:
    good, calls = release.run()
    assert good
    smoked = calls.index("smoke https://candidate.test --origin https://site.example")
    assert calls.index(TO_NEW) > smoked
    assert calls.index("gcloud run jobs execute migrate --region us-central1 --wait") < smoked
    assert any(f"--image {REGISTRY}/site:{NEW}" in call for call in calls)
    assert TO_OLD not in calls
    assert not set(LANES_BACK) & set(calls)


def test_what_serves_and_what_served_are_tagged_when_the_release_stands(release: Release) -> None:
    """The registry keeps by these tags, so they must be the ones that its policy names."""
    _, calls = release.run()
    for image in ("site", "render"):
        moved = [pair for pair in tagged(calls) if pair[1].startswith(f"{image}:")]
        assert moved == [(f"{image}:1", f"{image}:previous"), (f"{image}:{NEW}", f"{image}:live")]
    assert {new.partition(":")[2] for _, new in tagged(calls)} == set(RELEASED_TAGS)
    assert calls.index(TO_NEW) < min(i for i, call in enumerate(calls) if "tags add" in call)


def test_the_first_release_has_nothing_to_go_back_to(release: Release) -> None:
    good, calls = release.run(SERVED="us-docker.pkg.dev/cloudrun/container")
    assert good
    assert tagged(calls) == [(f"site:{NEW}", "site:live"), (f"render:{NEW}", "render:live")]


def test_a_first_release_that_fails_goes_back_to_the_image_it_found(release: Release) -> None:
    good, calls = release.run(SERVED="us-docker.pkg.dev/cloudrun/container", SMOKE_FAILS="candidate")
    assert not good
    assert (
        "gcloud run jobs update author --region us-central1 --image us-docker.pkg.dev/cloudrun/container/site:1"
        in calls
    )


def test_the_version_that_serves_counts_whatever_the_lanes_were_left_with(tmp_path: Path) -> None:
    """By a release that was canceled, or by one that somebody rolled back: neither is what to go back to."""
    for name, fails in (("bad", "candidate"), ("good", "never")):
        (folder := tmp_path / name).mkdir()
        good, calls = Release(folder).run(LANES="2", SMOKE_FAILS=fails)
        assert good is (name == "good")
        assert not any(call.endswith((":2", ":live")) for call in calls if "jobs update" in call)
        assert (set(LANES_BACK) <= set(calls)) is not good
        assert (("site:1", "site:previous") in tagged(calls)) is good


def test_a_release_that_failed_tags_nothing(release: Release) -> None:
    assert tagged(release.run(SMOKE_FAILS="candidate")[1]) == []
    assert tagged(release.run(SMOKE_FAILS="--doors")[1]) == []


def test_a_tag_that_cannot_be_set_does_not_undo_the_release(release: Release) -> None:
    good, calls = release.run(FAILING="site:previous")
    assert good
    assert TO_OLD not in calls
    assert ("render:1", "render:previous") in tagged(calls)


def test_the_smoke_is_invited_and_the_cloud_is_told_the_hash_alone(release: Release) -> None:
    _, calls = release.run()
    secret = Path(f"{release.log}.invitation").read_text().splitlines()[0]
    assert re.fullmatch("[0-9a-f]{64}", secret)
    [invited] = [call for call in calls if "--args=admin,invite," in call]
    assert invited.endswith(
        f"--args=admin,invite,smoke-{NEW}@example.invalid,--role,instructor,--secret-hash,{hash_secret(secret)}"
    )
    assert not any(secret in call for call in calls)


def test_without_an_invitation_nothing_is_released_on_the_doors_alone(release: Release) -> None:
    good, calls = release.run(FAILING="--args=admin,invite")
    assert not good
    assert not any(call.startswith("smoke") for call in calls)
    assert TO_OLD in calls


def test_a_failed_smoke_gives_everything_back_and_fails(release: Release) -> None:
    good, calls = release.run(SMOKE_FAILS="candidate")
    assert not good
    assert TO_NEW not in calls
    assert TO_OLD in calls
    assert set(LANES_BACK) <= set(calls)


def test_a_site_that_fails_under_traffic_is_taken_back(release: Release) -> None:
    good, calls = release.run(SMOKE_FAILS="--doors")
    assert not good
    assert calls.index(TO_NEW) < calls.index(TO_OLD)
    assert set(LANES_BACK) <= set(calls)


def test_a_revision_that_never_becomes_ready_gives_the_lanes_back(release: Release) -> None:
    good, calls = release.run(FAILING="services_update_site")
    assert not good
    assert not any(call.startswith("smoke") for call in calls)
    assert set(LANES_BACK) <= set(calls)


def test_lanes_that_cannot_be_updated_stop_the_release_before_the_site(release: Release) -> None:
    good, calls = release.run(FAILING="jobs_update_render_--region_us-central1_--image_us-")
    assert not good
    assert not any("--no-traffic" in call for call in calls)
    assert set(LANES_BACK) <= set(calls)


def test_what_cannot_be_given_back_does_not_keep_the_rest(release: Release) -> None:
    good, calls = release.run(SMOKE_FAILS="candidate", FAILING="--to-revisions_site-1 images/site:1")
    assert not good
    assert {TO_OLD, LANES_BACK[1]} <= set(calls)


def test_a_failed_migration_ends_the_release_with_nothing_changed(release: Release) -> None:
    good, calls = release.run(FAILING="execute_migrate")
    assert not good
    assert not any("update author" in call or "update site" in call or "update-traffic" in call for call in calls)


def test_a_release_does_not_start_on_split_traffic(release: Release, tmp_path: Path) -> None:
    (tmp_path / "before.json").write_text(SERVING.replace("100", "50"))
    good, calls = release.run()
    assert not good
    assert not any("migrate" in call for call in calls)
