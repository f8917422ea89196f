"""The few words that slides say by themselves, in the languages that courses are written in."""

from __future__ import annotations

ENGLISH = {
    "lesson": "Lesson",
    "part": "Part {0} of {1}",
    "pages": "{0} of {1}",
    "example": "Example",
    "answer": "Answer",
    "warning": "Take care",
    "worked": "Worked example",
    "question": "Pause and think",
    "output": "Output",
}
WORDS = {
    "en": ENGLISH,
    "de": {
        "lesson": "Lektion",
        "part": "Teil {0} von {1}",
        "pages": "{0} von {1}",
        "example": "Beispiel",
        "answer": "Antwort",
        "warning": "Vorsicht",
        "worked": "Durchgerechnet",
        "question": "Kurz nachdenken",
        "output": "Ausgabe",
    },
    "fr": {
        "lesson": "Leçon",
        "part": "Partie {0} sur {1}",
        "pages": "{0} sur {1}",
        "example": "Exemple",
        "answer": "Réponse",
        "warning": "Attention",
        "worked": "Exemple résolu",
        "question": "À vous de réfléchir",
        "output": "Sortie",
    },
    "es": {
        "lesson": "Lección",
        "part": "Parte {0} de {1}",
        "pages": "{0} de {1}",
        "example": "Ejemplo",
        "answer": "Respuesta",
        "warning": "Cuidado",
        "worked": "Ejemplo resuelto",
        "question": "Para y piensa",
        "output": "Salida",
    },
    "ar": {
        "lesson": "الدرس",
        "part": "{0} / {1}",
        "pages": "{0} / {1}",
        "example": "مثال",
        "answer": "الجواب",
        "warning": "انتبه",
        "worked": "مثال محلول",
        "question": "توقف وفكر",
        "output": "الناتج",
    },
}


def say(what: str, language: str, *numbers: int) -> str:
    """A word of the slides in the course's language, in English where it is not translated."""
    return WORDS.get(language.split("-", maxsplit=1)[0].lower(), ENGLISH)[what].format(*numbers)
