"""What the API needs of the hub: its doors and a few callables. Who starts it hands them over; tests hand fakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from hub.casework import Recorded
from hub.disclosure import Answer, Ask, Search, TeamAsk


class Outcome(Protocol):
    """What the API reads of a receipt."""

    @property
    def source(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def position(self) -> int | None: ...


class InboxDoor(Protocol):
    """The machines' endpoint; see `hub.ingest.inbox.Inbox`."""

    def caller(self, token: str) -> str: ...
    def spend(self, source: str, records: int, seconds: float) -> None: ...
    def take(self, source: str, records: Sequence[bytes]) -> str: ...
    def head(self, source: str) -> Mapping[str, object]: ...
    def receipts(self, source: str, after: int) -> tuple[str, int]: ...
    def told(self, source: str, after: int) -> tuple[str, int]: ...
    def open_notice(self, source: str, notice_id: str, person: str) -> Mapping[str, object]: ...


class DisclosureDoor(Protocol):
    """The door out; see `hub.disclosure.Disclosure`."""

    def chronology(self, ask: Ask) -> Answer: ...


class QueryDoor(Protocol):
    """Whom to ring about somebody who is described; see `hub.disclosure.PersonQuery`."""

    def answer(self, search: Search) -> bytes: ...


class ItemsDoor(Protocol):
    """What waits for people; see `hub.disclosure.items.ItemList`."""

    def list(self, person: str, cursor: str = "") -> bytes: ...
    def open(self, person: str, id: str) -> Mapping[str, str]: ...


class TeamsDoor(Protocol):
    """The door out for a team; see `hub.disclosure.Teams`."""

    def open_items(self, ask: TeamAsk) -> Answer: ...


class ReviewDoor(Protocol):
    """The questions about who is who; see `hub.disclosure.review.Review`."""

    def items(self, person: str, role: str, purpose: str) -> list[dict[str, Any]]: ...
    def show(self, person: str, role: str, purpose: str, child: UUID) -> dict[str, Any]: ...
    def readers(self, person: str, role: str, purpose: str, child: UUID) -> list[dict[str, Any]]: ...


class CaseworkDoor(Protocol):
    """The door in for people; see `hub.casework.Casework`."""

    @property
    def review(self) -> ReviewDoor: ...
    def record(self, person: str, entry: Mapping[str, Any], *, role: str = "") -> Recorded: ...
    def settle(self, person: str, what: str, child: UUID, other: UUID, reason: str) -> Recorded: ...
    def split(
        self, person: str, child: UUID, reason: str, *, subjects: Sequence[Mapping[str, str]] = (),
        events: Sequence[Mapping[str, str]] = (), to: UUID | None = None,
    ) -> Recorded: ...  # fmt: skip
    def move(self, person: str, event: Mapping[str, str], to: UUID, reason: str) -> Recorded: ...
    def settle_quarantine(self, person: str, id: str, *, release: bool, reason: str) -> Outcome: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Doors:
    """All that `create_app` needs."""

    inbox: InboxDoor
    disclosure: DisclosureDoor
    query: QueryDoor
    items: ItemsDoor
    teams: TeamsDoor
    casework: CaseworkDoor
    person_of: Callable[[str], str]
    """The person that an access token proves. Errors: `hub.api.auth.BadToken`, `hub.api.issuer_keys.KeysAway`."""
    strict_json: Callable[[bytes, int], dict[str, Any]]
    """Reads one JSON object of at most so many bytes, one reading only. Errors: `ValueError`."""
    purposes: Collection[str]
    """Codes that a reader may name as purpose."""
    roles: Collection[str]
    """Codes that a person may name as the role in which they act."""
    away: tuple[type[Exception], ...] = ()
    """What is raised while the hub cannot reach what it keeps."""
    checks: Sequence[Callable[[], bool]] = ()
    """What must hold before the hub says that it is ready."""
    page_size: int = 50
    """Entries on one page of a chronology, at most."""
    body_s: float = 30
    """How long a body may take to arrive, seconds."""
