"""Which child is this? Looks the rules' answer up in what is recorded; the rules themselves are in `hub.identity`.

It never waits: without a match, or in doubt, the event gets a new provisional child at once and people get a question.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from hub.domain.facts import Fact
from hub.domain.versions import taken_back
from hub.identity.assigning import assigned_to
from hub.identity.matching import HUB_CHILD, Description, Verdict, describe, judge, merged, tokens
from hub.identity.register import ASSIGNED, Register, Subject, assignment
from hub.ingest.batch import Batch
from hub.rules.editions import get_edition
from hub.store.record import Record
from hub.store.streams import IDENTITY
from schemas.envelope import Opened
from schemas.rules import is_urgent

HELD_IN_MEMORY = 5_000
MOST_ASKED = 20
"""Candidates that one question names, the best first; it says how many more were found."""
MOST_COMPARED = 100
"""Children whose descriptions are read for one record, where it is certain without the rest that people are asked."""
READ_AHEAD = 2_000
"""Children whose descriptions are read ahead for one batch; whoever else is found is read when it is compared."""
K = TypeVar("K")
V = TypeVar("V")


class UnknownChild(Exception):
    """A person's entry names a child id that the hub never gave."""


@dataclass(slots=True)
class Resolver:
    """Finds or makes the child of an event. One per process; it follows the identity stream."""

    record: Record
    index_key: bytes
    register: Register = field(default_factory=Register)
    _held: OrderedDict[UUID, tuple[Description, int]] = field(default_factory=OrderedDict)
    """What describes a child, and how many words had been learned when it was read."""
    _said: OrderedDict[Subject, tuple[UUID, Mapping[str, Any], int]] = field(default_factory=OrderedDict)
    """What a source last said of a child, word for word: systems repeat it with every event. And which word it was."""
    _learned: int = 0

    def catch_up(self) -> Register:
        """The register up to the last fact of the identity stream."""
        settled = False
        for fact in self.record.facts(IDENTITY, after=self.register.seq):
            self.register.evolve(fact)
            settled = settled or fact.name != ASSIGNED
        if settled:
            self.clear()
        return self.register

    def appended(self, stream: UUID) -> None:
        """Another process wrote to this stream: whoever it describes is read again."""
        self.recorded(stream)
        self._held.pop(self.register.survivor(stream), None)

    def recorded(self, stream: UUID) -> None:
        """What is written where splits and moves sent anything may describe another child than it says: read again."""
        if self.register.exchanged and stream in self.register.exchanged:
            self.clear()

    def forget(self) -> None:
        """Another writer was faster, or a batch was given up: start again from what is recorded."""
        self.register = Register()
        self.clear()

    def prepare(self, batch: Batch, reports: Iterable[Opened]) -> None:
        """Ask at once what each would ask by itself: how far the children's streams are whom their source spoke of
        before, and who is found under the descriptions of the others."""
        wanted: list[bytes] = []
        known: list[UUID] = []
        for one in reports:
            child, said_of = one.data.get("child"), (one.statement["source"], one.statement["subject"])
            if child is None:
                continue
            if (place := self.register.find_place(said_of)) is not None:
                known.append(place)
                continue
            with suppress(LookupError, TypeError, ValueError, AttributeError):  # its form is judged further in
                wanted += self._described(batch, said_of, child)[1]
        batch.fetch_versions(dict.fromkeys(known))
        batch.fetch_children(list(dict.fromkeys(wanted)))
        self._read_ahead(batch, wanted)

    def _read_ahead(self, batch: Batch, under: Sequence[bytes]) -> None:
        """Read at once what describes those who are found, where it is not held: others may have written all of it."""
        found = islice(dict.fromkeys(self.register.found_under(batch.find_children(under))), READ_AHEAD)
        away = [assigned_to(self.register, one) for one in found if one not in self._held]
        batch.read_ahead([stream for one in away for stream in one.streams])

    def child(self, batch: Batch, statement: Mapping[str, str], data: Mapping[str, Any], *, kept: bool) -> UUID:
        """The child of one event, assigned in this batch if it is new. Errors: `UnknownChild`."""
        source, subject, child = statement["source"], statement["subject"], data["child"]
        found = self.register.find_place((source, subject))
        if found is not None and self._is_known(found, (source, subject), child):
            return found
        new, under = self._described(batch, (source, subject), child)
        if found is None and kept:
            found = self._named(child)
            self._assign(batch, source, subject, found, Verdict("same", "hub-id"), urgent=is_urgent(data))
        elif found is None:
            found = self._match(batch, source, subject, new, under, is_urgent(data))
        self._learn(batch, found, new, under)
        self._learned += 1
        _keep(self._said, (source, subject), (found, child, self._learned))
        return found

    def _is_known(self, found: UUID, said_of: Subject, child: Mapping[str, Any]) -> bool:
        """Did this source say the very same the last time, and after what is held of the child was read?"""
        last = self._said.get(said_of)
        if last is None or last[:2] != (found, child):
            return False
        held = self._held.get(self.register.survivor(found))
        return held is None or held[1] < last[2]

    def unlearn(self, child: UUID) -> None:
        """Something about this child was retracted: what describes it is read again before it is compared again."""
        self._held.pop(self.register.survivor(child), None)
        self._said.clear()

    def subject_of(self, source: str, id: str) -> str | None:
        """The pseudonym under which an admitted event speaks of its child; None where there is no such event."""
        rows = self.record.query("SELECT subject FROM inbox WHERE source=? AND id=?", (source, id))
        return rows[0][0] if rows else None

    def settled(self, fact: Fact) -> None:
        """People said something about who is who: what describes whom is read again."""
        self.register.evolve(fact)
        self.clear()

    def clear(self) -> None:
        """What describes whom is read again."""
        self._held.clear()
        self._said.clear()

    def _described(
        self, batch: Batch, said_of: Subject, child: Mapping[str, Any]
    ) -> tuple[Description, Sequence[bytes]]:
        """What is said of a child, and the tokens that find it; made once in a batch for the same words."""
        made = batch.described.get(said_of)
        if made is None or made[0] != child:
            new = describe(child)
            made = batch.described[said_of] = child, new, tokens(new, self.index_key)
        return made[1:]

    def _named(self, child: Mapping[str, Any]) -> UUID:
        for one in child.get("identifiers", ()):
            if one["system"] == HUB_CHILD and (named := _uuid(one["value"])) and self.register.knows(named):
                return named
        raise UnknownChild

    def _match(
        self, batch: Batch, source: str, subject: str, new: Description, under: Sequence[bytes], urgent: bool
    ) -> UUID:
        verdicts, more = self._compared(batch, new, self.register.found_under(batch.find_children(under)))
        same = [one for one, verdict in verdicts.items() if verdict.outcome == "same"]
        unsure = [one for one, verdict in verdicts.items() if verdict.outcome == "unsure"]
        if len(same) == 1:  # of whom somebody said that they are not this child, nobody is asked again
            unsure = [one for one in unsure if not self.register.said_apart(one, same[0])]
        if len(same) == 1 and not unsure:
            self._assign(batch, source, subject, same[0], verdicts[same[0]], urgent=urgent)
            return same[0]
        unsure.sort(key=lambda one: (-len(verdicts[one].agrees), len(verdicts[one].contradicts)))
        candidates = same + unsure
        doubt = verdicts[candidates[0]] if candidates else Verdict("different", "none")
        child = uuid.uuid4()
        batch.begin(child)
        more += len(candidates[MOST_ASKED:])
        self._assign(
            batch, source, subject, child, doubt, urgent=urgent, candidates=candidates[:MOST_ASKED], more=more, new=True
        )
        _keep(self._held, child, (Description(), self._learned))
        return child

    def _compared(self, batch: Batch, new: Description, found: Sequence[UUID]) -> tuple[dict[UUID, Verdict], int]:
        """How each compares, and how many are left unread: none whose verdict could make this one of them the child.

        With two who match, or with one in doubt of whom nobody ever said that they are not another, people are asked,
        whatever the rest say.
        """
        verdicts: dict[UUID, Verdict] = {}
        same, certain = 0, False
        for one in found:
            if certain and len(verdicts) >= MOST_COMPARED:
                break
            verdict = verdicts[one] = judge(new, self._description(batch, one))
            same += verdict.outcome == "same"
            doubted = verdict.outcome == "unsure" and not certain and not self.register.is_parted(one)
            certain = certain or same > 1 or doubted
        return verdicts, len(found) - len(verdicts)

    def _assign(
        self, batch: Batch, source: str, subject: str, child: UUID, verdict: Verdict, *, urgent: bool,
        candidates: list[UUID] | None = None, more: int = 0, new: bool = False,
    ) -> None:  # fmt: skip
        edition = get_edition("identity-match", date.fromisoformat(batch.at[:10]))
        rule = verdict.rule or "unsure"
        data = assignment(
            source, subject, child, rule=f"{rule}/{edition.edition}", new=new, agrees=verdict.agrees,
            contradicts=verdict.contradicts, candidates=candidates or (), more=more, urgent=urgent,
            at=batch.at,
        )  # fmt: skip
        index = batch.note(IDENTITY, f"{ASSIGNED}/v1", data)
        seq = batch.facts[index].originator_version
        self.register.evolve(_noted(data, seq))

    def _description(self, batch: Batch, child: UUID) -> Description:
        held = self._held.get(child)
        if held is None:
            held = merged(self._told(batch, child)), self._learned
            _keep(self._held, child, held)
        return held[0]

    def _told(self, batch: Batch, child: UUID) -> list[Description]:
        """What stands of a child's descriptions. A retraction takes one back, and does not repeat it.

        What people moved says who its source took for the child: it describes nobody.
        """
        read = assigned_to(self.register, child).read(batch.facts_of)
        taken = [(fact, taken_back(fact)) for fact in read if fact.key not in self.register.moved]
        gone = {key for _, keys in taken for key in keys}
        return [describe(fact.data.get("child", {})) for fact, keys in taken if not keys and fact.key not in gone]

    def _learn(self, batch: Batch, child: UUID, new: Description, under: Sequence[bytes]) -> None:
        """Later events may find the child under what this one says of it."""
        read_as = self.register.survivor(child)
        held = self._held.get(read_as)
        if held is not None and held[0] | new == held[0]:
            return
        if held is not None:
            self._held[read_as] = held[0] | new, held[1]
        batch.learn(under, child)


def _keep(some: OrderedDict[K, V], key: K, value: V) -> None:
    """Remember, and forget what was remembered first."""
    some[key] = value
    if len(some) > HELD_IN_MEMORY:
        some.popitem(last=False)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _noted(data: dict[str, Any], seq: int) -> Fact:
    return Fact(name=ASSIGNED, version=1, data=data, seq=seq)
