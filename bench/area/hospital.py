"""What a family's children are taken to hospital for, as HL7 version 2 messages of two hospitals.

Attendances at the emergency department, admissions with their discharge, missed appointments; corrected, cancelled,
told of the wrong child first, and messages that are no concern of partners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from bench.area.draw import Draw
from bench.area.feeds import HOSPITALS, Feed
from bench.area.naming import broken_number, phone
from bench.area.people import Child, Family, Period
from bench.area.rates import get_rates
from bench.area.records import Described, Meant, Piece, Recorded

INJURIES = (
    "S00.3^Superficial injury of nose", "S01.8^Open wound of head", "S06.0^Concussion", "S42.4^Fracture of humerus",
    "S52.5^Fracture of lower end of radius", "S60.2^Contusion of hand", "S80.0^Contusion of knee",
    "S93.4^Sprain of ankle", "T23.2^Burn of wrist and hand", "S09.9^Unspecified injury of head",
)  # fmt: skip
COMPLAINTS = (
    "R10.4^Unspecified abdominal pain", "J06.9^Acute upper respiratory infection", "J45.9^Asthma, unspecified",
    "R50.9^Fever, unspecified", "A09.9^Gastroenteritis", "R56.0^Febrile convulsions", "H66.9^Otitis media",
)  # fmt: skip
CLINICS = ("H50.9^Squint", "L20.9^Atopic dermatitis", "J45.9^Asthma, unspecified", "R62.8^Delayed growth")
AGAIN = timedelta(days=33)
SHORT = {"ZZF": "FW", "ZZW": "WI"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as a hospital has it."""

    feed: Feed
    child: Child
    number: str
    happened: datetime
    kind: str
    """E emergency, I inpatient, O outpatient: PV1-2."""
    words: str
    nhs: str
    injury: str = ""
    left: datetime | None = None
    attended: str = ""

    @property
    def person(self) -> str:
        return f"{SHORT[self.feed.code]}-{self.child.index:07}"

    @property
    def described(self) -> Described:
        """As the first message says who the child is. A broken number is dropped."""
        return self.child.described(self.feed.name, self.happened.date(), nhs=self.nhs)

    def record(self, meant: list[Meant], planted: str = "", key: str = "", **more: str) -> Recorded:
        described = self.described if meant else None
        return Recorded(
            f"visit:{key or self.number}", self.child.id, self.person, meant, described, planted=planted, **more
        )

    def message(self, trigger: str, recorded: datetime, part: int) -> str:
        """One ADT message about this visit, as the UK's ITK profile has it."""
        child, day, code = self.child, self.happened.date(), self.feed.code
        home, place = child.home(day), {"E": "ED", "I": "WARD5", "O": "CLINIC2"}[self.kind]
        number = f"{self.nhs_written}^^^NHS^NHSNMBR~" if self.nhs_written else ""
        family, given = child.surname(day), (child.given, child.middle)
        if child.index % 3 == 0:  # a system that shouts
            family, given = family.upper(), (child.given.upper(), child.middle.upper())
        pv1 = ["PV1", "1", self.kind, f"{place}^^^{code}01", {"E": "21", "I": "28", "O": ""}[self.kind]] + [""] * 41
        pv1[10], pv1[19] = {"E": "180", "I": "420", "O": "420"}[self.kind], f"{self.number}^^^VISITID"
        pv1[44] = _stamp(self.happened)
        if trigger == "A03" and self.left:
            pv1[37], pv1[45] = "19", _stamp(self.left)
        happened = self.left if trigger == "A03" and self.left else self.happened
        return "\r".join(
            [
                _header(trigger, code, recorded, f"{self.number}-{part}"),
                f"EVN||{_stamp(recorded)}||||{_stamp(happened)}",
                f"PID|1||{number}{self.person}^^^{code}^PAS||{family}^{given[0]}^{given[1]}^^^^L||"
                f"{child.born_as(self.feed.name):%Y%m%d}|{2 if child.sex == 'F' else 1}|||"
                f"{home.line}^^{home.town}^^{home.postcode}^GBR^H||{phone(child.index).replace(' ', '')}",
                "|".join(pv1).rstrip("|"),
                *([f"PV2|||{self.words}^ICD10"] if self.words else []),
                *([f"DG1|1||{self.injury}^ICD10"] if self.injury else []),
                *([f"ZU3|001||{self.attended}"] if self.attended else []),
                "ZU8||1||0",
            ]
        )

    @property
    def nhs_written(self) -> str:
        return self.nhs or (broken_number(self.child.index) if self.number.endswith("X") else "")


