"""A setting that cannot be used is refused at the door, by its name and in one line, before anything is opened."""

from __future__ import annotations

import pytest

from service.errors import BadInput
from service.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("queue_url", "kafka://x", "one of postgres, pubsub."),
        ("jobs_url", "cloudrun://[bad/x", "Invalid IPv6 URL"),
        ("media_url", "http://films", "one of gs."),
        ("lease_seconds", "inf", "finite number"),
        ("task_timeout_seconds", "nan", "finite number"),
        ("site_month_usd", "lots", "decimal"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name.upper(), value)
    with pytest.raises(BadInput) as refused:
        load_settings()
    told = str(refused.value)
    assert told.startswith(f"{name.upper()}: ")
    assert said in told
    assert "\n" not in told
