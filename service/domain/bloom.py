"""Verbs that an objective may begin with, by level of Bloom's revised taxonomy; and verbs that nobody can observe."""

from __future__ import annotations

from service.domain.course import Bloom

BLOOM: dict[Bloom, str] = {
    "remember": """define find identify label list locate match memorize name outline quote recall recite recognise
        recognize repeat reproduce select state tell""",
    "understand": """clarify classify describe discuss explain express extend generalise generalize give illustrate
        infer interpret paraphrase predict report restate review rewrite summarise summarize translate""",
    "apply": """access add apply attach
        build calculate carry change clone close collaborate collect commit complete compute
        configure connect convert copy delete demonstrate deploy download edit employ enable encrypt enter execute
        follow go handle ignore implement initialise initialize install load log manage measure merge modify mount move
        navigate open operate perform practise practice prepare prevent protect provide publish pull push read record
        reduce remove rename replace request resolve restore revert run save schedule search secure send set share show
        sign sketch solve start stop store switch track turn type undo update upgrade upload use view visit work
        write""",
    "analyze": """analyse analyze arrange attribute break categorise categorize characterise characterize compare
        contrast correlate debug diagram differentiate discriminate distinguish examine experiment inspect investigate
        organise organize question relate separate test trace""",
    "evaluate": """appraise argue assess avoid check choose conclude critique decide defend determine diagnose estimate
        evaluate judge justify prioritise prioritize rank rate recommend support validate value verify weigh""",
    "create": """assemble author compose construct create design develop devise draft formulate generate integrate
        invent make plan produce propose rearrange""",
}
BLOOM_VERBS = frozenset(verb for verbs in BLOOM.values() for verb in verbs.split())
VAGUE_VERBS = frozenset({"understand", "know", "learn", "appreciate", "grasp", "realise", "realize", "be", "become"})
