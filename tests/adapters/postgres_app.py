"""An app that owns an embedded PostgreSQL and can be killed: `python -m tests.adapters.postgres_app DATA_DIR`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from service.adapters.embedded_postgres import EmbeddedPostgres
from service.errors import BadInput


def main() -> int:
    try:
        with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as server:
            print(server.pid, server.url, flush=True)
            time.sleep(3600)
    except BadInput as error:
        print(f"refused {error}", flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
