"""Notices: what the hub must tell an agency, signed by its receipt key, one signature a batch.

A notice names no child by name and no place: the child is the agency's own pseudonym, or nobody where the agency has
none. What else the agency must know, it is answered when a person there opens the notice. When to tell whom what is the
hub's business and not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from schemas import compact
from schemas.compact import Refused
from schemas.keys import KeyEntry, SigningKey
from schemas.receipts import RECEIPTS_LIMIT, Receipt, SourceHead, open_receipts_head, read_head
from schemas.strict import NotStrict, b64url_decode, strict_json

NOTICES_TYP = "sg-notices+jws"
KINDS = {
    "domestic-abuse-notice": "There was a domestic abuse incident. Look after this child today.",
    "undelivered": "What was addressed through the hub could not be delivered. See to it by another way, now.",
    "history-asked": "Somebody asks what you know about this child.",
    "condition-started": "A condition that protects this child was set: see who must not come near.",
    "condition-ended": "A condition that protected this child ended.",
    "entry-removed": "An entry that your people read was removed: it was not about this child.",
    "agreement-withdrawn": "The family withdrew an agreement that names your service.",
    "source-silent": "The hub has not heard from this source for longer than usual.",
}
"""Kind → what it says to people. The same words whatever it is about."""
REASONS = {
    "": "",
    "ambiguous": "More than one school, or none that is known, has this child on its roll.",
    "home-educated": "The child is educated at home.",
    "protected": "It may not be delivered by this way.",
    "closed": "The service that was named is closed.",
    "unknown-service": "No service of this name receives notices here.",
}
"""Why something was not delivered."""
NO_SUBJECT = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a source must be told.

    `subject` is the source's own pseudonym for the child, empty where it has none. `about` is the id of the source's
    own event that the notice answers, else empty: another agency's event is never named. `at` is the hub's RFC 3339
    time, `by_when` an instant or empty, `cursor` the number to ask for later notices after.
    """

    id: str
    kind: str
    at: str
    subject: str
    reason: str
    about: str
    by_when: str
    cursor: int


_ORDER = tuple(f.name for f in fields(Notice))
_TEXTS = tuple(name for name in _ORDER if name != "cursor")


def sign_notices(
    rows: Sequence[Notice], key: SigningKey, *, hub: str, source: str, at: str, head: SourceHead | None = None
) -> str:
    """Signs a batch for one source: payload `{"at", "hub", "source", "rows"}`, and the source's head on a topic."""
    payload: dict[str, object] = {"at": at, "hub": hub, "source": source}
    payload["rows"] = [{name: getattr(row, name) for name in _ORDER} for row in rows]
    if head is not None:
        payload["head"] = {"source": head.source, "sequence": head.sequence, "digest": head.digest}
    return compact.sign(compact.canonical_json(payload), key, NOTICES_TYP)


def open_notices(jws: str, entry: KeyEntry, *, hub: str, source: str) -> tuple[list[Notice], SourceHead | None]:
    """Opens a batch with the pinned receipt key. Raises Refused with the steps of `open_receipts_head`.

    A kind that is not known yet is taken: whoever is told more than they understand still sees that they were told.
    """
    if len(jws) > RECEIPTS_LIMIT:
        raise Refused("size", f"more than {RECEIPTS_LIMIT} characters")
    parts = compact.split(jws, NOTICES_TYP)
    if entry.purpose != "receipt" or parts.kid != entry.kid:
        raise Refused("key", "not the pinned receipt key")
    compact.check_signature(parts, entry)
    try:
        payload = strict_json(parts.payload, RECEIPTS_LIMIT)
    except NotStrict as fault:
        raise Refused("statement", str(fault)) from None
    if payload.keys() - {"head"} != {"at", "hub", "source", "rows"} or type(payload["rows"]) is not list:
        raise Refused("statement", "members are not exactly at, hub, source, rows, and head at most")
    if payload["hub"] != hub or payload["source"] != source:
        raise Refused("statement", "notices of another hub, or to another source")
    return [_read_row(row) for row in payload["rows"]], read_head(payload["head"]) if "head" in payload else None


def open_answers(
    jws: str, entry: KeyEntry, *, hub: str, source: str
) -> tuple[Sequence[Receipt | Notice], SourceHead | None]:
    """Opens whatever the hub publishes on a source's topic: a batch of receipts or of notices. Raises Refused."""
    if _is_notices(jws):
        return open_notices(jws, entry, hub=hub, source=source)
    return open_receipts_head(jws, entry, hub=hub)


def _is_notices(jws: str) -> bool:
    """By the header, which whoever opens it verifies."""
    try:
        header = strict_json(b64url_decode(jws.partition(".")[0].encode("ascii")), 512)
    except (NotStrict, UnicodeEncodeError):
        return False
    return header.get("typ") == NOTICES_TYP


def _read_row(row: object) -> Notice:
    if type(row) is not dict or row.keys() != set(_ORDER):
        raise Refused("statement", "members of a row are not exactly a notice's")
    if any(type(row[name]) is not str for name in _TEXTS) or type(row["cursor"]) is not int:
        raise Refused("statement", "a member of a row has another type")
    return Notice(**row)
