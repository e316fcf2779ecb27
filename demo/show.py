"""Prints the story's end for people in a terminal: the chronology side by side, and what else is asked of it.

Everything printed comes from readings that were answered; rows of different readers are laid side by side by kind and
day, because an entry's reference means something to its reader only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.agencies import stayed_and_told
from demo.cast import FRONT_DOOR, NURSE, READERS
from demo.stage import LONDON
from demo.story import DAY_0, Story

Entry = Mapping[str, Any]
SHOWN = {"full": ("●", "bold green"), "outline": ("◐", "yellow")}
LETTER = {"full": "F", "outline": "M"}
FAMILY = f"""\
Wrenna Quillfeather is ten, her brother Tobin seven; they live with their mother, Isolde. \
Her partner, Dorrick Vane, stands on nobody's list.
D+n counts days; D+0 is {DAY_0:%A %-d %B %Y}.
"""
LEGEND = """
Four people are named in the strategy discussion of D+522 and read for the section 47 enquiry: \
SW Fenn, social worker; DSL Juno, safeguarding lead of the second school; NUR Marit, school nurse; POL Rufus, police. \
● full: everything but what is withheld. ◐ outline: that it happened, who says so and a line written for partners. \
· nothing, and nothing else in the answer differs. \
Behind an entry: how its source knows (seen, told by, measured, opinion, decision); \
[late] shared long after it happened; [corrected] a later entry corrects it.
"""
PUBLIC = "a member of the public"
MARKS = {"late": "late", "corrected": "corrected", "provisional": "provisional"}


def show(story: Story, console: Console) -> None:
    """Print everything."""
    readings = {column: story.readings[column] for column in READERS}
    answered = {column: reading for column, reading in readings.items() if isinstance(reading, dict)}
    console.print(LEGEND, highlight=False, markup=False)
    console.print(_banner(answered))
    console.print(_own_words(answered))
    console.print(_side_by_side(answered))
    console.print(_elsewhere(answered))
    console.print(_open_items(answered["SW"]))
    console.print(_identity(story))
    console.print(_quarantine(story))
    console.print(stayed_and_told(story))
    console.print(_silent_feed(story))
    console.print(_nobody_else(story))
    console.print(_replay(story))


def key_of(entry: Entry) -> tuple[str, str]:
    """(day, kind): how entries of different readers are laid side by side."""
    happened = entry.get("happened", {})
    return (happened.get("from") or happened.get("to") or entry.get("shared", ""))[:10], str(entry["event"])


def side_by_side(readings: Mapping[str, Mapping[str, Any]]) -> list[tuple[tuple[str, str], dict[str, Entry]]]:
    """Rows of (day, kind) with each reader's entry; the n-th of a kind and day stands with the others' n-th."""
    rows: dict[tuple[str, str, int], dict[str, Entry]] = defaultdict(dict)
    for column, reading in readings.items():
        count: dict[tuple[str, str], int] = defaultdict(int)
        for entry in reading["entries"]:
            key = key_of(entry)
            rows[*key, count[key]][column] = entry
            count[key] += 1
    in_order = sorted(rows, key=lambda key: (key[0], *_moment(rows[key]), key))
    return [((day, kind), rows[day, kind, number]) for day, kind, number in in_order]


def _moment(cells: Mapping[str, Entry]) -> tuple[str, str]:
    """When it happened and when it was shared, as exactly as any of the readers sees it."""
    happened = (one.get("happened", {}).get("from", "") for one in cells.values())
    return max(happened, key=len), max((one["shared"] for one in cells.values()), key=len)


def _banner(readings: Mapping[str, Mapping[str, Any]]) -> Panel:
    child = readings["SW"]["child"]
    also = ", ".join(child.get("also_known_as", ()))
    told: dict[str, list[str]] = defaultdict(list)
    for column, reading in readings.items():
        for one in reading.get("banners", ()):
            told[one["says"]].append(column)
    words = Text.assemble(
        (child["name"], "bold"),
        f"   born {_day(child['birth_date'])}   also known as {also}\n",
        (f"Read on {_day('2026-02-16')}, D+525, for a section 47 enquiry. Every reading is recorded.\n", "dim"),
        (readings["SW"]["notice"], "italic"),
        *((f"\n{', '.join(columns)}: {says}", "yellow") for says, columns in told.items()),
    )
    return Panel(words, title="The child", border_style="blue")


def _own_words(readings: Mapping[str, Mapping[str, Any]]) -> Panel:
    rows = []
    for _, cells in side_by_side(readings):
        spoken = next((entry for entry in cells.values() if entry.get("childs_words")), None)
        if spoken:
            who = ", ".join(READERS[column][0].name for column, one in cells.items() if one.get("childs_words"))
            rows.append(Text.assemble((f"{_on(spoken)}  ", "cyan"), (f"“{spoken['childs_words']}”", "bold")))
            rows.append(Text(f"{'':12}{spoken['title'].lower()}; read by {who}\n", style="dim"))
    return Panel(Group(*rows), title="In her own words", border_style="cyan")


def _side_by_side(readings: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title="The same record, as four readers see it on D+525", show_lines=False, expand=True)
    table.add_column("day", style="cyan", no_wrap=True)
    table.add_column("entry", ratio=1)
    for column in READERS:
        person = READERS[column][0]
        table.add_column(f"{column}\n{person.name.split()[0]}", justify="center", no_wrap=True)
    for _, cells in side_by_side(readings):
        fullest = max(cells.values(), key=lambda entry: entry["shown"] == "full")
        table.add_row(_on(fullest), _words(fullest), *(_cell(cells.get(column)) for column in READERS))
    table.caption = "● full  ◐ outline  · nothing   p people withheld  l place withheld"
    return table


def _words(entry: Entry) -> Text:
    text = Text.assemble((entry["title"], "bold"))
    if summary := entry.get("summary", {}).get("text"):
        text.append(f"  {summary}")
    for mark in entry.get("marks", ()):
        text.append(f"  [{MARKS.get(mark, mark)}]", style="magenta")
    source = entry["source"]
    text.append(f"\n{source.get('name') or source.get('kind')}, {entry['statement'].replace('-', ' ')}", style="dim")
    return text


def _cell(entry: Entry | None) -> Text:
    if entry is None:
        return Text("·", style="dim")
    sign, style = SHOWN[entry["shown"]]
    return Text.assemble((sign, style), (f" {withheld(entry)}", "dim"))


def withheld(entry: Entry) -> str:
    """p and l: which facets of an entry are withheld from its reader."""
    people = any(
        "withheld" in one or isinstance(one.get("name"), dict) or PUBLIC in one.get("relation", ())
        for one in entry.get("people", ())
    )
    return ("p" if people else "") + ("l" if "withheld" in entry.get("place", {}) else "")


def _elsewhere(readings: Mapping[str, Mapping[str, Any]]) -> Panel:
    lines = []
    for column, reading in readings.items():
        cards = [f"{card['agency']} ({_ring(card['ring'])})" for card in reading["held_elsewhere"]]
        words = "; ".join(cards) if cards else "–"
        lines.append(Text.assemble((f"{column:4}", "bold"), words))
    return Panel(Group(*lines), title="Holds information, ring", border_style="yellow")


def _ring(contact: Mapping[str, str]) -> str:
    return contact.get("phone") or contact.get("role") or "the front door"


def _open_items(reading: Mapping[str, Any]) -> Panel:
    """What somebody waits for, as the social worker's chronology says it; by when it began, never by how late it is."""
    rows = []
    for item in reading["open_items"]:
        due = f"due {_day_of(item['due'])}" if "due" in item else "no number in this rule"
        rows.append(
            Text.assemble(
                (f"{_on({'happened': {'from': item['since']}, 'shared': ''}):7}", "cyan"), f"{item['what']}. ",
                (f"{due}{', late' if item['late'] else ''}", "bold"),
                (f"   {item['rule']}/{item['edition']}", "dim"),
            )
        )  # fmt: skip
    return Panel(Group(*rows), title="What is waited for", border_style="yellow")


