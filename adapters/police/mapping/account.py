"""What every event of a POLE report about one child needs. Pure; knows no kind of event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.kit.outcomes import Event, NativeRecord
from adapters.kit.when import When, of_nothing, of_period, read_iso
from adapters.police.mapping.parts import Remarks, incident_key, said, without_empty
from adapters.police.mapping.people import PeopleOf
from adapters.police.mapping.words import summary
from adapters.police.record.pole import Report

STATEMENTS = ("seen", "told-by", "measured", "opinion", "decision", "nothing-found")
BASES = ("fact", "assessment")


@dataclass(frozen=True)
class Account:
    """What every event of a report about one child needs, worked out once. `common` is beside what each kind adds."""

    report: Report
    record: NativeRecord
    remarks: Remarks
    child: dict[str, Any]
    happened: dict[str, Any]
    recorded: str
    limits: list[str]
    common: dict[str, Any]
    people: PeopleOf

    def event(self, name: str, statement: str, basis: str = "fact", **members: Any) -> Event:
        """An event about this child. `statement` and `basis` stand where the report does not say otherwise."""
        report = self.report
        author = without_empty(role=report.text("author_role")[:120])
        data = without_empty(
            **{
                "change": "new",
                "happened": self.happened,
                "recorded": self.recorded,
                "child": self.child,
                "said_by": {
                    **said(_told(report, "statement", STATEMENTS) or statement, _told(report, "basis", BASES) or basis),
                    **without_empty(author=author),
                },
                "label": without_empty(handling=self.limits),
                "incident": incident_key(self.record.system, report.text("incident_ref") or report.text("report_ref")),
                **self.common,
                **members,
            }
        )
        time = self.recorded if len(self.recorded) > 10 else None
        return Event(name, {**data, "details": members.get("details", {})}, self.record.person, time)

    def summary(self, event: str, *sentences: str) -> dict[str, Any]:
        """What an officer wrote for partners, else the event's template."""
        written = self.report.text("summary")
        return {"text": written[:280], "made": "by-author"} if written else summary(event, *sentences)


def _told(report: Report, member: str, codes: tuple[str, ...]) -> str:
    return report.text(member) if report.text(member) in codes else ""


def happened_of(report: Report, remarks: Remarks) -> When:
    """When it happened: as the report says, else the first time that its own part names; never the time of writing."""
    occurred = report.part("occurred")
    if occurred.text("from") and occurred.text("to"):
        return of_period(read_iso(occurred.text("from"), "occurred.from"), read_iso(occurred.text("to"), "occurred.to"))
    named = (
        occurred.text("from"),
        report.part("missing").text("missing_since"),
        report.part("custody").text("arrested_at"),
        report.part("protection").text("started_at"),
        report.part("condition").text("from"),
        report.text("outcome_at"),
    )
    return next((read_iso(text, "occurred") for text in named if text), of_nothing())
