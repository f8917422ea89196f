"""The scripts that an operator runs, against programs that only write down what they were asked."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.stack import INVITE_COMMAND
from service.db.invitations import hash_secret
from service.settings import ROOT

FAKE = """#!/bin/sh
echo "{name} $*" >>"$LOG"
case "{name} $*" in
  "gcloud auth list"*) echo someone@courses.test ;;
  "gcloud billing projects describe"*) echo "${{BILLING:-True}}" ;;
  "pulumi config get --stack prod gcp:project"*) echo courses-test ;;
  "pulumi config get --stack prod gcp:region"*) echo us-central1 ;;
  "gcloud run jobs execute"*) exit "${{EXECUTION:-0}}" ;;
  "pulumi config get"*) exit "${{UNSET:-0}}" ;;
  "pulumi stack output --stack prod builder") [ -z "${{UNREAD:-}}" ] || exit 1; echo builder@courses.test ;;
  "pulumi stack output --stack prod site_url") echo https://site.test ;;
  "pulumi stack output"*) echo something ;;
  "gcloud builds submit"*) exit "${{BUILD:-0}}" ;;
esac
"""
PYTHON = """#!/bin/sh
echo "python $*" >>"$LOG"
case "$*" in
  "-m infra.stack_file"*) [ -z "${REFUSED:-}" ] || exit 2; printf '%s\\n' cookieKeys mailUrl openaiKey githubToken ;;
esac
"""
STACK = (
    (ROOT / "Pulumi.prod.yaml")
    .read_text(encoding="utf-8")
    .replace("replace-me-prod", "courses-test")
    .replace("replace-me", "someone")
    .replace("000000-000000-000000", "01AB23-01AB23-01AB23")
    .replace("alerts@example.com", "alerts@courses.test")
    .replace("installation_id: 1", "installation_id: 51234567")
)


class Desk:
    """A checkout with fake programs on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.bin = folder, folder / "log", folder / "bin"
        self.log.touch()
        self.bin.mkdir()
        for name in ("deploy", "destroy", "invite"):
            self._program(f"scripts/{name}", (ROOT / "scripts" / name).read_text(encoding="utf-8"))
        self._program("scripts/smoke", '#!/bin/sh\necho "smoke $*" >>"$LOG"\n')
        self._program("infra/.venv/bin/python", PYTHON)
        for name in ("gcloud", "pulumi"):
            self._program(f"bin/{name}", FAKE.format(name=name))
        (self.bin / "python3").symlink_to(sys.executable)
        self.stack(STACK)

    def stack(self, text: str) -> None:
        (self.folder / "Pulumi.prod.yaml").write_text(text, encoding="utf-8")

    def _program(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, script: str, *options: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "scripts" / script), *options],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": f"{self.bin}:/usr/bin:/bin", "LOG": str(self.log), "HOME": str(self.folder)} | environment,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def at(self, start: str) -> int:
        return next(i for i, call in enumerate(self.calls) if call.startswith(start))

    def called(self, start: str) -> bool:
        return any(call.startswith(start) for call in self.calls)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_estimate_is_seen_before_anything_is_made(desk: Desk) -> None:
    done = desk.run("deploy", typed="y\n")
    assert done.returncode == 0, done.stderr
    assert (
        desk.at("python -m infra.cost prod") < desk.at("pulumi up") < desk.at("gcloud builds submit") < desk.at("smoke")
    )
    assert "--refresh" in desk.calls[desk.at("pulumi up")]
    assert "_SITE_URL=https://site.test" in desk.calls[desk.at("gcloud builds submit")]


def test_who_does_not_say_yes_makes_nothing(desk: Desk) -> None:
    done = desk.run("deploy", typed="\n")
    assert done.returncode == 2
    assert not desk.called("pulumi up")


