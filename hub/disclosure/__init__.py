"""The door out: a redacted chronology, recorded before it is answered.

1. Who asks, in which role: from recorded events, never from the token. 2. Which child, and what decisions about it
rest on. 3. The entries, labelled for this reader; rules decide once a label class. 4. The answer is built from what is
allowed; counts, order, marks, pages and the child's own name come from what this reader sees. 5. The access is
recorded; if that fails there is no answer. "No such child" and "not for you" are the same bytes.
"""

from hub.disclosure.access import AccessLog, CannotRecord
from hub.disclosure.answer import NOTICE, RING
from hub.disclosure.door import (
    Answer,
    Ask,
    CannotBeShownComplete,
    Disclosure,
    NoAnswer,
    NoStanding,
)
from hub.disclosure.items import NoSuchItem
from hub.disclosure.open_items import Clocks
from hub.disclosure.paging import BadCursor
from hub.disclosure.query import PersonQuery, Search
from hub.disclosure.staff import NobodyKnown, Staff
from hub.disclosure.teams import TeamAsk, Teams, TooManyChildren
from hub.identity.asked import NotAPerson, description_of

__all__ = [
    "NOTICE",
    "RING",
    "AccessLog",
    "Answer",
    "Ask",
    "BadCursor",
    "CannotBeShownComplete",
    "CannotRecord",
    "Clocks",
    "Disclosure",
    "NoAnswer",
    "NoStanding",
    "NoSuchItem",
    "NobodyKnown",
    "NotAPerson",
    "PersonQuery",
    "Search",
    "Staff",
    "TeamAsk",
    "Teams",
    "TooManyChildren",
    "description_of",
]
