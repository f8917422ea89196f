"""A stack's file read without an engine, by the same rules: for what must be known before anything can be made.

`python -m infra.stack_file STACK` prints the secrets that its configuration needs, one a line, for `scripts/deploy`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml  # type: ignore[import-untyped,unused-ignore]

from infra.stack_config import NAMESPACE, SECRET_KEYS, BadConfig, StackConfig, validated

FOLDER = Path(__file__).resolve().parent.parent


def of_stack(name: str, folder: Path = FOLDER) -> StackConfig:
    """The configuration of the folder's `Pulumi.<name>.yaml`.

    Raises:
        BadConfig: it cannot be used; the message says which key and how to set it.
    """
    given = yaml.safe_load((folder / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))["config"]
    own = {key.partition(":")[2]: value for key, value in given.items() if key.startswith(f"{NAMESPACE}:")}
    wanted = {key: value for key, value in own.items() if key not in SECRET_KEYS.values()}
    return validated({"project": given.get("gcp:project"), "region": given.get("gcp:region"), **wanted})


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Print the keys under which the stack's secrets are configured."""
    try:
        config = of_stack(arguments[0] if arguments else "prod", folder)
    except BadConfig as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{SECRET_KEYS[name]}\n" for name in config.secrets)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
