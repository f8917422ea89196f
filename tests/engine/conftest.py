"""What the engine's tests start from."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.engine.desk import Desk


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)
