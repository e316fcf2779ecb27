"""Judges a run from outside: what was sealed against receipts and against the chronologies that an auditor reads.

`python -m tests.live.judge FOLDER` judges a folder of evidence (`evidence.py`): exit 0 when there is no fault, else 1.
Takes no counter and no word of the hub or the adapters for granted. Says every fault in words that name source and id,
never content.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.live.evidence import Answer, Evidence, Key, Sealed, Sent, Shown, read_evidence

HEARTBEAT = "uk.safeguarding.heartbeat.v1"
SETTLED = ("admitted", "duplicate")


def judge(
    meant: Mapping[str, Counter[str]], sealed: Sequence[Sealed], shown: Sequence[Shown], rank: Mapping[Key, int] = {}
) -> list[str]:
    """Every fault; none when each event that the files mean stands exactly once where it belongs, in its order.

    `meant` is, for each source, how many events of each kind its native files mean. `rank` is the order of records that
    were sent out of their sequence on purpose.
    """
    shown = [one for one in shown if one.source in meant]
    sealed = [one for one in sealed if one.event != HEARTBEAT]  # it stands in no chronology
    return [
        *_against_the_files(meant, sealed),
        *_settled(sealed),
        *_each_once(sealed, shown),
        *_in_order({one.key: one.sequence for one in sealed} | dict(rank), shown),
    ]


def judge_all(evidence: Evidence) -> list[str]:
    """Every fault of a run over Kafka: as above, and every message on a topic of events has exactly one answer."""
    answers = {(one.source, one.cursor): one for one in evidence.answers}
    return [
        *evidence.unsigned,
        *_says_one_thing(evidence.answers),
        *_each_answered_once(evidence.sent, answers.values()),
        *_each_admitted_once(evidence, answers.values()),
        *judge(evidence.meant, evidence.sealed, evidence.shown, _arrivals(evidence)),
    ]


def count(evidence: Evidence, faults: Sequence[str]) -> dict[str, object]:
    """The run in numbers, for whoever reads the verdict."""
    stands = Counter(one.key for one in evidence.shown)
    keys = [one.key for one in evidence.sealed if one.event != HEARTBEAT]
    return {
        "sealed": len(keys),
        "sent": len(evidence.sent),
        "answers": len({(one.source, one.cursor) for one in evidence.answers}),
        "shown": sum(stands[key] for key in keys),
        "children": len({one.child for one in evidence.shown}),
        "lost": sum(not stands[key] for key in keys),
        "doubled": sum(stands[key] > 1 for key in keys),
        "faults": len(faults),
    }


def _against_the_files(meant: Mapping[str, Counter[str]], sealed: Sequence[Sealed]) -> Iterable[str]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in sealed:
        found[one.source][one.event] += 1
    for source in sorted(meant.keys() | found.keys()):
        ours, theirs = meant.get(source, Counter()), found[source]
        for kind in sorted(ours.keys() | theirs.keys()):
            if ours[kind] != theirs[kind]:
                yield f"{source}: the files mean {ours[kind]} {kind}, sealed are {theirs[kind]}"
    doubled = [key for key, count in Counter(one.key for one in sealed).items() if count > 1]
    yield from (f"{source} {id}: sealed twice" for source, id in doubled)


def _settled(sealed: Sequence[Sealed]) -> Iterable[str]:
    for one in sealed:
        if one.state not in SETTLED:
            yield f"{one.source} {one.id}: left in the outbox as {one.state}"


def _each_once(sealed: Sequence[Sealed], shown: Sequence[Shown]) -> Iterable[str]:
    stands: dict[Key, list[Shown]] = defaultdict(list)
    for one in shown:
        stands[one.key].append(one)
    for record in sealed:
        found = stands.pop(record.key, [])
        if len(found) != 1:
            yield f"{record.source} {record.id}: stands {len(found)} times"
        elif found[0].datadigest != record.datadigest:
            yield f"{record.source} {record.id}: other content than was sealed"
        elif record.state == "admitted" and record.position not in (None, found[0].position):
            yield f"{record.source} {record.id}: its receipt names another place"
    yield from (f"{source} {id}: stands there, and nobody sealed it" for source, id in stands)
    places = Counter(one.position for one in shown)
    yield from (f"position {place}: {count} entries" for place, count in places.items() if count > 1)


def _in_order(rank: Mapping[Key, int], shown: Sequence[Shown]) -> Iterable[str]:
    for name, group in (("source", _by(shown, "source")), ("child", _by(shown, "child"))):
        for owner, entries in group.items():
            places = [one.position for one in entries]
            if name == "child" and places != sorted(places):
                yield f"child {owner}: not in the order of admission"
            last: dict[str, int] = {}
            for one in sorted(entries, key=lambda one: one.position):
                number = rank.get(one.key, 0)
                if number and number < last.get(one.source, 0):
                    yield f"{one.source} {one.id}: out of its source's order within a {name}"
                last[one.source] = max(number, last.get(one.source, 0))


def _by(shown: Sequence[Shown], name: str) -> dict[str, list[Shown]]:
    groups: dict[str, list[Shown]] = defaultdict(list)
    for one in shown:
        groups[getattr(one, name)].append(one)
    return groups


# -- over Kafka


def _arrivals(evidence: Evidence) -> dict[Key, int]:
    """Records of shuffled sources in the order in which they first stood on the topic."""
    first: dict[tuple[str, str], int] = {}
    for place, one in enumerate(evidence.sent, 1):
        first.setdefault((one.source, one.record), place)
    shuffled = (one for one in evidence.sealed if one.source in evidence.shuffled)
    return {one.key: first.get((one.source, one.record), 0) for one in shuffled}


def _says_one_thing(answers: Iterable[Answer]) -> Iterable[str]:
    """The same receipts may be published again, with the same words."""
    said: dict[tuple[str, int], Answer] = {}
    for one in answers:
        if said.setdefault((one.source, one.cursor), one) != one:
            yield f"{one.source} receipt {one.cursor}: says two things"
    cursors = Counter(cursor for _, cursor in said)
    yield from (f"receipt {cursor}: given to {count} sources" for cursor, count in cursors.items() if count > 1)


def _each_answered_once(sent: Sequence[Sent], answers: Iterable[Answer]) -> Iterable[str]:
    """As many answers as sends of the same bytes; fewer only where a topic was lost, perhaps before it was read."""
    all_sent = Counter((one.source, one.record) for one in sent)
    kept = Counter((one.source, one.record) for one in sent if one.kept)
    answered = Counter((one.source, one.record) for one in answers)
    for source, record in sorted(all_sent.keys() | answered.keys()):
        times = answered[source, record]
        least, most = kept[source, record], all_sent[source, record]
        if not least <= times <= most:
            yield f"{source} record {record[:16]}: sent {least} to {most} times, answered {times} times"


def _each_admitted_once(evidence: Evidence, answers: Iterable[Answer]) -> Iterable[str]:
    """A sealed record is admitted by one answer, which names its place, and is a duplicate in all others; what nobody
    sealed is never admitted."""
    sealed = {(one.source, one.record): one for one in evidence.sealed}
    places = {one.key: one.position for one in evidence.shown}
    admitted: dict[Key, list[Answer]] = defaultdict(list)
    for answer in answers:
        record = sealed.get((answer.source, answer.record))
        if record is None and answer.outcome in SETTLED:
            yield f"{answer.source} {answer.id}: {answer.outcome}, and nobody sealed it"
        elif record is not None and (answer.outcome not in SETTLED or answer.id != record.id):
            yield f"{record.source} {record.id}: answered as {answer.outcome} {answer.reason}".rstrip()
        elif record is not None and answer.outcome == "admitted":
            admitted[record.key].append(answer)
    yield from _misplaced(sealed.values(), admitted, places)


def _misplaced(
    sealed: Iterable[Sealed], admitted: Mapping[Key, Sequence[Answer]], places: Mapping[Key, int]
) -> Iterator[str]:
    for one in (each for each in sealed if each.event != HEARTBEAT):
        found = admitted.get(one.key, ())
        if len(found) != 1:
            yield f"{one.source} {one.id}: {len(found)} receipts say admitted"
        elif places.get(one.key, found[0].position) != found[0].position:
            yield f"{one.source} {one.id}: its receipt on the topic names another place"


def main(folder: Path) -> int:
    """Judge a folder of evidence: the numbers to stdout, faults to stderr."""
    evidence = read_evidence(folder)
    faults = judge_all(evidence)
    sys.stdout.write(json.dumps(count(evidence, faults)) + "\n")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
