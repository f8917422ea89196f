"""What is wrong with an installation is said when it starts, and not when a person needs the part."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import BadInput
from service.settings import Settings
from service.wiring import open_services


def test_a_data_folder_that_cannot_be_written_is_refused_whatever_the_database(
    settings: Settings, database: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "file" / "data", "database_url": database})
    with pytest.raises(BadInput, match="cannot be written: Not a directory"), open_services(elsewhere):
        pass