def hospital(family: Family, seed: int, period: Period) -> Iterator[Piece]:
    """All messages of both hospitals about one family."""
    draw = Draw(seed, "hospital", family.index)
    for child in family.children:
        span = child.lives(period)
        if span is None:
            continue
        years, rates = (span[1] - span[0]).days / 365, get_rates()
        made = 0
        for kind, often in (("E", rates["emergency_attendance"]), ("I", rates["admission"]),
                            ("O", rates["was_not_brought"] * family.trouble), ("R", rates["routine"])):  # fmt: skip
            for _ in range(draw.count(often * years)):
                at = datetime.combine(draw.day(*span), time(8 + draw.below(13), draw.below(60)))
                made += 1
                yield from _visit(family, child, kind, at, made, draw)


def _visit(family: Family, child: Child, kind: str, at: datetime, nth: int, draw: Draw) -> Iterator[Piece]:
    half = child.home(at.date()).half
    feed = HOSPITALS[1 - half if draw.happens(get_rates()["crosses"]) else half]
    if _grown(child, feed, at):
        return
    broken = "X" if draw.happens(get_rates()["dummy_number"]) and not child.number_of_at[0] else ""
    number = f"{SHORT[feed.code][0]}V-{child.index:07}-{nth}{broken}"
    nhs = "" if broken else child.nhs_at(feed.name)
    visit = Visit(feed, child, number, at, kind, "", nhs)
    match kind:
        case "E":
            yield from _emergency(family, visit, draw)
        case "I":
            yield from _stay(visit, draw)
        case "O":
            yield from _clinic(visit, draw)
        case "R":
            control = f"{number}-1"
            record = Recorded(f"message:{control}", child.id, planted="trigger-of-no-concern")
            yield _piece(replace(visit, kind="O"), "A28", at, 1, [record], visit_number=False)


def _emergency(family: Family, visit: Visit, draw: Draw) -> Iterator[Piece]:
    rates, day = get_rates(), visit.happened.date()
    injured = draw.happens(rates["injured"])
    visit = replace(visit, words=draw.one(COMPLAINTS), injury=f"{draw.one(INJURIES)}" if injured else "")
    names = ["emergency-attendance", *(["injury-observed"] if injured else [])]
    recorded = visit.happened + timedelta(minutes=10 + draw.below(90))
    later = visit.happened + timedelta(days=1 + draw.below(9), minutes=5)
    dummy = "dummy-number" if visit.nhs_written != visit.nhs else ""
    others = [one for one in family.children if one is not visit.child and _here(one, visit)]
    if others and draw.happens(rates["wrong_child"]):
        yield from _of_the_wrong_child(visit, others[0], names, recorded, later)
    elif draw.happens(rates["cancelled"]):
        yield _piece(visit, "A04", recorded, 1, [visit.record([Meant(name, day, True) for name in names], dummy)])
        back = [Meant("retraction-made", later.date()) for _ in names]
        yield _piece(visit, "A11", later, 2, [visit.record(back, "retracted")])
    else:
        first = _piece(visit, "A04", recorded, 1, [visit.record([Meant(name, day) for name in names], dummy)])
        yield first
        if draw.happens(rates["corrected"]):
            other = COMPLAINTS[(COMPLAINTS.index(visit.words) + 1) % len(COMPLAINTS)]
            corrected = visit.record([Meant("correction-made", later.date())], "corrected")
            yield _piece(replace(visit, words=other), "A08", later, 2, [corrected])
        elif draw.happens(rates["duplicate"]):
            yield again(first, AGAIN)
    if draw.happens(rates["adult_record"]):
        yield _of_an_adult(visit, draw)


