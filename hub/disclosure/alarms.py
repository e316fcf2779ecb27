"""What officers must hear of today: a declared conflict that stood before a reading, searches that found nothing.

Counted from the access stream alone, so that processes and restarts agree. Decides nothing about what a reader sees;
an alarm is recorded with the access that raised it, and its reader cannot tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.disclosure.access import ALARM, SEARCH
from hub.rules.editions import NoEdition, get_edition
from hub.store.record import Record
from hub.store.streams import ACCESS

CONFLICT, SEARCHES = "conflict-attempt", "searches-without-result"
RULE = "searches-without-result"
Alarm = Mapping[str, Any]


class Today:
    """One day's fruitless searches and alarms, followed from the access stream."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self._day, self._seen = "", 0
        self._searches: Counter[str] = Counter()
        self._raised: set[tuple[str, str, str]] = set()

    def conflict(self, day: date, person: str, child: str) -> list[Alarm]:
        """The alarm for an attempt that a declared conflict stopped: once a day for each person and child."""
        self._follow(day)
        return self._once({"kind": CONFLICT, "reader": person, "child": child})

    def search(self, day: date, person: str) -> list[Alarm]:
        """The alarm for one more search without result: once a day, when there are more than the rule's limit."""
        self._follow(day)
        try:
            rule = get_edition(RULE, day)
        except NoEdition:  # a partnership may suspend it
            return []
        limit = rule.text["searches_a_day"]
        if self._searches[person] < limit:
            return []
        return self._once({"kind": SEARCHES, "reader": person, "rule": str(rule), "limit": limit})

    def _once(self, alarm: Alarm) -> list[Alarm]:
        return [] if _of(alarm) in self._raised else [alarm]

    def _follow(self, day: date) -> None:
        """Read what was recorded since, by this process or another."""
        if self._day != day.isoformat():
            self._day, self._seen = day.isoformat(), self.record.last_before(ACCESS, day.isoformat())
            self._searches.clear()
            self._raised.clear()
        for fact in self.record.facts(ACCESS, after=self._seen, topics=(SEARCH, ALARM)):
            self._seen = fact.seq
            if fact.topic == ALARM:
                self._raised.add(_of(fact.data))
            elif fact.data["outcome"] != "answered":
                self._searches[fact.data["reader"]] += 1


def _of(alarm: Alarm) -> tuple[str, str, str]:
    return alarm["kind"], alarm.get("reader", ""), alarm.get("child", "")
