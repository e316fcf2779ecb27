"""The command line that every adapter has. `main(AGENCY)` is all an agency's `__main__` needs.

Data goes to standard output, words to standard error. Ends with 0 well, 1 a record needs a person or was
not delivered, 2 misused or not set up, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from adapters.kit.agency import Agency
from adapters.kit.broker import make_sealer
from adapters.kit.carrying import MakeHttp, make_carrier, make_door
from adapters.kit.checking import WELL, Check, as_line, printable, trial_settings
from adapters.kit.clock import Clock, ClockRefused, find_clock
from adapters.kit.delivery import SEND_AGAIN_AFTER_S, Carrier, Delivery, Distrusted, Undelivered
from adapters.kit.heartbeat import Heart
from adapters.kit.home import BadHome, Home, open_home, read_settings
from adapters.kit.intake import Intake
from adapters.kit.judging import HELD_BACK
from adapters.kit.keymaking import init_keys, make_request
from adapters.kit.noticing import NoSuchNotice, Opening, open_notice
from adapters.kit.outbox import Outbox, OutboxForeign, OutboxLocked, OutboxUnwritable, open_outbox
from adapters.kit.parsing import make_parser
from adapters.kit.progress import Progress
from adapters.kit.publisher import HttpCarrier
from adapters.kit.rejoining import Behind, rejoin
from adapters.kit.relevance import Sender, checked_sender
from adapters.kit.running import Line
from adapters.kit.sealing import hide_waiting
from adapters.kit.status import as_lines, describe_outbox
from adapters.kit.when import rfc3339

WELL_DONE, FAULT_FOUND, MISUSED, INTERRUPTED = 0, 1, 2, 130
MISUSES = (BadHome, ClockRefused, OutboxLocked, OutboxForeign, NotADirectoryError)


@dataclass(frozen=True)
class Given:
    """What a command works with: the agency, the words on the line, and what tests may replace."""

    agency: Agency
    words: argparse.Namespace
    environment: Mapping[str, str]
    make_http: MakeHttp

    @property
    def home(self) -> Path:
        chosen = self.words.home or self.environment.get("ADAPTER_HOME") or f".adapter-{self.agency.name}"
        return Path(chosen)


def main(
    agency: Agency,
    argv: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    make_http: MakeHttp = HttpCarrier,
) -> int:
    """Runs one command of an agency's adapter and gives its exit code."""
    try:
        words = make_parser(agency).parse_args(argv)
    except SystemExit as ended:  # argparse has said why
        return int(ended.code or 0)
    try:
        return COMMANDS[words.command](Given(agency, words, environment, make_http))
    except MISUSES as fault:
        say(str(fault))
        return MISUSED
    except (Behind, Distrusted, OutboxUnwritable) as fault:
        say(f"stopped: {fault}")
        return FAULT_FOUND
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAULT_FOUND
    except KeyboardInterrupt:
        return INTERRUPTED


def say(words: str) -> None:
    """One line for people."""
    sys.stderr.write(f"{printable(words)}\n")


def do_keys_init(given: Given) -> int:
    """`keys init`."""
    words = {name: str(value) for name, value in vars(given.words).items() if isinstance(value, str)}
    home, made = init_keys(given.home, given.agency, words)
    say(f"made in {given.home}: {', '.join(made)}" if made else f"{given.home} was already set up; nothing was changed")
    say("give this request to the hub's officers; back up the whole folder")
    sys.stdout.write(json.dumps(make_request(home)) + "\n")
    return WELL_DONE