def _identity(story: Story) -> Panel:
    item = story.replayed.get("unsure", {})
    words = Text.assemble(
        "D+276  A hospital record came with Wrenna's number and birth date, and the given name Tobin: ",
        ("unsure", "bold magenta"),
        ".\n",
        f"       agrees: {', '.join(item.get('agrees', ()))}   contradicts: {', '.join(item.get('contradicts', ()))}\n",
        f"D+277  A tired worker settled it as the same child. {_read_it(story)}\n",
        "D+290  The hospital took it back; it stands with Tobin now, and no reader of Wrenna's sees it.\n",
        f"       {_were_told(story)}",
    )
    return Panel(words, title="One question of identity", border_style="magenta")


def _read_it(story: Story) -> str:
    """Who saw the wrong child's entry while it stood: from what they were answered."""
    who = [
        word.removeprefix("D+280 ")
        for word, answer in story.readings.items()
        if word.startswith("D+280")
        and isinstance(answer, dict)
        and any(_on(entry) == "D+276" for entry in answer["entries"])
    ]
    return f"Read by: {', '.join(who)}." if who else "Nobody read it."


def _were_told(story: Story) -> str:
    """On whose list the removal stood, by the words that stand for who read."""
    words = {FRONT_DOOR.id: "front door", NURSE.id: "nurse"}
    who = [words.get(person, person) for person, items in story.told_of_removal.items() if items]
    return f"Told that something was removed, never again what: {', '.join(who)}." if who else "Nobody is told."


