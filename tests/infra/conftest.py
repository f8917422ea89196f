"""Each stack is synthesized once a session: loading the provider's modules is what takes the time."""

from __future__ import annotations

from functools import cache

import pytest

from tests.infra.graph import Graph, synthesize

# Every branch of the program is in at least one of these.
VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    "prod": ("prod", {}),
    "dev": ("dev", {}),
    "public media, own domain": (
        "dev",
        {"coursewright:media": {"access": "public"}, "coursewright:site": {"domain": "courses.test"}},
    ),
    "CDN, replicas, Qdrant": (
        "prod",
        {
            "coursewright:media": {"access": "cdn", "domain": "media.test"},
            "coursewright:database": {
                "tier": "db-custom-2-7680",
                "availability": "regional",
                "point_in_time_recovery": True,
                "read_replicas": 1,
            },
            "coursewright:models": {"llm": "openai:gpt-4o-mini", "vectors_url": "https://qdrant.test:6333"},
        },
    ),
    "first generation, GitHub Actions": (
        "prod",
        {
            "coursewright:delivery": {
                "repository": "someone/courses",
                "connection": "first-generation",
                "github_actions": True,
            }
        },
    ),
}


@cache
def variant(name: str, preview: bool) -> Graph:
    stack, over = VARIANTS[name]
    return synthesize(stack, preview=preview, over=over)


@pytest.fixture
def prod() -> Graph:
    return variant("prod", False)