def do_check(given: Given) -> int:
    """`check`."""
    settings = read_settings(given.home, given.agency) if given.words.home else None
    check = Check(given.agency, trial_settings(given.agency, settings))
    ends: dict[str, int] = {}
    try:
        for report in islice(check.check(given.words.files), given.words.limit):
            ends[report["outcome"]] = ends.get(report["outcome"], 0) + 1
            sys.stdout.write((json.dumps(report) if given.words.json else as_line(report)) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as fault:
        say(f"cannot open {fault.filename or ''}: {fault.strerror or fault}")
        return MISUSED
    say(f"{sum(ends.values())} records: {', '.join(f'{count} {end}' for end, count in sorted(ends.items()))}")
    return WELL_DONE if set(ends) <= {*WELL, HELD_BACK} else FAULT_FOUND


def show_status(given: Given) -> int:
    """`status`."""
    settings = read_settings(given.home, given.agency)
    try:
        with open_outbox(given.home / "outbox.db", str(settings["source"]["urn"]), read_only=True) as outbox:
            report = describe_outbox(outbox, settings, given.home)
    except FileNotFoundError:
        say("nothing was read yet: there is no outbox")
        return WELL_DONE
    out = json.dumps(report) if given.words.json else "\n".join(printable(line) for line in as_lines(report))
    sys.stdout.write(out + "\n")
    return WELL_DONE


def list_notices(given: Given) -> int:
    """`notices`."""
    settings = read_settings(given.home, given.agency)
    try:
        with open_outbox(given.home / "outbox.db", str(settings["source"]["urn"]), read_only=True) as outbox:
            notices = outbox.noticing.list_all()
    except FileNotFoundError:
        notices = []
    for one in notices:
        line = json.dumps(one) if given.words.json else _as_notice(one)
        sys.stdout.write(line + "\n")
    say(f"{sum('opened' not in one for one in notices)} of {len(notices)} notices wait to be opened")
    return WELL_DONE


def _as_notice(one: Mapping[str, Any]) -> str:
    end = f"opened {one['opened']} by {one['by']}" if "opened" in one else "NOT OPENED"
    due = f" Before {one['by_when']}." if "by_when" in one else ""
    return printable(f"{one['id'][:12]}  {one['at'][:16]}  {end}  {one['kind']}: {one['says']}{due}")


def do_open_notice(given: Given) -> int:
    """`notices open`."""
    words, clock = given.words, find_clock(given.environment)
    home = open_home(given.home, given.agency)
    real_time = "ADAPTER_DEMO_CLOCK" not in given.environment
    with closing(make_door(home, clock, real_time=real_time, make_http=given.make_http)) as door:
        try:
            with open_outbox(home.outbox_path, home.source, beside=True) as outbox:
                opening = Opening(words.notice, words.by, words.child)
                shown = open_notice(outbox, door.open_notice, home.secrets.agency, opening)
        except (NoSuchNotice, FileNotFoundError) as fault:
            say(str(fault) if isinstance(fault, NoSuchNotice) else "no notice has come here yet")
            return MISUSED
        except Undelivered as fault:
            say(f"not opened: {fault.why}")
            return FAULT_FOUND
    sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
    return WELL_DONE


def do_rejoin(given: Given) -> int:
    """`rejoin`."""
    clock = find_clock(given.environment)
    home = open_home(given.home, given.agency)
    with (
        closing(_make_carrier(given, home, clock)) as carrier,
        open_outbox(home.outbox_path, home.source) as outbox,
    ):
        try:
            compared = rejoin(outbox, carrier, make_sealer(home), clock)
        except Undelivered as fault:
            say(fault.why)
            return FAULT_FOUND
    own, hub = compared.own.sequence, compared.hub.sequence
    if outbox_moved := compared.moved:
        say(f"going on behind number {hub}; the outbox ended at {own}; {compared.sent_again} records sealed again")
        say("a gap was recorded. Read again every file since the backup: what the hub has is taken for a duplicate")
    else:
        say("the heads agree: nothing to do")
    sys.stdout.write(json.dumps({"own_sequence": own, "hub_sequence": hub, "gap": outbox_moved}) + "\n")
    return WELL_DONE


def do_once(given: Given) -> int:
    """`once`."""
    sender = _read_sender(given.words, find_clock(given.environment)())
    with _open_line(given, sender, given.words.folder, again=given.words.again) as line:
        all_in = line.once(given.words.folder, given.words.patience)
        tally, delivery = line.intake.tally, line.delivery
        report = {
            "records": dict(sorted(tally.ends.items())),
            "sealed": tally.sealed,
            "settled": delivery.settled - delivery.beats,
            "refused": delivery.refused,
            "all_receipted": all_in,
        }
        fault = delivery.outbox.get_meta("fault", "")
    sys.stdout.write(json.dumps(report) + "\n")
    if not all_in:
        say(f"not everything has its receipt: {fault or 'the hub gave none'}; nothing is lost, run it again")
    if tally.needs_a_person or delivery.refused:
        say("some records need a person: see status")
    well = all_in and not (tally.needs_a_person or delivery.refused or line.troubles)
    return WELL_DONE if well else FAULT_FOUND


def do_send(given: Given) -> int:
    """`send`."""
    words, now = given.words, find_clock(given.environment)()
    sender = checked_sender(Sender(words.by, words.decided or rfc3339(now), words.reason), now)
    if not sender.reason.strip():
        raise BadHome("--reason says why it is to be sent")
    if not _choose(given, sender):
        say("nothing is held back under this name: see status; what is kept no longer is sent with once DIR --by")
        return MISUSED
    try:
        with _open_line(given, None) as line:
            all_in = line.send_chosen(words.patience)
            report = {"records": dict(sorted(line.intake.tally.ends.items())), "sealed": line.intake.tally.sealed}
            fault = line.delivery.outbox.get_meta("fault", "")
    except OutboxLocked:
        say("chosen; the adapter that runs sends it")
        return WELL_DONE
    sys.stdout.write(json.dumps(report | {"all_receipted": all_in}) + "\n")
    if not all_in:
        say(f"not everything has its receipt: {fault or 'the hub gave none'}; nothing is lost, it is sent again")
    if line.intake.tally.needs_a_person:
        say("not all of it could be sent: a person must look, see status")
    return WELL_DONE if all_in and not line.delivery.refused and not line.intake.tally.needs_a_person else FAULT_FOUND


def do_heartbeat(given: Given) -> int:
    """`heartbeat`."""
    with _open_line(given, None) as line:
        all_in, outbox = line.speak(given.words.patience), line.delivery.outbox
        still = line.heart is not None and line.heart.stands_still()
        report = {"heartbeat_at": outbox.get_meta("heartbeat_at", ""), "all_receipted": all_in, "stands_still": still}
        fault = outbox.get_meta("fault", "")
    sys.stdout.write(json.dumps(report) + "\n")
    if still:
        say("no heartbeat: no file was read for longer than [heartbeat] stops_after_s allows")
    if not all_in:
        say(f"the hub has not heard it: {fault or 'it gave no receipt'}; it is sent again")
    return WELL_DONE if all_in and not still else FAULT_FOUND


def _choose(given: Given, sender: Sender) -> bool:
    """Writes the choice down beside whoever reads and sends. False where nothing is kept under the name."""
    home = open_home(given.home, given.agency)
    try:
        with open_outbox(home.outbox_path, home.source, beside=True) as outbox, outbox.transaction():
            found = outbox.keeping.find_named(given.words.record)
            if found:
                outbox.keeping.choose(given.words.record, sender)
            return bool(found)
    except FileNotFoundError:
        return False


def do_run(given: Given) -> int:
    """`run`."""
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.append(number))
    with _open_line(given, None, given.words.folder) as line:
        say(f"watching {given.words.folder}")
        line.run(given.words.folder, lambda: bool(stopped))
    say("stopped; nothing is lost")
    return WELL_DONE


