"""The statement that a seal covers: a CloudEvents 1.0 context of eleven members, each a text in its grammar.

It is read twice where need be: first by one regular expression for the way `seal` writes it, and where that does not
match as JSON, member by member. Both ways end alike; the first costs half.

What it does not do: it verifies nothing, asks no clock, and does not judge whose statement it is.
"""

import re
from collections.abc import Collection
from datetime import datetime

from schemas.compact import Refused
from schemas.strict import NotStrict, strict_strings

REPORT = "uk.safeguarding.report.v1"
HEARTBEAT = "uk.safeguarding.heartbeat.v1"
REATTESTATION = "uk.safeguarding.reattestation.v1"
TYPES = frozenset({REPORT, HEARTBEAT, REATTESTATION})
NO_CHILD = "0" * 32
"""The subject of heartbeats and reattestations."""

STATEMENT_LIMIT = 8 * 1024

_NO_TIME = "time or recordedtime is not RFC 3339 with a zone"
YEARS = ("1900", "2999")
"""The first and the last year in which anything is recorded: every clock can count on from there, in every zone."""
_NO_YEAR = "time or recordedtime is not of the years 1900 to 2999"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_GRAMMAR = {
    "specversion": (re.compile(r"1\.0"), "specversion is not 1.0"),
    # Control characters are not allowed in a String (CloudEvents 1.0.2, "Type System").
    "id": (re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,64}"), "id is not 1 to 64 characters"),
    "subject": (re.compile(r"[0-9a-f]{32}"), "subject is not 32 lower-case hex digits"),
    "time": (_TIME, _NO_TIME),
    "recordedtime": (_TIME, _NO_TIME),
    "datacontenttype": (re.compile("application/json"), "datacontenttype is not application/json"),
    "sequence": (re.compile(r"[1-9][0-9]{0,15}"), "sequence is not a decimal from 1"),
    "prevdigest": (
        re.compile(r"|[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"),
        "prevdigest is neither empty nor a SHA-256",
    ),
}
"""What each member of a statement looks like, and what is said where it does not. The others are judged elsewhere."""

_MEMBERS = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "recordedtime",
    "datacontenttype",
    "sequence",
    "prevdigest",
    "datadigest",
)
_STATEMENT_MEMBERS = set(_MEMBERS)


_PLAIN_ID = r'[^"\\\x00-\x1f\x7f-\x9f]{1,64}'
_PLAIN_TEXT = r'[^"\\\x00-\x1f]*'


def _plain_member(name: str) -> str:
    """A member as `seal` writes it: in its grammar, and nothing in it that JSON would have to escape."""
    free = _PLAIN_ID if name == "id" else _PLAIN_TEXT
    form = _GRAMMAR[name][0].pattern if name in _GRAMMAR and name != "id" else free
    return f'"{name}":"(?P<{name}>{form})"'


_PLAIN_STATEMENT = re.compile("{" + ",".join(map(_plain_member, _MEMBERS)) + "}")


def read_statement(raw: bytes, types: Collection[str]) -> dict[str, str]:
    """Member set and grammar of a signed statement. Whose it is, is the next step's question."""
    statement = _match_plain(raw)
    if statement is None:
        try:
            statement = strict_strings(raw, STATEMENT_LIMIT, _STATEMENT_MEMBERS)
        except NotStrict as fault:
            raise Refused("statement", str(fault)) from None
        if broken := _grammar_fault(statement):
            raise Refused("statement", broken)
    if broken := _sense_fault(statement, types):
        raise Refused("statement", broken)
    return statement


def statement_fault(statement: dict[str, str], types: Collection[str]) -> str:
    """The first rule that a statement with all its members breaks, or nothing."""
    return _grammar_fault(statement) or _sense_fault(statement, types)


def _match_plain(raw: bytes) -> dict[str, str] | None:
    """The members of a statement written as `seal` writes it, each in its grammar, or None: then JSON is read."""
    if len(raw) > STATEMENT_LIMIT:
        return None
    try:
        match = _PLAIN_STATEMENT.fullmatch(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    return match.groupdict() if match else None


def _grammar_fault(statement: dict[str, str]) -> str:
    """The first member that is not in its grammar, or nothing."""
    for member, (form, why) in _GRAMMAR.items():
        if not form.fullmatch(statement[member]):
            return why
    return ""


def _sense_fault(statement: dict[str, str], types: Collection[str]) -> str:
    """The first rule broken by members that are each in their grammar, or nothing."""
    if statement["type"] not in types:
        return "type is not known"
    if statement["subject"] != NO_CHILD and statement["type"] in (HEARTBEAT, REATTESTATION):
        return "this type names no child: subject is 32 zeros"
    if not (is_countable(statement["time"]) and is_countable(statement["recordedtime"])):
        return _NO_YEAR
    try:
        if datetime.fromisoformat(statement["time"]) > datetime.fromisoformat(statement["recordedtime"]):
            return "time is after recordedtime"
    except ValueError:
        return _NO_TIME
    return ""


def is_countable(text: str) -> bool:
    """Is this instant, which is in its grammar, of a year that a statement may name?"""
    return YEARS[0] <= text[:4] <= YEARS[1]


def parse_time(text: str) -> datetime:
    """Reads an RFC 3339 instant with its offset, upper-case `T` and `Z`, up to nine digits of fraction.

    Fractions finer than a microsecond are cut. Raises ValueError.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("not an RFC 3339 instant")
    return datetime.fromisoformat(text)
