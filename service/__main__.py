"""The command line: one door to the site, the workers, and the headless tools.

Every command lives in `service/commands/`; only the one that is asked for is imported, so `--help` is quick.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from service.errors import BadInput, CoursewrightError

COMMANDS = {
    "serve": "the site, with its database and workers on a laptop",
    "work": "the author lane: reads, plans and writes until nothing is left",
    "quote": "what a course from documents will cost, before anything is bought",
    "build": "documents to a complete course folder, without the site",
    "export": "a course of this installation as such a folder",
    "check": "the quality report of a course folder",
    "migrate": "bring the database to the newest schema",
    "reindex": "embed and index a course's passages anew",
    "admin": "invite people, look after work that stopped",
    "doctor": "what works here, what is missing, and how to get it",
}

USAGE = "usage: coursewright COMMAND [options]\n\n" + "\n".join(
    f"  {name:<9} {what}" for name, what in COMMANDS.items()
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 the input cannot be used, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(f"{USAGE}\n\ncoursewright COMMAND --help tells its options.")
        return 0 if arguments else 2
    name = arguments[0]
    if name not in COMMANDS:
        print(f"coursewright: unknown command {name}; choose one of {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    try:
        command = importlib.import_module(f"service.commands.{name}")
        return int(command.main(arguments[1:]))
    except BadInput as error:
        print(f"coursewright {name}: {error}", file=sys.stderr)
        return 2
    except CoursewrightError as error:
        print(f"coursewright {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"coursewright {name}: interrupted; running it again continues.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