@contextmanager
def _open_line(
    given: Given, sender: Sender | None, folder: Path | None = None, *, again: bool = False
) -> Iterator[Line]:
    if folder is not None and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    clock = find_clock(given.environment)
    home = open_home(given.home, given.agency)
    with (
        closing(_make_carrier(given, home, clock)) as carrier,
        open_outbox(home.outbox_path, home.source) as outbox,
    ):
        sealer = make_sealer(home)
        if sealer.to is not None:
            hide_waiting(outbox, sealer)
        yield _make_line(given.agency, home, outbox, carrier, clock, sender, again)


def _make_line(
    agency: Agency, home: Home, outbox: Outbox, carrier: Carrier, clock: Clock, sender: Sender | None, again: bool
) -> Line:
    progress = Progress()
    intake = Intake(agency, home, outbox, clock, progress, sender, again)
    again_after_s = home.settings.get("outbox", {}).get("send_again_after_s", SEND_AGAIN_AFTER_S)
    delivery = Delivery(outbox, carrier, home.source, clock, send_again_after_s=again_after_s)
    delivery.on_progress = lambda sent: progress.count(intake.tally.ends.total(), intake.tally.sealed, sent)
    heart = Heart(home, outbox, make_sealer(home), clock)
    return Line(intake, delivery, lambda words: progress.say(printable(words)), heart=heart)


def _make_carrier(given: Given, home: Home, clock: Clock) -> Carrier:
    real_time = "ADAPTER_DEMO_CLOCK" not in given.environment
    return make_carrier(home, clock, real_time=real_time, make_http=given.make_http)


def _read_sender(words: argparse.Namespace, now: datetime) -> Sender | None:
    if bool(words.by) != bool(words.decided):
        raise BadHome("--by and --decided belong together: who chose to send, and when")
    return checked_sender(Sender(words.by, words.decided, words.reason), now) if words.by else None


COMMANDS: Mapping[str, Callable[[Given], int]] = {
    "status": show_status,
    "heartbeat": do_heartbeat,
    "rejoin": do_rejoin,
    "run": do_run,
    "once": do_once,
    "check": do_check,
    "send": do_send,
    "notices": list_notices,
    "notices open": do_open_notice,
    "keys init": do_keys_init,
}
