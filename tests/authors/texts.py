"""Source texts written for these tests, and the small builder that turns them into sources with exact spans."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.domain.source import Block, BlockKind, BlockRole, Chunk, Mark, Source
from service.ports import Evidence

_INLINE = re.compile(r"\*\*(.+?)\*\*|`(.+?)`|_\((.+?)\)_")


class SourceBuilder:
    """Appends blocks as readers do: the text is written here, so every span is exact."""

    def __init__(self, title: str, name: str = "") -> None:
        self.title = title
        self.name = name or title.lower().replace(" ", "-") + ".md"
        self.text = ""
        self.blocks: list[Block] = []
        self.lists = 0

    def add(
        self,
        kind: BlockKind,
        text: str,
        level: int = 0,
        role: BlockRole = "",
        list_id: int = 0,
        ordered: bool = False,
        lang: str = "",
    ) -> SourceBuilder:
        start = len(self.text)
        plain, marks = (text, ()) if kind in ("code", "output") else _marked(" ".join(text.split()), start)
        self.text += plain + "\n\n"
        self.blocks.append(
            Block(
                kind=kind,
                start=start,
                end=start + len(plain),
                level=level,
                role=role,
                list_id=list_id,
                ordered=ordered,
                lang=lang,
                marks=marks,
            )
        )
        return self

    def heading(self, level: int, text: str, role: BlockRole = "") -> SourceBuilder:
        return self.add("heading", text, level=level, role=role)

    def para(self, text: str, role: BlockRole = "") -> SourceBuilder:
        return self.add("paragraph", text, role=role)

    def code(self, text: str, output: str = "", lang: str = "bash", role: BlockRole = "") -> SourceBuilder:
        self.add("code", text, lang=lang, role=role)
        return self.add("output", output) if output else self

    def items(self, texts: Sequence[str], ordered: bool = False, role: BlockRole = "") -> SourceBuilder:
        self.lists += 1
        for text in texts:
            self.add("item", text, level=1, list_id=self.lists, ordered=ordered, role=role)
        return self

    def table(self, rows: Sequence[Sequence[str]]) -> SourceBuilder:
        start = len(self.text)
        spans = []
        for row in rows:
            line = []
            for cell in row:
                line.append((len(self.text), len(self.text) + len(cell)))
                self.text += cell + "\t"
            spans.append(tuple(line))
            self.text += "\n"
        self.blocks.append(Block(kind="table", start=start, end=len(self.text) - 2, rows=tuple(spans)))
        self.text += "\n"
        return self

    def source(self) -> Source:
        return Source(
            name=self.name, title=self.title, media_type="text/markdown", text=self.text, blocks=tuple(self.blocks)
        )


def _marked(text: str, start: int) -> tuple[str, tuple[Mark, ...]]:
    plain, at = "", 0
    marks = []
    for match in _INLINE.finditer(text):
        plain += text[at : match.start()]
        inside = match[1] or match[2] or match[3]
        kind = "strong" if match[1] else "code" if match[2] else "term"
        marks.append(Mark(kind=kind, start=start + len(plain), end=start + len(plain) + len(inside)))
        plain += inside
        at = match.end()
    return plain + text[at:], tuple(marks)


def evidence(*sources: Source) -> Evidence:
    """Evidence whose search ranks paragraphs by shared words."""
    chunks = [
        Chunk(source=s.sha256, start=b.start, end=b.end, heading=s.title, text=s.text[b.start : b.end])
        for s in sources
        for b in s.blocks
        if b.kind in ("paragraph", "item")
    ]

    def search(query: str, count: int) -> list[Chunk]:
        wanted = set(re.findall(r"\w{4,}", query.lower()))
        shared = [(len(wanted & set(re.findall(r"\w{4,}", c.text.lower()))), -n, c) for n, c in enumerate(chunks)]
        return [c for n, _, c in sorted(shared, key=lambda entry: entry[:2], reverse=True) if n][:count]

    return Evidence(sources=sources, search=search)


def sourdough() -> Source:
    """A concept article: definitions, causes, a comparison, a table, numbers."""
    page = SourceBuilder("Sourdough bread")
    page.para(
        "Bread rises because yeast turns sugar into gas. For most of history, bakers had no yeast from a packet. They "
        "kept a jar of dough alive from one day to the next, and every loaf began with a spoonful of it."
    )
    page.heading(2, "Starters")
    page.para(
        "A **starter** is a mixture of flour and water in which wild yeast and bacteria live together. The yeast makes "
        "the gas that lifts the dough. The bacteria make the acids that give the bread its taste. For example, a young "
        "starter tastes of yoghurt, and an old one of vinegar."
    )
    page.para(
        "A starter must be fed at least every 12 hours when it stands in a warm kitchen. Feeding means that you throw "
        "away most of the mixture and add fresh flour and water to the rest. A hungry starter smells of nail varnish, "
        "because the yeast begins to make other alcohols when the sugar runs out."
    )
    page.para(
        "Never keep a starter in a closed jar without a gap for the gas. The pressure can break the glass. As "
        "mentioned above, the gas is what lifts the dough. For more information, visit our website."
    )
    page.heading(2, "Hydration")
    page.para(
        "**Hydration** is the weight of the water in a dough divided by the weight of the flour. A dough of 500 grams "
        "of flour and 350 grams of water has a hydration of 70 percent. A wetter dough gives a more open crumb, but it "
        "is harder to shape."
    )
    page.para(
        "Beginners should stay below a hydration of 72 percent. A dough above this limit sticks to the hands and to "
        "the table, so that the loaf spreads instead of rising. Whole-grain flour needs more water than white flour "
        "because the bran soaks it up."
    )
    page.heading(2, "Proofing")
    page.para(
        "**Proofing** is the time in which a shaped loaf rises before it is baked. A warm kitchen makes proofing "
        "faster, while a refrigerator makes it slower. The slow way gives more taste, since the bacteria keep working "
        "in the cold when the yeast has almost stopped."
    )
    page.para(
        "An **underproofed loaf** is a loaf that went into the oven too early, with too little gas in it. It tears at "
        "the side, because the gas expands faster than the crust can stretch. An **overproofed loaf** is a loaf whose "
        "gluten has given way. It spreads flat in the oven and stays pale."
    )
    page.heading(2, "Warm and cold proofing compared")
    page.para("The two ways differ in time, in taste and in what they ask of the baker:")
    page.table(
        [
            ["Question", "Warm proofing", "Cold proofing"],
            ["Time", "two to three hours", "ten to sixteen hours"],
            ["Taste", "mild", "sour"],
            ["Risk", "easily overproofed", "dries at the surface"],
        ]
    )
    page.para(
        "Cold proofing suits people who work during the day. The loaf can wait in the refrigerator until the oven is "
        "hot. Warm proofing must be watched, because the right moment passes within 20 minutes."
    )
    page.heading(2, "Baking")
    page.para(
        "Steam keeps the crust soft while the loaf expands. A covered pot holds the steam that the dough gives off. "
        "The oven should be heated to 250 degrees before the loaf goes in. After 25 minutes the lid comes off, so that "
        "the crust can dry and brown. A loaf is done when its inside has reached 96 degrees."
    )
    page.para(
        "Bread must cool before it is cut. The crumb sets only when the steam inside has settled. Cutting a hot loaf "
        "presses the crumb into a paste."
    )
    page.heading(2, "Further reading")
    page.para("The books on this shelf tell more about flour.")
    return page.source()


def backups() -> Source:
    """A how-to: objectives, steps, code with output, warnings, an exercise with its solution, key points."""
    page = SourceBuilder("Backing up a laptop")
    page.items(["Set up an encrypted backup.", "Explain why a backup must be tested."], role="objectives")
    page.items(["What happens to my files when the disk dies?"], role="questions")
    page.para(
        "A backup is a copy of files that survives the loss of the originals. Disks fail without a warning, laptops "
        "are "
        "stolen, and people delete the wrong folder. The tool `keep` copies a folder into a store, and it writes only "
        "what changed since the last run."
    )
    page.heading(2, "Creating a store")
    page.para("The store holds all copies. We create it once with `keep init`:")
    page.code("$ keep init /media/disk/store", "Store created. Password set.")
    page.para(
        "The password encrypts the store. Nobody can read the copies without it, and nobody can recover it. Write it "
        "down and keep the paper away from the laptop."
    )
    page.heading(2, "Making the first copy")
    page.para("To make a first copy, follow these steps:")
    page.items(
        [
            "Open a terminal on the laptop.",
            "Connect the disk that holds the store to the laptop.",
            "Run `keep copy` with the folder and the store.",
            "Check that the summary of the run names no skipped file.",
        ],
        ordered=True,
    )
    page.code("$ keep copy ~/work /media/disk/store", "1204 files, 3.1 GB, 0 skipped")
    page.para(
        "The command `keep copy` reads every file of the folder once. The first run takes as long as the disk needs. "
        "Later runs take seconds, because unchanged files are recognized by their time and size."
    )
    page.para("Do not pull out the disk while the lamp is blinking, or the last copy is lost.", role="warning")
    page.heading(2, "Looking at what there is")
    page.para(
        "`keep list` shows all copies of a store with their dates. `keep show` prints the files of one copy. `keep "
        "diff` "
        "compares two copies and names every file that changed between them. `keep prune` removes old copies and keeps "
        "one for each month."
    )
    page.code("$ keep list /media/disk/store", "3f2a  12 May  1204 files\n9c41  13 May  1207 files")
    page.heading(2, "Testing the backup")
    page.para(
        "A backup that was never restored is only a hope. You should restore one folder every month, because a broken "
        "disk shows itself only when it is read. The command `keep restore` writes a copy into an empty folder."
    )
    page.code("$ keep restore 9c41 ~/test", "1207 files written")
    page.para(
        "If the numbers are equal, the copy is complete. Compare a few files by hand as well, since a file can be "
        "there "
        "and still be empty."
    )
    page.heading(3, "Which copies to keep", role="exercise")
    page.para(
        "A store holds one copy for every day of a year. Which copies may be removed, if any month must stay readable?",
        role="exercise",
    )
    page.para(
        "All but one copy of each month may be removed. The command `keep prune` does this without being told the "
        "dates.",
        role="solution",
    )
    page.heading(2, "Where to keep the disk")
    page.para(
        "A disk beside the laptop burns with it. At least one copy should be in another building. Three copies on two "
        "kinds of devices, one of them elsewhere, are the rule that most people follow. Instructors should ask the "
        "learners to work in pairs here."
    )
    page.items(
        [
            "`keep init` creates an encrypted store.",
            "`keep copy` adds a copy of a folder to the store.",
            "A backup counts only after it was restored once.",
        ],
        role="keypoints",
    )
    return page.source()


def bees() -> Source:
    """A page of lists: rules, a checklist, roles, with little prose."""
    page = SourceBuilder("A year with bees")
    page.para(
        "A hive needs its keeper about twenty times a year. The work follows the weather, not the calendar, and most "
        "mistakes come from doing the right thing at the wrong time."
    )
    page.heading(2, "Who lives in a hive")
    page.items(
        [
            "**Queen**: the only bee that lays fertilized eggs, up to 2,000 of them a day in June.",
            "**Worker**: a female bee that cleans, feeds, builds, guards and at last collects nectar.",
            "**Drone**: a male bee that mates with a young queen and does no work in the hive.",
            "**Brood**: the eggs, larvae and pupae that grow in the cells of the comb.",
        ]
    )
    page.heading(2, "What to check in spring")
    page.para("Open the hive on a warm day and look for the following signs:")
    page.items(
        [
            "Count the combs that hold brood, because their number tells how strong the colony is.",
            "Find eggs, which prove that the queen was there in the last three days.",
            "Weigh the hive with one hand to see whether there is food for two weeks.",
            "Remove the damp bottom board and put a dry one in its place.",
            "Note the date and the number of combs.",
        ]
    )
    page.heading(2, "What to have at hand")
    page.items(
        [
            "A smoker that is lit before the hive is opened.",
            "A hive tool that lifts combs without crushing bees.",
            "A soft brush of natural hair.",
            "A veil without holes.",
        ]
    )
    page.heading(2, "Swarming")
    page.para(
        "**Swarming** is the way in which a colony divides: the old queen leaves with half of the workers. A keeper "
        "who "
        "waits loses half of the harvest. Give the colony more room before the first queen cells appear."
    )
    page.items(
        [
            "Look for queen cells every 7 days in May and June.",
            "Never cut all queen cells, because the colony may already be without a queen.",
            "Add a second box when bees cover eight combs.",
        ]
    )
    page.heading(2, "Feeding in autumn")
    page.items(
        [
            "Take off the last honey before the end of July.",
            "Mix 3 parts of sugar with 2 parts of water.",
            "Pour the syrup into the feeder in the evening.",
            "Close the feeder so that no strange bee gets in.",
            "Weigh the hive again when the feeder is empty.",
        ],
        ordered=True,
    )
    page.para(
        "A colony needs about 15 kilograms of food for the winter. Feeding must end before the nights turn cold, "
        "because bees cannot dry the syrup below 10 degrees. Do not feed honey from other hives, since it may carry "
        "disease."
    )
    page.heading(2, "Winter")
    page.para(
        "Bees do not sleep in winter. They form a cluster around the queen and shiver to keep it warm. The cluster "
        "must "
        "not be disturbed, so that a keeper should only listen at the wall of the hive. A low hum means that all is "
        "well. Snow on the entrance does no harm, because air passes through it."
    )
    return page.source()
