"""The closed lists of English words that the extractive author's rules look things up in."""

from __future__ import annotations

from service.domain.course import Bloom


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS = _set(
    """
    a an the and or but if then else when while of to in on at by for from with without into onto over under about
    as is are was were be been being am do does did done have has had having will would can could may might must
    shall should it its this that these those they them their there here he she his her him we us our you your i me
    my not no nor so such than too very just also only own same each every all any both more most some other another
    which who whom whose what where why how because between through during before after again further once up down
    out off until unless although though however therefore thus per via etc one two many much few lot lots get gets
    make makes made use used uses using like well even still let lets need needs want new way ways thing things
    example examples section note see following above below
    """
)

ACTION_VERBS = _set(
    """
    add adopt apply ask assign avoid begin build calculate change check choose clarify click clone collect commit
    compare configure confirm consider copy create cut define delete deploy describe determine disable discuss
    document download edit enable encourage encrypt enforce ensure enter establish evaluate explain expose find fill
    follow generate get give go hash identify ignore implement include increase initialize inspect install keep
    learn leave limit list load locate log look make measure mix move navigate note open perform place pour prevent
    provide pull push put read record reduce remove rename replace report request require reset restart restore
    restrict review revoke rotate run save search select send separate set share sign sort specify start stop store
    submit switch take tell test track train try turn type understand update upgrade upload use validate verify view
    visit wait wash watch weigh write cultivate
    """
)

OPENING_STEPS = _set(
    """
    identify open go find create install select log click navigate start download compare clone choose enter turn
    set run load collect write make fill measure
    """
)

BLOOM_LEVELS: dict[str, Bloom] = {}
for _level, _verbs in {
    "remember": "define identify label list name recall recognize select state",
    "understand": "articulate clarify describe discuss explain interpret paraphrase relate summarize understand",
    "apply": "apply avoid build carry clone collaborate commit compile configure demonstrate follow go ignore install "
    "manage match mount perform prepare push resolve restore run set show solve store track upgrade use",
    "analyze": "analyze classify compare contrast differentiate distinguish examine reason",
    "evaluate": "assess check choose evaluate judge justify test validate verify",
    "create": "create design develop make plan produce write",
}.items():
    for _verb in _verbs.split():
        BLOOM_LEVELS[_verb] = _level  # type: ignore[assignment]

NOUN_LIKE_VERBS = _set(
    "test work set record report review list load limit change look log note place request search share sign start "
    "stop store switch track train try turn type update view visit wait watch document measure"
)

NO_TERMS = _set(
    "its their our your my one two three four five six seven eight nine ten several both few variable value number"
)

NO_SUBJECTS = _set(
    """
    unless after before once for with without in on at by from as of during until since although though while like
    under over through because given besides unlike despite per via where when if what how that why which whether not
    now then example examples others people users things everything nothing anything most some
    """
)

MUTE_OBJECTIVE_VERBS = _set("understand know learn be appreciate become")

CONNECTIVES = (
    "However|Also|Additionally|In addition|Furthermore|Moreover|Therefore|Thus|Hence|Consequently|Instead|Similarly|"
    "Likewise|Finally|Fortunately|Unfortunately|Nevertheless|Nonetheless|Note that|Please note that|Remember that|"
    "Keep in mind that|In general|Generally|Typically|Usually|In fact|Indeed|Of course|In other words|That is|"
    "As a result|For example|For instance|In particular|Specifically|Conversely|On the other hand|By contrast|"
    "In contrast|Then|Next|First|Second|Lastly|Again|Note|Now|Overall|Ideally|Basically|Obviously|In summary|"
    "To summarize|In short|Meanwhile|Still|Plus"
)

KEPT_CONNECTIVES = frozenset(("Instead", "In general", "Generally", "Typically", "Usually", "Ideally", "Still"))

CONNECTIVES_BEFORE_A_COMMA = frozenset(("Note", "First", "Second", "Next", "Plus", "Again", "That is", "Overall"))

OPPOSITES = (
    ("increases", "decreases"),
    ("increase", "decrease"),
    ("higher", "lower"),
    ("cannot", "can"),
    ("must not", "must"),
    ("should not", "should"),
    ("should never", "should"),
    ("is not", "is"),
    ("are not", "are"),
    ("does not", "does"),
    ("local", "remote"),
    ("remote", "local"),
    ("visible", "hidden"),
    ("slow", "fast"),
    ("fast", "slow"),
    ("faster", "slower"),
    ("slower", "faster"),
    ("easier", "harder"),
    ("harder", "easier"),
    ("greater", "smaller"),
    ("at least", "at most"),
    ("valid", "invalid"),
    ("true", "false"),
    ("one-way", "two-way"),
    ("separately from", "together with"),
    ("unique", "shared"),
    ("possible", "impossible"),
    ("prevents", "allows"),
    ("warm", "cold"),
    ("before", "after"),
)

SPOKEN_SIGNS = {
    "$": "dollar",
    "~": "tilde",
    "#": "hash",
    "*": "star",
    "<": "less than",
    ">": "greater than",
    "=": "equals",
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "^": "caret",
    "|": "pipe",
    "_": "underscore",
    "!": "exclamation mark",
    "@": "at",
    "&": "ampersand",
    ":": "colon",
    "+": "plus",
    "?": "question mark",
    "%": "percent",
    "\\": "backslash",
}
