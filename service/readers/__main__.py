"""The jail's child: reads one document from standard input under limits that it sets on itself first.

The argument is JSON: the document's name and the limits. Standard output gets one JSON object: `source`, or `refused`
with the sentence for the person who sent the file. Nothing of the parsers is imported before the limits hold.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import fields

from service.errors import BadInput
from service.readers.limits import Limits

# Python may write compiled modules on its first run; nothing else is ever written.
_LARGEST_WRITE = 8_000_000


def main() -> None:
    order = json.loads(sys.argv[1])
    name = order.pop("name")
    limits = Limits(**{field.name: order[field.name] for field in fields(Limits)})
    confine(limits)
    answer: dict[str, object]
    try:
        from service.readers.reading import read_bytes

        source = read_bytes(sys.stdin.buffer.read(limits.file_bytes + 1), name, limits)
        answer = {"source": source.model_dump(mode="json")}
    except BadInput as refusal:
        answer = {"refused": str(refusal)}
    except MemoryError:
        answer = {"refused": f"“{name}” needs too much memory to be read. Split it, or save it without pictures."}
    json.dump(answer, sys.stdout, ensure_ascii=True)


def confine(limits: Limits) -> None:
    """Limits that the kernel keeps; lowering them needs no rights and cannot be undone.

    The processor's hard limit is a second later than the soft one, which says by its signal what it was.
    """
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        (resource.RLIMIT_NOFILE, 64, 64),
        (resource.RLIMIT_FSIZE, _LARGEST_WRITE, _LARGEST_WRITE),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    main()
