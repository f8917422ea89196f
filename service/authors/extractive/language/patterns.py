"""What sentences look like that lean on others, point at the page, tell a story, or do a certain job.

Rules of English only. A text in another language matches few of them: its sentences then all stand alone.
"""

from __future__ import annotations

import re

from service.authors.extractive.language.lexicon import CONNECTIVES, CONNECTIVES_BEFORE_A_COMMA, KEPT_CONNECTIVES

_I = re.IGNORECASE

CONNECTED = re.compile(rf"(?:{CONNECTIVES})\b,")
_LOOSE = [word for word in CONNECTIVES.split("|") if word not in KEPT_CONNECTIVES]
DROPPABLE = re.compile(
    rf"^(?:(?:{'|'.join(_LOOSE)}),|(?:{'|'.join(word for word in _LOOSE if word not in CONNECTIVES_BEFORE_A_COMMA)}))"
    r"\s+(?=\w)(?!(?:that|of|as|to)\b)"
)
KEPT_OPENING = re.compile(r"(?:Note that|In general|Generally|Typically|Usually|Ideally|Finally)\b")

LEANING = re.compile(
    r"^(?:This|That|These|Those|It|Its|They|Their|Them|He|She|His|Her|Such|Both|Each of these|All of (?:this|these)|"
    r"Doing (?:so|this)|In (?:this|that|these|those|such) \w+|For (?:this|that|these) \w+|With (?:this|these|that)|"
    r"By doing (?:so|this)|To (?:do|get) (?:this|that|so|it|them)|Here,? (?:we|is|are)|Either|Neither|"
    r"One of (?:them|these|those)|"
    r"An? (?:\w+ )?(?:example|way|result|benefit|case) of (?:this|these|that)|"
    r"The (?:former|latter|same|other|first|second|third|previous|last|next|above|result|resulting|rest)|"
    r"Another|Others|Some of (?:these|them)|Most of (?:these|them)|If (?:so|not|this|that|it|they|these)|"
    r"When (?:this|that|it|they|these)|Once (?:this|that|it|they)|Because of (?:this|that)|As (?:this|such|it|they)|"
    r"Since (?:this|it|they)|After (?:that|this)|Not only|Yes|No,|And|But|Or|So|Yet|Nor|Otherwise|Likewise|Only then|"
    r"(?:Of|Among) (?:these|them|those))\b"
    r"(?! is (?:important|necessary|possible|recommended|up to|best|common|essential|critical|useful|easy|"
    r"a failure if|vital|also important) )"
)
EMPTY = re.compile(  # says only that something is done now, and not what
    r"^(?:(?:So|Now|Then|OK|Okay),? )*(?:let[’']?s|we(?:[’']ll| will| can)?) (?:now )?(?:do|fix|try|change|see|"
    r"correct|check|look at) (?:that|this|it)(?: (?:now|next|again|together))?[.!:]$",
    _I,
)
FOLLOWING = re.compile(r"(?:,? (?:for|by doing|with|as|to) )?the following:?$", _I)
VERDICT_HEADING = re.compile(
    r"(?:(?:good|bad|correct|incorrect|right|wrong|passing|failing) ?(?:examples?)?|failures?|fails?|pass(?:es)?)", _I
)
LEANS_ON_HEADING = re.compile(
    r"(?:In|With|For) this \w+, |"
    r"This (?:is|means|method|approach|algorithm|technique|section|type|kind|form|attack|option|strategy)\b"
)