def _of_the_wrong_child(
    visit: Visit, other: Child, names: list[str], recorded: datetime, later: datetime
) -> Iterator[Piece]:
    """First told of a brother or sister; then of the right child, and taken back from the other."""
    day, feed = visit.happened.date(), visit.feed.name
    wrong = replace(visit, child=other, nhs=other.nhs_at(feed))
    mistold = wrong.record([Meant(name, day, True) for name in names], "wrong-child", of=other.id)
    mistold.child = visit.child.id
    yield _piece(wrong, "A04", recorded, 1, [mistold])
    back = wrong.record([Meant("retraction-made", later.date(), True) for _ in names], "wrong-child-put-right")
    yield _piece(visit, "A08", later, 2, [visit.record([Meant(name, day) for name in names]), back])


def _stay(visit: Visit, draw: Draw) -> Iterator[Piece]:
    left = visit.happened + timedelta(days=1 + draw.below(4))
    visit = replace(visit, left=left)
    came = _piece(visit, "A01", visit.happened + timedelta(minutes=20), 1,
                  [visit.record([Meant("admission", visit.happened.date())])])  # fmt: skip
    yield came
    gone = visit.record([Meant("discharge", left.date())], key=f"{visit.number}:discharge")
    yield _piece(visit, "A03", left + timedelta(minutes=15), 2, [gone])
    if draw.happens(get_rates()["duplicate"]):
        yield again(came, AGAIN)


def _clinic(visit: Visit, draw: Draw) -> Iterator[Piece]:
    came = draw.happens(0.3)
    visit = replace(visit, words=draw.one(CLINICS), attended="5" if came else "3")
    meant = [] if came else [Meant("was-not-brought", visit.happened.date())]
    recorded = visit.happened + timedelta(minutes=45)
    yield _piece(visit, "A04", recorded, 1, [visit.record(meant, "attended-after-all" if came else "")])


def _of_an_adult(visit: Visit, draw: Draw) -> Piece:
    """A parent, brought to the same department: of no concern here."""
    child = visit.child
    parent = replace(child, given=draw.one(("Isolde", "Magnus")), born=child.born - timedelta(days=9_000), typo_at="")
    number = f"{visit.number}P"
    grown = replace(visit, child=parent, number=number, nhs="", happened=visit.happened + timedelta(hours=1))
    text = grown.message("A04", grown.happened, 1).replace(f"{grown.person}^", f"{grown.person}P^")
    record = Recorded(f"visit:{number}", "", planted="adult")
    return Piece(visit.feed.name, grown.happened, "hl7", text, [record])


def again(piece: Piece, after: timedelta) -> Piece:
    """The same record in a later file."""
    records = [replace(one, meant=[], planted="duplicate", outcome="no-event") for one in piece.records]
    return Piece(piece.feed, piece.at + after, piece.form, piece.body, records, again=True)


def _here(other: Child, visit: Visit) -> bool:
    day = visit.happened.date()
    grown = _grown(other, visit.feed, visit.happened)
    return other.born <= day and not grown and (other.died is None or other.died > day)


def _grown(child: Child, feed: Feed, at: datetime) -> bool:
    """Would this feed's birth date make the child eighteen?"""
    return at.date() >= child.born_as(feed.name) + timedelta(days=18 * 365)


def _piece(
    visit: Visit, trigger: str, at: datetime, part: int, records: list[Recorded], *, visit_number: bool = True
) -> Piece:
    text = visit.message(trigger, at, part)
    if not visit_number:
        text = text.replace(f"{visit.number}^^^VISITID", "")
    return Piece(visit.feed.name, at, "hl7", text, records)


def _header(trigger: str, code: str, at: datetime, control: str) -> str:
    return (
        f"MSH|^~\\&|PAS|{code}|ROUTE|HUB|{at:%Y%m%d%H%M%S}||ADT^{trigger}^ADT_A01|{control}|P|2.4|||||GBR|UNICODE|EN||"
        "iTKv1.0"
    )


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M}"
