"""A chat model for tests: answers each agent sensibly from the prompt's own evidence, over real HTTP, on this machine.

It is a mind for `tests/adapters/openai_server.py`: a whole course comes out of it, word for word from the passages, so
what our code makes of it can be checked. `mind.moods` are the next answers' faults; HTTP faults are the server's.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from pydantic import SecretStr

from service.adapters.provider import judge
from service.authors.agents.author import AgentAuthor
from service.authors.agents.calls import Call
from service.authors.agents.work import ChatModel
from tests.adapters.openai_server import ScriptedOpenAI, scripted_openai

MODEL = "gpt-4o-mini"
LETTERS = [
    first + second
    for first in ("north", "south", "inner", "outer", "upper", "lower")
    for second in ("leaf", "root", "stem", "seed", "bark", "twig", "bud", "cone")
]
PATH = "/v1/chat/completions"
_PASSAGE = re.compile(
    r'<passage id="(?P<id>P\d+)" heading="(?P<heading>[^"]*)" words="(?P<words>\d+)" mark="(?P<mark>\w+)">\n'
    r"(?P<text>.*?)\n</passage mark=(?P=mark)>",
    re.S,
)
_EXHIBIT = re.compile(r"\[exhibit (X\d+): \w+ [^\]]*\]\n.*?\n\[end \1\]", re.S)
_MARKED = r'<{tag} \w+="{kind}" mark="(?P<mark>\w+)">\n(?P<text>.*?)\n</{tag} mark=(?P=mark)>'
_WISH = re.compile(r"^The instructor's wish: (.+)$", re.M)
_CUE = re.compile(r"^cue ((?:\[S\d+\])*): (.+)$", re.M)
_SENTENCE = re.compile(r"^(?:\d+\. |- |\w[\w ]*: )?\[(S\d+)\] (.+)$", re.M)


@dataclass
class Mind:
    """What the server answers with, and how it fails at answering."""

    moods: list[str] = field(default_factory=list)
    never_satisfied: bool = False
    asked: list[str] = field(default_factory=list)

    def __call__(self, body: dict[str, Any]) -> tuple[str, bytes]:
        shape = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        self.asked.append(shape)
        message, finish = self._message(shape, body), "stop"
        mood = self.moods.pop(0) if self.moods else ""
        match mood:
            case "cut":
                message, finish = {"content": str(message.get("content"))[:40]}, "length"
            case "wrong shape":
                message = {"content": json.dumps({"lesson": 1})}
            case "no json":
                message = {"content": "Sure! Here is your course."}
            case "refusal":
                message = {"content": None, "refusal": "I cannot help with that."}
            case "filter":
                message, finish = {"content": ""}, "content_filter"
            case "empty":
                message = {"content": ""}
        if "tool_calls" in message:
            finish = "tool_calls"
        return "application/json", json.dumps(self._completion(body, message, finish)).encode()

    def _completion(self, body: dict[str, Any], message: dict[str, Any], finish: str) -> dict[str, Any]:
        read = sum(len(str(one.get("content"))) for one in body["messages"]) // 4
        written = len(str(message)) // 4
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini-2024-07-18" if body["model"] == MODEL else body["model"],
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}],
            "usage": {
                "prompt_tokens": read,
                "completion_tokens": written,
                "total_tokens": read + written,
                "prompt_tokens_details": {"cached_tokens": read // 2},
            },
        }

    def _message(self, shape: str, body: dict[str, Any]) -> dict[str, Any]:
        talk = [str(one.get("content") or "") for one in body["messages"] if one["role"] in ("user", "tool")]
        if shape == "FindingsShape":
            return self.research(body, talk)
        answers = {
            "OutlineShape": self.outline,
            "LessonTextShape": self.lesson_anew if "Revise the whole text" in talk[0] else self.lesson,
            "BlockRevisionShape": self.block_anew,
            "SceneRevisionShape": self.scene_anew,
            "StoryboardShape": self.storyboard,
            "QuizShape": self.quiz,
            "VerdictShape": self.review,
        }
        return {"content": json.dumps(answers[shape]("\n".join(talk)))}

    def outline(self, talk: str) -> dict[str, Any]:
        """A lesson for each document, cut where it grows too long; without documents two about the topic."""
        topic = re.search(r"Design the course “(.+?)” from what is generally known", talk)
        if topic:
            return self.topic_outline(topic[1])
        lessons: list[list[re.Match[str]]] = []
        for _, run in groupby(_PASSAGE.finditer(talk), key=lambda found: found["heading"].split(" › ")[0]):
            lessons.append([])
            words = 0
            for found in run:
                words += int(found["words"])
                if words > 1000 and lessons[-1]:
                    lessons.append([])
                    words = int(found["words"])
                lessons[-1].append(found)
        made = [
            {
                "title": f"{run[0]['heading'].split(' › ')[0]}" + (f" {n}" if n else ""),
                "objectives": [
                    {"text": f"Explain {run[0]['heading'].split(' › ')[-1]}", "bloom": "understand"},
                    {"text": f"Apply {run[-1]['heading'].split(' › ')[-1]}", "bloom": "apply"},
                ],
                "passages": [found["id"] for found in run],
            }
            for n, run in enumerate(lessons)
        ]
        modules = [{"title": "All of it", "lessons": made}]
        return {"title": "A course", "summary": "What the documents teach.", "modules": modules, "glossary": []}

    def research(self, body: dict[str, Any], talk: list[str]) -> dict[str, Any]:
        """One search for the lesson's title, then the passages that share a word with it."""
        title = re.search(r"The lesson “(.+?)”", talk[0])
        wanted = set(re.findall(r"\w{4,}", title[1].lower())) if title else set()
        results = [one for one in body["messages"] if one["role"] == "tool"]
        if not results and body.get("tools"):
            arguments = json.dumps({"query": title[1] if title else ""})
            call = {"name": body["tools"][0]["function"]["name"], "arguments": arguments}
            return {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        found = _PASSAGE.finditer("\n".join(str(one["content"]) for one in results))
        ids = [one["id"] for one in found if wanted & set(re.findall(r"\w{4,}", one[0].lower()))]
        return {"content": json.dumps({"passages": ids[:12], "note": "found"})}

    def lesson(self, talk: str) -> dict[str, Any]:
        """Every passage under its heading, sentence by sentence, exhibits where they stand."""
        topic = re.search(r"The lesson “(.+?)” of the course .+ in about (\d+) words", talk)
        if topic:
            return self.topic_lesson(topic[1], int(topic[2]))
        blocks: list[dict[str, Any]] = []
        for found in _PASSAGE.finditer(talk):
            blocks.append(block("heading", title=found["heading"].split(" › ")[-1]))
            told = _EXHIBIT.sub("\n", found["text"])
            sentences = [
                {"text": one.strip(), "passage": found["id"], "quote": one.strip()}
                for line in told.split("\n")
                for one in re.split(r"(?<=[.!?])\s+", line)
                if len(one.split()) > 2
            ]
            for start in range(0, len(sentences), 8):
                blocks.append(block("paragraph", sentences=sentences[start : start + 8]))
            blocks += [block("exhibit", exhibit=shown[1]) for shown in _EXHIBIT.finditer(found["text"])]
        if "(apply)" in talk:
            ask = {"text": "What would you do first?", "passage": "", "quote": ""}
            blocks.insert(len(blocks) - 1, block("exercise", title="Try it", sentences=[ask]))
        return {"blocks": blocks[:60]}

    def topic_outline(self, topic: str) -> dict[str, Any]:
        lessons = [
            {
                "title": f"{what} of {topic}",
                "objectives": [{"text": f"Explain the {what.lower()} of {topic}", "bloom": "understand"}],
                "passages": [],
            }
            for what in ("Parts", "Uses")
        ]
        modules = [{"title": topic, "lessons": lessons}]
        return {"title": topic, "summary": f"What {topic} is.", "modules": modules, "glossary": []}

    def topic_lesson(self, title: str, words: int) -> dict[str, Any]:
        """As many sentences as are wanted, none with a proof, and a question."""
        told = [f"The {name} of {title} comes before the {after} and holds it." for name, after in pairwise(LETTERS)]
        sentences = [{"text": one, "passage": "", "quote": ""} for one in told[: words // 14]]
        ask = {"text": f"What do you know about {title}?", "passage": "", "quote": ""}
        return {
            "blocks": [
                block("heading", title=title),
                block("paragraph", sentences=[ask, *sentences[:14]]),
                *(block("paragraph", sentences=sentences[n : n + 14]) for n in range(14, len(sentences), 14)),
            ]
        }

    def storyboard(self, talk: str) -> dict[str, Any]:
        """Slides of about fifty spoken words, whose lines name the heavy words of what is said."""
        runs: list[list[tuple[str, str]]] = [[]]
        for told in _SENTENCE.findall(talk):
            if sum(len(text.split()) for _, text in runs[-1]) >= 50 or len(runs[-1]) == 6:
                runs.append([])
            runs[-1].append(told)
        short = len(runs) > 1 and sum(len(text.split()) for _, text in runs[-1]) < 40
        if short and len(runs[-2] + runs[-1]) <= 6:
            runs[-2:] = [runs[-2] + runs[-1]]
        scenes = [slide(run, number) for number, run in enumerate(runs, start=1)]
        scenes = scenes[:20]
        for place in range(len(scenes) // 2 * 2, 0, -4):
            scenes.insert(place, pause(scenes[place - 1]["cues"][0]))
        return {"hook": "What happens when you try it?", "scenes": scenes[:24], "recap": []}

    def quiz(self, talk: str) -> dict[str, Any]:
        """For each objective a statement to judge and a question to answer in one's own words."""
        told = _SENTENCE.findall(talk)
        objectives = re.findall(r"^\[(O\d+)\]", talk, re.M)
        questions = []
        for n, objective in enumerate(objectives):
            name, text = told[n % len(told)]
            other, answer = told[(n + len(objectives)) % len(told)]
            judged = [{"text": "True", "right": True, "why": text}, {"text": "False", "right": False, "why": text}]
            questions.append(question("true_false", f"True or false: {text}", objective, name, judged))
            questions.append(question("short", f"What does part {n + 1} say?", objective, other, [], answer))
        for due, name, text in re.findall(r"^\[(R\d+)\] objective of .+\n\[(E\d+)\] (.+)$", talk, re.M):
            judged = [{"text": "True", "right": True, "why": text}, {"text": "False", "right": False, "why": text}]
            questions.append(question("true_false", f"True or false: {text}", due, name, judged))
        return {"questions": questions}

    def block_anew(self, talk: str) -> dict[str, Any]:
        """Half of the block for whom it shall be shorter; else all of it with one sentence more, word for word."""
        kind, part = marked("lesson", talk)
        told = [text for _, text in _SENTENCE.findall(part)]
        if kind == "heading":
            words = part.strip("# \n").split()
            return {"block": block("heading", title=" ".join(words[1:] or [*words, "again"]))}
        kinds = {"list": "bullets", "note": "note", "exercise": "exercise", "definition": "definition"}
        term = re.match(r"definition of (.+?): ", part)
        sentences = [sentence(text) for text in wished(told, talk)]
        return {"block": block(kinds.get(kind, "paragraph"), term[1] if term else "", sentences=sentences)}

    def lesson_anew(self, talk: str) -> dict[str, Any]:
        """Every part of the lesson, treated like a block; exhibits stay where they are."""
        _, part = marked("lesson", talk)
        blocks: list[dict[str, Any]] = []
        for run in re.split(r"^(?=# )", part, flags=re.M):
            told = [text for _, text in _SENTENCE.findall(run)]
            if run.startswith("# "):
                blocks.append(block("heading", title=run.split("\n")[0].strip("# ")))
            if told:
                blocks.append(block("paragraph", sentences=[sentence(text) for text in wished(told, talk)]))
            blocks += [block("exhibit", exhibit=name) for name in re.findall(r"^\[(X\d+)\]", run, re.M)]
        return {"blocks": blocks[:60]}

    def scene_anew(self, talk: str) -> dict[str, Any]:
        """The slide's cues, fewer for whom it shall be shorter; else one more that nobody told."""
        kind, part = marked("slide", talk)
        if kind in ("title", "recap"):
            lines = [line.partition(": ")[2] for line in part.split("\n") if line.startswith("line ")]
            return {"scene": {**slide([], 0), "text": "What would you try first?", "items": lines[:-1] or lines}}
        told = [(re.findall(r"S\d+", ids), text) for ids, text in _CUE.findall(part)]
        free = _SENTENCE.findall(marked("lesson", talk, "sentences")[1])
        more = [([name], text) for name, text in free if all(name not in ids for ids, _ in told)]
        chosen = (
            told[: max(1, len(told) // 2)] if "shorter" in _WISH.findall(talk)[0] else [*told[1:], *told[:1], *more[:1]]
        )
        made = slide([(ids[0] if ids else "", text) for ids, text in chosen], 1)
        for cue, (ids, _) in zip(made["cues"], chosen, strict=True):
            cue["sentences"] = ids[:4]
        return {"scene": made}

    def review(self, _: str) -> dict[str, Any]:
        if self.never_satisfied:
            return {"good": False, "changes": ["Make it better."]}
        return {"good": True, "changes": []}


def block(kind: str, title: str = "", sentences: list[Any] | None = None, exhibit: str = "") -> dict[str, Any]:
    return {"kind": kind, "title": title, "sentences": sentences or [], "solution": [], "exhibit": exhibit}


def marked(tag: str, talk: str, kind: str = r"(?P<kind>\w+)") -> tuple[str, str]:
    """The kind and the text of the first part that stands between such marks."""
    found = re.search(_MARKED.format(tag=tag, kind=kind), talk, re.S)
    assert found is not None, talk
    return found.groupdict().get("kind", ""), found["text"]


def wished(told: list[str], talk: str) -> list[str]:
    """The sentences as the instructor wishes them."""
    if "shorter" in _WISH.findall(talk)[0]:
        return told[: len(told) // 2] or [" ".join(told[0].split()[:-2]) + "."]
    turned = [*told[1:], *told[:1]]
    known = {text for found in _PASSAGE.finditer(talk) for text in re.findall(r"[^.\n]+\.", found["text"])}
    more = sorted(text.strip() for text in known if text.strip() not in talk.partition("<passage")[0] and " " in text)
    return [*turned, *more[:1]]


def sentence(text: str) -> dict[str, str]:
    return {"text": text, "passage": "", "quote": text}


def slide(run: list[tuple[str, str]], number: int) -> dict[str, Any]:
    lines = [", ".join(re.findall(r"\b[a-z]{6,}\b", text)[:3]) or " ".join(text.split()[:3]) for _, text in run]
    cues: list[dict[str, Any]] = [
        {"text": text, "item": n, "sentences": [name]} for n, (name, text) in enumerate(run, start=1)
    ]
    empty: dict[str, Any] = {"text": "", "term": "", "heads": [], "rows": [], "correct": 0, "answer": "", "exhibit": ""}
    return {"kind": "steps", "title": f"Part {number}", "items": lines, "cues": cues, **empty}


def pause(about: dict[str, Any]) -> dict[str, Any]:
    """A question about a sentence that was told: which of two did you hear?"""
    words = about["text"].rstrip(".").split()
    asked = f"Which of the two lines did you hear before, {words[0].lower()}, and what speaks for it in your own words?"
    told = f"It is the first one: {about['text'][0].lower()}{about['text'][1:]}"
    lead = "Take your time, look at both of them once more, and say your answer aloud before you go on."
    made = slide([(about["sentences"][0], about["text"])], 0)
    cues = [
        {"text": text, "item": 0, "sentences": ids}
        for text, ids in ((asked, []), (lead, []), (told, about["sentences"]))
    ]
    lines = [" ".join(words[:6]), " ".join(reversed(words[:6]))]
    title = f"Pause {about['sentences'][0]}"
    return {
        **made,
        "kind": "question",
        "title": title,
        "text": "Which is it?",
        "items": lines,
        "correct": 1,
        "cues": cues,
    }


def question(
    kind: str, stem: str, objective: str, sentence: str, options: list[Any], answer: str = ""
) -> dict[str, Any]:
    proof = {"objective": objective, "sentences": [sentence]}
    return {"kind": kind, "stem": stem, "options": options, "answer": answer, **proof}


class Notebook:
    """Records in memory: the `Calls` of a test that looks at them."""

    def __init__(self) -> None:
        self.kept: dict[str, Call] = {}

    def find(self, key: str) -> Call | None:
        return self.kept.get(key)

    def keep(self, key: str, call: Call) -> Call:
        return self.kept.setdefault(key, call)

    def forget(self, key: str) -> None:
        self.kept.pop(key, None)


@contextmanager
def chat(mind: Mind | None = None) -> Iterator[tuple[ScriptedOpenAI, Mind]]:
    """A running server with a mind."""
    mind = mind or Mind()
    with scripted_openai() as server:
        server.answers[PATH] = mind
        yield server, mind


def model_at(server: ScriptedOpenAI, **given: Any) -> ChatModel:
    """The server's model, with little patience."""
    patience = {"one_try": 5.0, "first_pause": 0.01, "longest_pause": 1.0, **given}
    return ChatModel(MODEL, SecretStr("test"), server.url, judge, **patience)


_SHARED = threading.Lock()
_OPEN: list[Any] = []


def shared_author() -> AgentAuthor:
    """An author at a server that stays open for all tests of this process."""
    with _SHARED:
        if not _OPEN:
            context = chat()
            server, _ = context.__enter__()
            _OPEN.extend((context, server))
    return AgentAuthor(model_at(_OPEN[1]), Notebook())
