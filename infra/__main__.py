"""The door for `pulumi up`: put the repository's root on the import path, build the stack, export what it says.

The engine runs this file with `infra/` alone on the path and as working directory, so the package is found by place.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from infra.stack import build
from infra.stack_config import load_config

for name, value in build(load_config(refuse_placeholders=not pulumi.runtime.is_dry_run())).items():
    pulumi.export(name, value)
