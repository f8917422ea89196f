"""The keys of a course's steps: equal for equal work, and written out once for all its lessons."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from pydantic import Field

from service.authors import open_author
from service.domain.course import Brief, CoursePlan, LessonPlan, ModulePlan
from service.pipeline.evidence import begun, key_after, key_of
from service.pipeline.write import Assignment
from tests.authors.texts import SourceBuilder, evidence


class Outline(CoursePlan):
    """An outline that counts how often it was written out."""

    times: list[str] = Field(default_factory=list, exclude=True)

    def model_dump(self, **how: Any) -> dict[str, Any]:
        self.times.append("written out")
        return super().model_dump(**how)


def outline(lessons: int) -> Outline:
    ids = [str(uuid.UUID(int=n)) for n in range(1, lessons + 1)]
    plans = tuple(LessonPlan(id=one, title=f"Lesson {one}", objectives=()) for one in ids)
    return Outline(title="Bees", summary="", modules=(ModulePlan(id="m", title="All", lessons=plans),))


def test_a_key_that_is_begun_and_ended_is_the_key_of_all_its_parts() -> None:
    brief, plan = Brief(audience="beekeepers"), outline(2)
    start = begun(brief, plan)
    assert key_after(start, "a", ["b"]) == key_of(brief, plan, "a", ["b"])
    assert key_after(start, "a", ["c"]) == key_of(brief, plan, "a", ["c"]), "a start serves more than one key"
    whole = json.dumps([brief.model_dump(mode="json"), plan.model_dump(mode="json"), "a", ["b"]], sort_keys=True)
    assert key_of(brief, plan, "a", ["b"]) == hashlib.sha256(whole.encode()).hexdigest(), "steps of before are found"
    assert key_of("a", "b") != key_of("ab") != key_of(["a", "b"])


def test_the_outline_is_written_out_once_for_the_keys_of_all_lessons() -> None:
    plan = outline(40)
    seen = evidence(SourceBuilder("Bees").para("A hive is a house for bees.").source())
    job = Assignment(open_author("offline"), Brief(), plan, "", 0, "", seen)
    keys = {job.key_in(lesson.id, step) for lesson in plan.lessons for step in ("write", "storyboard", "quiz")}
    assert len(keys) == 3 * 40
    assert len(plan.times) == 1