def test_placeholders_are_refused_before_anything_is_asked(desk: Desk) -> None:
    desk.stack((ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    done = desk.run("deploy", "--yes")
    assert done.returncode == 2
    assert "replace-me" in done.stderr
    assert desk.calls == []


@pytest.mark.parametrize("left", ["installation_id: 1", "billing_account: 000000-000000-000000"])
def test_a_single_placeholder_is_refused(desk: Desk, left: str) -> None:
    desk.stack(STACK.replace("installation_id: 51234567", left))
    done = desk.run("deploy", "--yes")
    assert (done.returncode, left in done.stderr, desk.calls) == (2, True, [])


def test_a_configuration_that_cannot_work_is_refused_before_secrets_are_asked_for(desk: Desk) -> None:
    done = desk.run("deploy", "--yes", UNSET="1", REFUSED="1")
    assert done.returncode == 2
    assert "Pulumi.prod.yaml cannot be used" in done.stderr
    assert not any("--secret" in call for call in desk.calls)
    assert not desk.called("pulumi up")


def test_a_missing_tool_is_named_with_the_way_to_get_it(desk: Desk) -> None:
    (desk.bin / "pulumi").unlink()
    done = desk.run("deploy")
    assert done.returncode == 2
    assert "pulumi is needed and was not found. Install Pulumi" in done.stderr


def test_a_project_without_billing_is_refused_with_the_command(desk: Desk) -> None:
    done = desk.run("deploy", "--yes", BILLING="False")
    assert done.returncode == 2
    assert "gcloud billing projects link courses-test" in done.stderr
    assert not desk.called("pulumi up")


def test_missing_secrets_are_drawn_or_asked_for_and_never_seen_in_a_command(desk: Desk) -> None:
    done = desk.run("deploy", "--yes", typed="smtps://u:hush@mail.test\nsk-hush\nghp-hush\n", UNSET="1")
    assert done.returncode == 0, done.stderr
    kept = [call.rpartition(" ")[2] for call in desk.calls if " --secret " in call]
    assert kept == [f"coursewright:{key}" for key in ("cookieKeys", "mailUrl", "openaiKey", "githubToken")]
    assert not [call for call in desk.calls if "hush" in call]


def test_a_failed_release_is_a_failed_deploy(desk: Desk) -> None:
    done = desk.run("deploy", "--yes", BUILD="1")
    assert done.returncode == 2
    assert "the release failed" in done.stderr
    assert not desk.called("smoke")


def test_a_release_alone_changes_no_infrastructure(desk: Desk) -> None:
    done = desk.run("deploy", "--release")
    assert done.returncode == 0, done.stderr
    assert desk.called("gcloud builds submit")
    assert not desk.called("pulumi up")


def test_a_release_of_a_stack_that_cannot_be_read_builds_nothing(desk: Desk) -> None:
    done = desk.run("deploy", "--release", UNREAD="1")
    assert done.returncode == 2
    assert "pulumi login" in done.stderr
    assert not desk.called("gcloud builds")


@pytest.mark.parametrize("typed", ["", "y\n", "courses\n", "courses-test-2\n"])
def test_destroying_needs_the_whole_name(desk: Desk, typed: str) -> None:
    done = desk.run("destroy", typed=typed)
    assert done.returncode != 0
    assert not desk.called("pulumi destroy")
    assert not desk.called("pulumi up")


def test_destroying_lifts_the_protections_first(desk: Desk) -> None:
    done = desk.run("destroy", typed="courses-test\n")
    assert done.returncode == 0, done.stderr
    lifted = desk.at("pulumi config set --stack prod --path coursewright:protect false")
    assert lifted < desk.at("pulumi up") < desk.at("pulumi destroy")


def test_an_invitations_secret_is_printed_here_and_only_its_hash_leaves(desk: Desk) -> None:
    done = desk.run("invite", "--role", "admin", "ada@example.org")
    assert done.returncode == 0, done.stderr
    secret = re.fullmatch(r"https://site\.test/sign-up\?invitation=([0-9a-f]{64})\n", done.stdout)
    assert secret, done.stdout
    [call] = [call for call in desk.calls if call.startswith("gcloud")]
    assert call == (
        "gcloud run jobs execute migrate --project courses-test --region us-central1 --wait"
        f" --args=admin,invite,ada@example.org,--role,admin,--secret-hash,{hash_secret(secret[1])}"
    )
    assert secret[1] not in call


def test_no_link_is_printed_for_an_invitation_that_was_not_kept(desk: Desk) -> None:
    done = desk.run("invite", "ada@example.org", EXECUTION="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "was not kept" in done.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("ada",), ("a,admin@x.org",), ("a@x.org", "b@x.org"), ("--role", "king", "a@x.org")]
)
def test_what_cannot_be_invited_is_refused_before_anything_is_called(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run("invite", *arguments).returncode == 2
    assert desk.calls == []


def test_the_invitation_command_is_the_script_that_exists() -> None:
    script, *_ = INVITE_COMMAND.split()
    assert (ROOT / script).stat().st_mode & stat.S_IXUSR
