"""The words that a slide shows, whatever its kind."""

from __future__ import annotations

from service.domain.storyboard import (
    BulletsScene,
    CodeScene,
    ComparisonScene,
    DefinitionScene,
    FigureScene,
    MapScene,
    ProcessScene,
    QuestionScene,
    QuoteScene,
    RecapScene,
    Scene,
    StepsScene,
    TableScene,
    WarningScene,
    WorkedScene,
)


def shown_text(scene: Scene) -> str:
    """All words on a slide but its title."""
    return " ".join((*lines_on(scene), *rows_on(scene)))


def lines_on(scene: Scene) -> tuple[str, ...]:
    """The lines of running text on a slide."""
    match scene:
        case BulletsScene() | StepsScene() | RecapScene():
            return scene.items
        case WorkedScene():
            return (scene.problem, *scene.items, *filter(None, (scene.answer,)))
        case DefinitionScene():
            return tuple(filter(None, (scene.text, scene.example)))
        case QuoteScene() | WarningScene():
            return (scene.text,)
        case FigureScene():
            return tuple(filter(None, (scene.figure, scene.text, scene.note)))
        case MapScene():
            return tuple(filter(None, (scene.text, *(" ".join(item) for item in scene.items))))
        case ProcessScene():
            return tuple(" ".join(item) for item in scene.items)
    return ()


def rows_on(scene: Scene) -> tuple[str, ...]:
    """The cells, options and code lines on a slide."""
    match scene:
        case TableScene():
            return tuple(" ".join(row) for row in (scene.header, *scene.rows))
        case ComparisonScene():
            return tuple(" ".join(row) for row in (scene.heads, *scene.rows))
        case CodeScene():
            return (*scene.lines, *scene.output)
        case QuestionScene():
            return (scene.text, *scene.options)
    return ()