POINTING = re.compile(
    r"\b(?:click here|"
    r"(?:as|see|shown|described|mentioned|discussed|listed|noted|explained|defined|given|table|figure|section|code|"
    r"example|diagram|list|chapter|steps?) (?:above|below|previously|earlier)|"
    r"(?:above|below|previous|preceding|following|next) (?:section|example|figure|table|diagram|chapter|code|snippet|"
    r"image|link|page|exercise|output|command|paragraph|lesson|episode|criteria|message|line|topic|guide|video)s?|"
    r"(?:earlier|later) (?:in|on|we)|at the (?:top|bottom) of|"
    r"this (?:article|page|document|chapter|guide|episode|lesson|section|cheat ?sheet|excerpt|checklist|website|site|"
    r"workshop|course|tutorial)|"
    r"(?:previous|next) (?:lesson|episode|step|section)|(?:see|refer to) (?:the |our |this |also )?(?:[A-Z]|figure|"
    r"table|appendix)|for (?:more|further) (?:information|details|guidance|reading|instructions)|read more|learn more|"
    r"feel free|more information|left-hand|right-hand|on the (?:left|right)|the (?:above|below)|as follows|"
    r"in the following|the following|(?<!\w)(?:below|above)(?! (?:(?:the|a|an|all|average|zero|it|this)\b|\d)))\b|"
    r"\bsee (?:the )?(?:figure|table|“|\")|https?://",
    _I,
)
STRONGLY_POINTING = re.compile(
    "|".join(
        (
            r"\bclick here\b|\bread more\b|\blearn more\b|\bmore info(?:rmation)?\b|\bblog posts?\b|https?://",
            r"\bthis (?:article|page|document|chapter|guide|episode|lesson|section|cheat ?sheet|excerpt|website|"
            r"workshop|course|tutorial)\b",
            r"\bas (?:mentioned|discussed|described|noted|explained|seen) (?:above|below|earlier|previously|before)\b",
            r"\b(?:previous|next) (?:lesson|episode|section|chapter|topic)\b",
            r"\bfor (?:more|further) (?:detail|details|information|guidance|reading|instructions)\b",
            r"^(?:please )?(?:see|refer to|check out|visit|watch)\b|\b(?:please|also) see\b|\bcheck out\b",
            r"\b(?:guide|document|handbook|manual|wiki|site) is (?:still )?a (?:work in progress|living document)\b",
            r"\bwe welcome (?:\w+ )?(?:contribution|participation|feedback|pull request|suggestion)s?\b",
            r"\bthis (?:project|guide|repository) is open source\b",
            r"^disclaimer\b|\breach out\b|\bcontact us\b|\bleft-hand\b|\bright-hand\b",
            r"\bsee (?:the )?(?:figure|table|appendix)\b|\bsee (?:this|the) (?:code|example|video|link)\b",
            r"\b(?:figure|table) \d",
            r"\b(?:image|picture|diagram|figure|screenshot) (?:above|below)\b",
            r"\b(?:following|next) (?:image|picture|figure|diagram|screenshot|video)\b",
        )
    ),
    _I,
)
TOWARDS_NEXT = re.compile(
    r"\b(?:below(?! (?:(?:the|a|an|average|zero|this)\b|\d))|following|as follows|like this|like so)\b|:$", _I
)

NARRATIVE = re.compile(
    r"\b(?:instructor|let'?s|let’s|we'?ve (?:just|seen)|we(?:'ll| will) (?:see|look|discuss|learn|use|start|explore|"
    r"work)|as we (?:saw|have seen)|you(?:'ll| will) (?:see|need) the)\b",
    _I,
)
TALKS_TO_TEACHER = re.compile(
    r"\b(?:instructors?(?:'s)? (?:should|can|may|note|notes|will)|ask (?:the )?(?:learners|students|participants)|"
    r"(?:learners|students|participants) (?:should|can|may|will) (?:now )?(?:work|try|see|pair)|"
    r"this exercise should take|give (?:learners|students))\b",
    _I,
)

ROLES = (
    (
        "warning",
        re.compile(
            r"\b(?:warning|caution|beware|be careful|danger(?:ous)?|risk(?:s|y)?|vulnerab\w+|attacker|insecure|never|"
            r"do not|don[’']t|avoid|is a failure|fails? (?:if|because|this)|cannot be undone|mistake)\b",
            _I,
        ),
    ),
    (
        "rule",
        re.compile(
            r"\b(?:must(?: not)?|never|always|should(?: not)?|shall|required to|ensure|make sure|do not|don[’']t|"
            r"recommend(?:ed|s)?|at least|no more than|need(?:s)? to|have to)\b",
            _I,
        ),
    ),
    (
        "cause",
        re.compile(
            r"\b(?:because|therefore|so that|as a result|since|leads? to|due to|which means|means that|in order to|"
            r"causes?|prevents?|allows?|enables?|helps?)\b",
            _I,
        ),
    ),
    (
        "example",
        re.compile(
            r"\b(?:for example|for instance|e\.g\.|such as|suppose|imagine|consider (?:a|the|an)|say,|an example)\b", _I
        ),
    ),
    (
        "contrast",
        re.compile(
            r"\b(?:whereas|unlike|in contrast|rather than|instead of|however|on the other hand|"
            r"differ(?:s|ent|ence)?|compared (?:to|with)|versus|while (?:the|a))\b",
            _I,
        ),
    ),
    (
        "number",
        re.compile(
            r"(?<![\w.])\d[\d,.]*\s*(?:%|percent|:\s?\d|bits?|bytes?|characters?|seconds?|minutes?|hours?|days?|weeks?|"
            r"months?|years?|times?|MiB|KiB|MB|GB|px|pixels?|people|users|iterations?|degrees?|°C|grams?|g|ml|"
            r"lit(?:er|re)s?|met(?:er|re)s?|km|cm|mm)\b|\d+(?:\.\d+)?\s?:\s?\d",
            _I,
        ),
    ),
)

