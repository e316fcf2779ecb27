"""Naive projectors: each answers as the hub does but for one mistake that looks harmless.

They exist to show that the comparison sees each of these leaks by itself. Never part of the product.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.attacks.answers import Answer, Ask, Client, Question
from tests.attacks.twin_hubs import PAGE_SIZE, Twin


@dataclass
class Naive:
    """A hub's real answers, and the store behind them that a reader never sees."""

    twin: Twin
    client: Client

    def counting(self, question: Question) -> Answer:
        """The number of entries in the record stands in the answer, as page headers like to have it."""
        real = self.client.ask(question)
        return _with(real, {**real.said, "total": len(self._rows(question))})

    def cutting_before_redaction(self, question: Question) -> Answer:
        """Pages are cut from all rows, and what is hidden is then taken out of each."""
        whole, page = self._whole(question), _page_of(question)
        shown = {entry["ref"]: entry for entry in whole.said["entries"]}
        refs = sorted(self._refs(question), key=lambda ref: (_when(shown, ref), ref))
        cut = refs[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        more = {"next": f"page-{page + 1}"} if (page + 1) * PAGE_SIZE < len(refs) else {}
        said = {name: value for name, value in whole.said.items() if name != "next"}
        return _with(whole, {**said, "entries": [shown[ref] for ref in cut if ref in shown], **more})

    def ordering_by_the_log(self, question: Question) -> Answer:
        """Entries stand in the order in which they were admitted."""
        whole = self._whole(question)
        place = {ref: number for number, ref in enumerate(self._refs(question))}
        return _with(whole, {**whole.said, "entries": sorted(whole.said["entries"], key=lambda e: place[e["ref"]])})

    def tagging_the_store(self, question: Question) -> Answer:
        """The ETag is over the state of the child's rows: cheap, and it spares building the answer."""
        real = self.client.ask(question)
        state = hashlib.sha256(b"".join(row.fact.datadigest.encode() for row in self._rows(question))).hexdigest()
        return real.with_headers(etag=f'"{state}"')

    def _whole(self, question: Question) -> Answer:
        """The real answer with all its pages in one."""
        first = Question(question.person, question.child, tuple(q for q in question.query if q[0] != "cursor"))
        answer = self.client.ask(first)
        said = answer.said
        while cursor := said.get("next"):
            following = self.client.ask(first.also(cursor=cursor)).said
            said = {**said, "entries": said["entries"] + following["entries"], "next": following.get("next")}
        said.pop("next", None)
        of_a_page = ("link", "etag", "content-length")
        headers = tuple((name, value) for name, value in answer.headers if name not in of_a_page)
        return Answer(answer.status, headers, json.dumps(said).encode())

    def _rows(self, question: Question) -> list[Any]:
        return self.twin.rows(UUID(question.child))

    def _refs(self, question: Question) -> list[str]:
        disclosure = self.client.hub.disclosure
        reader = disclosure.reader(question.person, dict(question.query)["role"], self._now())
        assert reader is not None
        return [disclosure._refs(reader)(row.fact) for row in self._rows(question)]

    def _now(self) -> datetime:
        return self.client.hub.clock()


NAIVE: dict[str, Callable[[Naive], Ask]] = {
    "count": lambda naive: naive.counting,
    "page": lambda naive: naive.cutting_before_redaction,
    "order": lambda naive: naive.ordering_by_the_log,
    "etag": lambda naive: naive.tagging_the_store,
}
"""What each gives away → the projector that does."""


def _with(real: Answer, said: dict[str, Any]) -> Answer:
    return Answer(real.status, real.headers, json.dumps(said).encode())


def _page_of(question: Question) -> int:
    return int(dict(question.query).get("cursor", "page-0").removeprefix("page-"))


def _when(shown: dict[str, Any], ref: str) -> str:
    entry = shown.get(ref, {})
    return str(entry.get("happened", {}).get("from", ref))
