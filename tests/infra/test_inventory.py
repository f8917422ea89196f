"""What each committed stack consists of, written down: a change of the stack is a change of these files.

`python -m tests.infra.inventory` writes them anew; read the difference before committing it.
"""

from __future__ import annotations

import pytest
import yaml

from tests.infra.conftest import variant
from tests.infra.inventory import FOLDER, taken


@pytest.mark.parametrize("stack", ["prod", "dev"])
@pytest.mark.parametrize("preview", [False, True])
def test_the_stack_is_what_was_written_down(stack: str, preview: bool) -> None:
    written = yaml.safe_load((FOLDER / f"{stack}.yaml").read_text(encoding="utf-8"))
    assert taken(variant(stack, preview)) == written