IMPERATIVE = re.compile(
    r"^(?:(?:First|Then|Next|Finally|Now|To [\w ]{3,40}),? )?(?P<verb>[A-Z]?[a-z]+) (?:the|a|an|your|all|each|any|for|"
    r"to|that|if|whether|on|out|up|in|with|from|both|it|them|this|sure|only|no|[a-z]+s?\b)"
)

SKIPPED_HEADING = re.compile(
    r"^(?:references?|see also|further reading|related (?:articles?|resources?|links?)|(?:\w+ )?resources?|"
    r"external links|"
    r"table of contents|contents|authors?|contributors?|acknowledge?ments?|licen[sc]e|changelog|bibliography|"
    r"more information|further information|links|sources?|footnotes?|works cited|on this page|navigation|feedback|"
    r".*\bcheat ?sheets?)\s*$",
    _I,
)
GENERIC_HEADING = re.compile(
    r"^(?:introduction|overview|background|examples?|testing|failures?|fails?|passes|notes?|conclusion|summary|usage|"
    r"details|general|basics|steps|what|why|how|benefits|tips|best practices|requirements|scope|goals?|definitions?|"
    r"methods?|how to do it|how it works|why (?:do|use) it|"
    r"time required|materials?|recruiting|code samples?|purpose|discussion|exercises?|key points|key terms|resources|"
    r"description|synopsis|information|implementation|(?:quick |command )?reference|(?:advanced |basic )?usage|options|"
    r"(?:known |current )?limitations|caveats|prerequisites|critical|major|moderate|minor|(?:technical )?how-?to|faq|"
    r"syntax|parameters|arguments|return values?|constants)$",
    _I,
)
# "For loops" and "while loops" are what their keywords make: names, and no way or time.
KEYWORD_HEADING = re.compile(r"^\w+ (?:loop|statement|expression|clause|keyword|operator|block)s?$", _I)
# A heading that only says how or where: it goes on the heading above it, "Adding a role" … "via an attribute".
PREPOSITIONAL_HEADING = re.compile(
    r"^(?:via|through|over|under|within|across|per|as|like|for|with|without|in|on(?! \w+ing\b)|by) \S+(?: \S+){0,4}$",
    _I,
)
DEPENDENT_HEADING = re.compile(
    r"^(?:(?:via|through|over|under|within|across|per|as|like)(?= )|for|with|without|in|on|by|to|no|correct|"
    r"incorrect|good|bad|techniques|recommendations?|resources? .*|additional .*)\b",
    _I,
)

NUMBER = re.compile(
    r"(?<![\w.,:^-])(?P<value>\d[\d,]*(?:\.\d+)?)(?:\s?:\s?(?P<to>\d+(?:\.\d+)?))?"
    r"(?P<unit>\s*(?:%|percent|bits?|bytes?|characters?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|MiB|KiB|MB|"
    r"GB|px|pixels?|people|iterations?|times|degrees?|°C|(?:kilo|milli)?grams?|k?g|tonnes?|ml|lit(?:er|re)s?|"
    r"(?:kilo|centi|milli)?met(?:er|re)s?|km|cm|mm|milliseconds?|(?:kilo|mega)bytes?|hertz|volts?|watts?)\b)?"
)
STRONG_WARNING = re.compile(
    r"^(?:never|avoid)\b|"
    r"\b(?:(?:must|should|can) never|(?:do not|don[’']t)(?! need| have| want)|must not|(?:should|must) avoid|insecure|"
    r"danger\w*|beware|cannot be undone)\b",
    _I,
)

LABEL = re.compile(
    r"^(?:note|tip|warning|important|hint|caution|failure|fails?|pass(?:es)?|example)s?\s?:\s+(?=\w)", _I
)

# Not the kind of thing that a term is, but what somebody thinks of it.
POOR_MEANING = re.compile(
    r"^(?:it|this|these|they|we|you)\b|\b(?:company|website)\b|"
    r"^(?:an? |the )?(?:\w+ )?(?:question|part|aspect|element|step|benefit|advantage|mistake|signal|key|thing|matter|"
    r"ideal)\b",
    _I,
)
