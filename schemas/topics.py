"""How Kafka's topics are named after sources: one for a source's events, one for the hub's receipts to it.

A source has a topic of its own, with one partition, so that its records keep their order and its name is proved by who
may write there. Both sides compute the name; nothing else ties a topic to a source.
"""

from __future__ import annotations

import re

EVENTS, RECEIPTS = "sg.events.", "sg.receipts."
OURS = "urn:safeguarding:source:"
FOREIGN = "_urn."
LONGEST = 249
"""Characters of a topic's name, at most (Apache Kafka, `Topic.MAX_NAME_LENGTH`)."""

_SLUG = re.compile(r"(?:[a-z0-9.-]|_[0-9a-f]{2})+")
_ESCAPE = re.compile(r"[^a-z0-9:-]")
_ESCAPED = re.compile(r"_([0-9a-f]{2})")


class NoTopic(ValueError):
    """A source's name is too long for a topic."""


def events_topic(source: str) -> str:
    """The topic that a source publishes its records to. Errors: `NoTopic`."""
    return _topic(EVENTS, source)


def receipts_topic(source: str) -> str:
    """The topic on which the hub answers a source. Errors: `NoTopic`."""
    return _topic(RECEIPTS, source)


def slug(source: str) -> str:
    """A source's URN in the characters of topics, users and file names: `urn:safeguarding:source:a:b` is `a.b`.

    No two sources have the same: what is neither small letter, digit nor hyphen is written as its hex code.
    """
    ours = source.startswith(OURS) and len(source) > len(OURS)
    name = source.removeprefix(OURS) if ours else source.removeprefix("urn:")
    return ("" if ours else FOREIGN) + _ESCAPE.sub(_escaped, name).replace(":", ".")


def source_of(topic: str) -> str | None:
    """The source whose topic of events or receipts this is; None for any other name."""
    for prefix in (EVENTS, RECEIPTS):
        if topic.startswith(prefix):
            return _read(topic.removeprefix(prefix))
    return None


def _topic(prefix: str, source: str) -> str:
    name = prefix + slug(source)
    if len(name) > LONGEST:
        raise NoTopic(f"the source's name makes a topic of more than {LONGEST} characters")
    return name


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found[0].encode())


def _read(text: str) -> str | None:
    prefix, rest = ("urn:", text.removeprefix(FOREIGN)) if text.startswith(FOREIGN) else (OURS, text)
    if not _SLUG.fullmatch(rest):
        return None
    try:
        name = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), rest.replace(".", ":")).encode("latin-1").decode()
    except ValueError:
        return None
    source = prefix + name
    return source if slug(source) == text else None  # one spelling only
