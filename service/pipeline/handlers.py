"""Which step does which kind of job. Apart from the package, so that the site does not load readers and authors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.db.lane import Task
from service.pipeline.ingest import embed_passages, ingest_source
from service.pipeline.plan import plan_course
from service.pipeline.repair import repair_course
from service.pipeline.revise import revise_lesson
from service.pipeline.write import write_lesson
from service.ports import Services

HANDLERS: Mapping[str, Callable[[Services, Task], None]] = {
    "ingest": ingest_source,
    "embed": embed_passages,
    "plan": plan_course,
    "write": write_lesson,
    "revise": revise_lesson,
    "repair": repair_course,
}