def _quarantine(story: Story) -> Panel:
    lines = [
        Text.assemble(
            (f"{row['reason']}  ", "bold red"), f"from {row['caller'].rsplit(':', 2)[-2]}", f"  {row['note']}"
        )
        for row in story.quarantined
    ]
    return Panel(Group(*(lines or [Text("nothing waits")])), title="In quarantine, and why", border_style="red")


def _silent_feed(story: Story) -> Panel:
    """What every reader saw beside the entries on D+401."""
    reading = story.readings["attack g nurse"]
    rows = reading["sources"] if isinstance(reading, dict) else []
    lines = [
        Text.assemble(
            (f"{_opened(row['last_heard'])}  ", "bold red" if row["silent"] else "green"),
            row["name"],
            *([("  silent", "bold red")] if row["silent"] else []),
            *([("  records wait in quarantine", "red")] if row["waiting"] else []),
        )
        for row in rows
    ]
    title = "Which source was last heard when, as every reader saw it on D+401"
    return Panel(Group(*lines), title=title, border_style="red")


def _nobody_else(story: Story) -> Panel:
    lines = []
    for word, told in (
        ("attack a", "Hesper Vane, deputy lead at Tarnwhistle Academy and family of the household"),
        ("School A's former lead", "Marnie Pell, Larkbeck Primary, for educational support"),
    ):
        answer = story.readings[word]
        count = f"{len(answer['entries'])} entries of her own" if isinstance(answer, dict) else f"no answer ({answer})"
        lines.append(Text.assemble(f"{told}: ", (count, "bold")))
    return Panel(Group(*lines), title="Others who asked", border_style="dim")


def _replay(story: Story) -> Panel:
    replay = story.replayed["D+456"]
    table = Table(show_header=True, box=None, expand=True)
    table.add_column("happened", style="cyan", no_wrap=True)
    table.add_column("could see on D+456")
    table.add_column("opened", no_wrap=True)
    for entry in sorted(replay["could_see"], key=lambda one: one["happened"].get("from", one["shared"])):
        when = _opened(entry["opened"]) if entry["opened"] else Text("never opened", style="bold red")
        table.add_row(_on(entry), f"{entry['event'].replace('-', ' ')} ({entry['shown']})", when)
    missing = "The bruised arm of D+309 is not here: the hospital shared it on D+470."
    return Panel(
        Group(table, Text(missing, style="italic")),
        title="What could the deciding worker see on D+456, and what did they open?",
        border_style="blue",
    )


def _opened(moment: str) -> str:
    at = datetime.fromisoformat(moment).astimezone(LONDON)
    return f"D+{(at.date() - DAY_0.date()).days} {at:%H:%M}"


def _on(entry: Entry) -> str:
    day = key_of({"event": "", **entry})[0]
    if len(day) < 10:
        return f"{date.fromisoformat(day + '-01'):%b %Y}"
    return _day_of(day)


def _day_of(text: str) -> str:
    return f"D+{(date.fromisoformat(text[:10]) - DAY_0.date()).days}"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%-d %B %Y}"


def rows_for(readings: Iterable[Mapping[str, Any]]) -> int:
    """How many rows the table has; for the closing line."""
    return len(side_by_side({str(n): one for n, one in enumerate(readings)}))
