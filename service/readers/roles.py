"""What authors of course material call their boxes, and what those boxes are for.

The names are those of fenced divs, admonitions, call-outs and HTML classes of the common site generators.
"""

from __future__ import annotations

import re

from service.domain.source import BlockRole

_ROLES: dict[BlockRole, str] = {
    "objectives": "objectives objective learning-objectives learning-outcomes outcomes goals",
    "questions": "questions",
    "keypoints": "keypoints key-points takeaways key-takeaways summary-box",
    "exercise": "challenge exercise exercises discussion activity your-turn practice",
    "solution": "solution answer",
    "note": "callout note notes tip info hint important spoiler seealso testimonial abstract example-note checklist",
    "warning": "warning caution danger attention error pitfall",
    "skip": "prereq prerequisites instructor instructor-note teacher",
}
_BY_NAME = {name: role for role, names in _ROLES.items() for name in names.split()}
_PREFIX = re.compile(r"^(?:callout|admonition|alert|box|note|theme-admonition|custom-block|markdown-alert)-+")


def role_of(*names: str) -> BlockRole:
    """The role that the first known name stands for; "" when none is known. Upper and lower case are one."""
    for name in names:
        lower = name.lower().lstrip(".").strip()
        role = _BY_NAME.get(lower) or _BY_NAME.get(_PREFIX.sub("", lower))
        if role:
            return role
    return ""
