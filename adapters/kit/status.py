"""How an adapter stands: what waits, what was refused, what a person must look at. Words and numbers, no content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.kit.agency import Settings
from adapters.kit.broker import KAFKA_FILES, describe_way
from adapters.kit.home import WHAT_TO_BACK_UP
from adapters.kit.keeping import KEEP_DAYS
from adapters.kit.outbox import BEAT, Outbox

MOST_SHOWN = 100

BY_STATE = "SELECT state, count(*), coalesce(sum(length(record)), 0) FROM sealed WHERE event <> ? GROUP BY state"
REFUSED = (
    "SELECT id, event, sequence, outcome, reason, settled_at FROM sealed WHERE state = 'refused'"
    " ORDER BY sequence LIMIT ?"
)
ENDS = (
    "SELECT outcome, reason, field, count(*) FROM native GROUP BY outcome, reason, field"
    " ORDER BY outcome, count(*) DESC"
)
UNREADABLE = "SELECT 'unreadable', reason, '', count(*) FROM unreadable GROUP BY reason ORDER BY count(*) DESC"
KEPT = (
    "SELECT outcome, f.name, n.label, n.reason, n.field FROM native n LEFT JOIN file f ON f.digest = n.file"
    " WHERE n.outcome IN ('held', 'unmappable') UNION ALL"
    " SELECT 'unreadable', f.name, u.label, u.reason, '' FROM unreadable u LEFT JOIN file f ON f.digest = u.file"
    " LIMIT ?"
)
HELD_BACK = (
    "SELECT DISTINCT h.name, f.name, n.label, n.reason, n.at FROM native n JOIN held_about h ON h.system = n.system"
    " AND h.key = n.key AND h.version = n.version LEFT JOIN file f ON f.digest = n.file"
    " WHERE n.outcome = 'held-back' AND n.raw IS NOT NULL ORDER BY n.at DESC LIMIT ?"
)
HELD_BACK_COUNTS = (
    "SELECT reason, count(*), count(raw), min(CASE WHEN raw IS NULL THEN NULL ELSE at END) FROM native"
    " WHERE outcome = 'held-back' GROUP BY reason ORDER BY reason"
)
LAST_FILE = "SELECT name, records, at FROM file ORDER BY rowid DESC LIMIT 1"
OLDEST_WAITING = "SELECT min(sealed_at) FROM sealed WHERE state IN ('pending', 'sent')"


def describe_outbox(outbox: Outbox, settings: Settings, home: Path) -> dict[str, Any]:
    """The whole status as one JSON object; absent members are not known."""
    source = str(settings["source"]["urn"])
    states = {state: count for state, count, _ in outbox.select(BY_STATE, BEAT)}
    head = outbox.get_head()
    report: dict[str, Any] = {
        "source": source,
        "transport": describe_way(settings),
        "head": {"sequence": head.sequence, "digest": head.digest},
        "pending": states.get("pending", 0),
        "awaiting_receipt": states.get("sent", 0),
        "admitted": states.get("admitted", 0) + states.get("duplicate", 0),
        "refused": states.get("refused", 0),
        "refused_rows": _rows(outbox, REFUSED, ("id", "event", "sequence", "outcome", "reason", "at"), MOST_SHOWN),
        "records": [
            *_rows(outbox, ENDS, ("outcome", "reason", "field", "count")),
            *_rows(outbox, UNREADABLE, ("outcome", "reason", "field", "count")),
        ],
        "to_look_at": _rows(outbox, KEPT, ("outcome", "file", "record", "reason", "field"), MOST_SHOWN),
        "held_back": {
            "keep_days": settings.get("relevance", {}).get("keep_days", KEEP_DAYS),
            "rules": _rows(outbox, HELD_BACK_COUNTS, ("rule", "count", "kept", "oldest")),
            "records": _rows(outbox, HELD_BACK, ("name", "file", "record", "rule", "since"), MOST_SHOWN),
        },
        "notices": {"unopened": outbox.noticing.count_unopened()},
        "gaps": _rows(outbox, "SELECT at, own_sequence, hub_sequence FROM gap", ("at", "own_sequence", "hub_sequence")),
        "back_up": [str(home / name) for name in _what_to_back_up(home)],
    }
    files = _rows(outbox, LAST_FILE, ("name", "records", "at"))
    known = {
        "last_file": files[0] if files else None,
        "waiting_since": outbox.select(OLDEST_WAITING)[0][0],
        "answered_at": outbox.get_meta("answered_at", None),
        "receipts_at": outbox.get_meta("receipts_at", None),
        "hub_clock_ahead_s": outbox.get_meta("hub_ahead_s", None),
        "heartbeat_at": outbox.get_meta("heartbeat_at", None),
        "fault": outbox.get_meta("fault", "") or None,
    }
    return report | {name: value for name, value in known.items() if value is not None}


def _what_to_back_up(home: Path) -> list[str]:
    return [*WHAT_TO_BACK_UP, *(name for name in KAFKA_FILES if (home / name).exists())]


def _rows(outbox: Outbox, question: str, names: tuple[str, ...], *given: Any) -> list[dict[str, Any]]:
    rows = outbox.select(question, *given)
    return [{n: v for n, v in zip(names, row, strict=True) if v not in (None, "")} for row in rows]


def as_lines(report: dict[str, Any]) -> list[str]:
    """The status for people."""
    way, waits = report["transport"], report["pending"] + report["awaiting_receipt"]
    lines = [
        f"source            {report['source']}",
        f"goes by           {way['way']} to {', '.join(way['to'])}" + (f" as {way['user']}" if "user" in way else ""),
        f"sealed            {report['head']['sequence']} records, heartbeats too",
        f"to be sent        {report['pending']}",
        f"awaiting receipt  {report['awaiting_receipt']}",
        *([f"oldest waits      since {report['waiting_since']}"] if waits else []),
        f"at the hub        {report['admitted']}",
        f"refused           {report['refused']}",
    ]
    lines += [
        f"  {row['event']} {row['id']}: {row['outcome']}, {row.get('reason', '')}" for row in report["refused_rows"]
    ]
    lines.append("records read")
    lines += [
        f"  {row['count']:>6}  {row['outcome']:<11} {row.get('field', '')} {row.get('reason', '')}".rstrip()
        for row in report["records"]
    ] or ["  none yet"]
    lines += _held_back_lines(report["held_back"])
    if unopened := report["notices"]["unopened"]:
        lines.append(f"notices           {unopened} that nobody has opened: see notices")
    if report["to_look_at"]:
        lines.append("to look at")
        lines += [
            f"  {row.get('file', '?')} {row.get('record', '')}: {row['outcome']} {row.get('field', '')}"
            f" {row.get('reason', '')}"
            for row in report["to_look_at"]
        ]
    if "last_file" in report:
        lines.append(f"last file         {report['last_file']['name']}, {report['last_file']['at']}")
    lines += [
        f"gap               {row['own_sequence']} to {row['hub_sequence']}, {row['at']}" for row in report["gaps"]
    ]
    if abs(report.get("hub_clock_ahead_s", 0)) > 5:
        lines.append(f"clock             the hub's is {report['hub_clock_ahead_s']} s ahead of ours")
    if "answered_at" in report:
        who = "hub" if way["way"] == "https" else "broker"
        lines.append(f"{who + ' answered':<18}{report['answered_at']}")
    if "receipts_at" in report:
        lines.append(f"last receipts     {report['receipts_at']}")
    if "heartbeat_at" in report:
        lines.append(f"last heartbeat    {report['heartbeat_at']}")
    if "fault" in report:
        lines.append(f"sending stands    {report['fault']}")
    lines.append(f"back up           {', '.join(report['back_up'])}")
    return lines


def _held_back_lines(held: dict[str, Any]) -> list[str]:
    """What stays in the agency, apart from what a person must look at: nothing is wrong with it."""
    if not held["rules"]:
        return []
    lines = [f"held back         kept for {held['keep_days']} days; send one: send NAME --by PERSON --reason WORDS"]
    for row in held["rules"]:
        since = f", the oldest since {row['oldest']}" if row["kept"] else ""
        lines.append(f"  {row['count']:>6}  {row['rule']}: {row['kept']} kept{since}")
    return lines + [
        f"  {row['name']}  {row.get('file', '?')} {row.get('record', '')}: {row['rule']}, since {row['since']}"
        for row in held["records"]
    ]
