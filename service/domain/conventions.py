"""The figures that a good course keeps to, said once: the checks measure by them and the agents are told them.

Each is a rule of thumb with its reason; the check that measures it names the research. A good lesson may break one.
"""

from __future__ import annotations

LESSON_MINUTES = (2, 6)  # P3: attention falls after about six minutes; under two there is hardly a lesson
SLIDE_SECONDS = (15, 75)  # P17
MARK_EVERY_SECONDS = 90  # P4: learners pause between ideas
SLIDE_LINES = 6  # P6
SLIDE_WORDS = 40  # P6
SPEECH_ON_SLIDE = 0.35  # P6: at most this share of the speech's runs of four words stands on the slide
ADDRESSES_A_MINUTE = 1  # P10: how often the voice speaks to the learner, at the least
VISUAL_SHARE = 0.6  # P11: slides that show and not only tell
QUESTION_EVERY_MINUTES = 6  # P12
OBJECTIVE_WORDS = 25  # P1
OBJECTIVES_A_LESSON = 3
ITEMS_PER_OBJECTIVE = 2  # P2
