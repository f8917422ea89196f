"""Who writes a course."""

from __future__ import annotations

from service.authors import open_author
from service.db.tables import Course
from service.ports import Author, Services
from service.settings import Settings


def author_for(services: Services, course: Course) -> Author:
    """The author of the settings; the sample course is written without a model, free and alike on every machine."""
    if course.sample and services.author.name != "extractive":
        return open_author("offline")
    return services.author


def knows_topics(settings: Settings, course: Course) -> bool:
    """Whether the course's author can write about a title alone: one that asks a model."""
    return not settings_for(settings, course).model.startswith("offline")


def settings_for(settings: Settings, course: Course) -> Settings:
    """The settings that the course's price is quoted by."""
    return settings.model_copy(update={"llm": "offline"}) if course.sample else settings
