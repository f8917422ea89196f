"""A release from its first step to its last, by its own scripts: what moves, and what goes back when a step fails."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from infra.compute import RELEASED_TAGS
from service.db import trials
from service.db.invitations import hash_secret
from tests.infra.test_delivery import BUILD, STEPS

REGISTRY = BUILD["substitutions"]["_REGISTRY"]
NEW = "c0ffee1-01234567"
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

    def __init__(self, folder: Path, before: str) -> None:
        self.workspace, self.log = folder / "workspace", folder / "log"
        self.bin = folder / "bin"
        (folder / "source" / "scripts").mkdir(parents=True)
        self.source = folder / "source"
        self.workspace.mkdir()
        self.bin.mkdir()
        self.log.touch()
        (self.source / "scripts" / "smoke").write_text(SMOKE)
        (folder / "before.json").write_text(before)
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
            done = subprocess.run(
                [str(script)], cwd=self.source, env=self.environment | environment, capture_output=True, check=False
            )
            if done.returncode and not step.get("allowFailure"):
                return False, self.calls
        return True, self.calls

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@dataclass(frozen=True)
class Ran:
    """What came of one run of the build: whether it succeeded, its calls, and what the smoke was invited by."""

    good: bool
    calls: list[str]
    invitations: list[str]


Runs = Callable[..., Ran]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs the build; once for each way in which it can go, since a build starts a hundred programs."""

    @cache
    def run_so(before: str = SERVING, **environment: str) -> Ran:
        release = Release(tmp_path_factory.mktemp("release"), before)
        good, calls = release.run(**environment)
        invitations = Path(f"{release.log}.invitation")
        return Ran(good, calls, invitations.read_text().splitlines() if invitations.exists() else [])

    return run_so


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


def test_a_good_release_moves_traffic_after_the_smoke(ran: Runs) -> None:
    release = ran()
    assert release.good
    smoked = release.calls.index("smoke https://candidate.test --origin https://site.example")
    assert release.calls.index(TO_NEW) > smoked
    assert release.calls.index("gcloud run jobs execute migrate --region us-central1 --wait") < smoked
    assert any(f"--image {REGISTRY}/site:{NEW}" in call for call in release.calls)
    assert TO_OLD not in release.calls
    assert not set(LANES_BACK) & set(release.calls)


def test_what_serves_and_what_served_are_tagged_when_the_release_stands(ran: Runs) -> None:
    """The registry keeps by these tags, so they must be the ones that its policy names."""
    release = ran()
    for image in ("site", "render"):
        moved = [pair for pair in tagged(release.calls) if pair[1].startswith(f"{image}:")]
        assert moved == [(f"{image}:1", f"{image}:previous"), (f"{image}:{NEW}", f"{image}:live")]
    assert {new.partition(":")[2] for _, new in tagged(release.calls)} == set(RELEASED_TAGS)
    assert release.calls.index(TO_NEW) < min(i for i, call in enumerate(release.calls) if "tags add" in call)


def test_the_first_release_has_nothing_to_go_back_to(ran: Runs) -> None:
    release = ran(SERVED="us-docker.pkg.dev/cloudrun/container")
    assert release.good
    assert tagged(release.calls) == [(f"site:{NEW}", "site:live"), (f"render:{NEW}", "render:live")]


def test_a_first_release_that_fails_goes_back_to_the_image_it_found(ran: Runs) -> None:
    release = ran(SERVED="us-docker.pkg.dev/cloudrun/container", SMOKE_FAILS="candidate")
    assert not release.good
    assert (
        "gcloud run jobs update author --region us-central1 --image us-docker.pkg.dev/cloudrun/container/site:1"
        in release.calls
    )


@pytest.mark.parametrize(("fails", "good"), [("candidate", False), ("never", True)])
def test_the_version_that_serves_counts_whatever_the_lanes_were_left_with(ran: Runs, fails: str, good: bool) -> None:
    """By a release that was canceled, or by one that somebody rolled back: neither is what to go back to."""
    release = ran(LANES="2", SMOKE_FAILS=fails)
    assert release.good is good
    assert not any(call.endswith((":2", ":live")) for call in release.calls if "jobs update" in call)
    assert (set(LANES_BACK) <= set(release.calls)) is not good
    assert (("site:1", "site:previous") in tagged(release.calls)) is good


def test_a_release_that_failed_tags_nothing(ran: Runs) -> None:
    assert tagged(ran(SMOKE_FAILS="candidate").calls) == []
    assert tagged(ran(SMOKE_FAILS="--doors").calls) == []


def test_a_tag_that_cannot_be_set_does_not_undo_the_release(ran: Runs) -> None:
    release = ran(FAILING="site:previous")
    assert release.good
    assert TO_OLD not in release.calls
    assert ("render:1", "render:previous") in tagged(release.calls)


def test_the_smoke_is_invited_and_the_cloud_is_told_the_hash_alone(ran: Runs) -> None:
    release = ran()
    secret, *_ = release.invitations
    assert re.fullmatch("[0-9a-f]{64}", secret)
    [invited] = [call for call in release.calls if "--args=admin,invite," in call]
    assert invited.endswith(
        f"--args=admin,invite,smoke-{NEW}@example.invalid,--role,instructor,--trial,--secret-hash,{hash_secret(secret)}"
    )
    assert not any(secret in call for call in release.calls)


def test_what_a_canceled_build_left_is_known_again_once_no_build_can_be_at_work(ran: Runs) -> None:
    [invited] = [call for call in ran().calls if "--args=admin,invite," in call]
    email = invited.partition("admin,invite,")[2].partition(",")[0]
    trials.refuse_other_address(email)
    assert BUILD["timeout"] == f"{trials.OVER_AFTER.total_seconds():.0f}s"


def test_without_an_invitation_nothing_is_released_on_the_doors_alone(ran: Runs) -> None:
    release = ran(FAILING="--args=admin,invite")
    assert not release.good
    assert not any(call.startswith("smoke") for call in release.calls)
    assert TO_OLD in release.calls


def test_a_failed_smoke_gives_everything_back_and_fails(ran: Runs) -> None:
    release = ran(SMOKE_FAILS="candidate")
    assert not release.good
    assert TO_NEW not in release.calls
    assert TO_OLD in release.calls
    assert set(LANES_BACK) <= set(release.calls)


def test_a_site_that_fails_under_traffic_is_taken_back(ran: Runs) -> None:
    release = ran(SMOKE_FAILS="--doors")
    assert not release.good
    assert release.calls.index(TO_NEW) < release.calls.index(TO_OLD)
    assert set(LANES_BACK) <= set(release.calls)


def test_a_revision_that_never_becomes_ready_gives_the_lanes_back(ran: Runs) -> None:
    release = ran(FAILING="services_update_site")
    assert not release.good
    assert not any(call.startswith("smoke") for call in release.calls)
    assert set(LANES_BACK) <= set(release.calls)


def test_lanes_that_cannot_be_updated_stop_the_release_before_the_site(ran: Runs) -> None:
    release = ran(FAILING="jobs_update_render_--region_us-central1_--image_us-")
    assert not release.good
    assert not any("--no-traffic" in call for call in release.calls)
    assert set(LANES_BACK) <= set(release.calls)


def test_what_cannot_be_given_back_does_not_keep_the_rest(ran: Runs) -> None:
    release = ran(SMOKE_FAILS="candidate", FAILING="--to-revisions_site-1 images/site:1")
    assert not release.good
    assert {TO_OLD, LANES_BACK[1]} <= set(release.calls)


def test_a_failed_migration_ends_the_release_with_nothing_changed(ran: Runs) -> None:
    release = ran(FAILING="execute_migrate")
    assert not release.good
    assert not any(
        "update author" in call or "update site" in call or "update-traffic" in call for call in release.calls
    )


def test_a_release_does_not_start_on_split_traffic(ran: Runs) -> None:
    release = ran(SERVING.replace("100", "50"))
    assert not release.good
    assert not any("migrate" in call for call in release.calls)
