"""A toy agency and a fake hub for the kit's tests. Run as a program it is the toy's own adapter.

Toy format: one JSON object a line, {"id", "v", "child", "says", ...}; `says` chooses the outcome.
"""

import hashlib
import json
import os
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

from adapters.kit.agency import Agency, Format
from adapters.kit.delivery import HubHead, Undelivered
from adapters.kit.outbox import Head
from adapters.kit.outcomes import Event, Events, Held, NativeRecord, NoEvent, Remark, Unmappable, Unreadable
from adapters.kit.reading import ReadFault, decode, read_lines, strict_json
from schemas.catalogue import get_example
from schemas.envelope import (
    HEARTBEAT,
    KeyEntry,
    Receipt,
    Refused,
    SealingKey,
    SigningKey,
    open_envelope,
    open_transport_token,
    sign_receipts,
    statement_digest,
)
from schemas.notices import Notice, sign_notices

NOON = datetime(2024, 10, 3, 12, 0, tzinfo=UTC)
HUB = "urn:safeguarding:hub:toytown"
SOURCE = "urn:safeguarding:source:toy-clinic"
AUDIENCE = f"{HUB}/inbox"
EXAMPLE = get_example("injury-observed", 1)
KITS_OWN = ("event", "version", "partnership", "origin", "said_by", "relevance")


def read_toy(path, stream, settings):
    for line in read_lines(stream, 1024 * 1024):
        label = f"line {line.number}"
        if line.too_long:
            yield Unreadable("line-too-long", label, line.raw)
            continue
        try:
            text, remarks = decode(line.raw)
            toy = strict_json(text)
            yield NativeRecord(
                key=toy["id"],
                version=toy.get("v", ""),
                person=toy["child"],
                raw=line.raw,
                parsed=toy,
                format="toy/1",
                format_version="2024",
                system="toybox",
                remarks=remarks,
                label=label,
                supersedes=toy.get("supersedes", ""),
            )
        except (ReadFault, KeyError, TypeError):
            yield Unreadable("toy-form", label, line.raw)


def make_event(toy, name="injury-observed", **changes):
    data = {k: v for k, v in EXAMPLE.items() if k not in KITS_OWN}
    data["said_by"] = {"statement": "seen", "basis": "fact"}
    data["summary"] = {"text": toy.get("text", "A toy."), "made": "by-author"}
    return Event(name=name, data=data | changes.pop("data", {}), person=toy["child"], **changes)


def map_toy(record, last, settings):
    toy = record.parsed
    match toy["says"]:
        case "injury":
            time = toy.get("time", "2024-10-03T09:00:00+01:00")
            return Events((make_event(toy, time=time),), (Remark("unknown-code", "text", "T9"),))
        case "unremarkable":  # an event that is on no list
            return Events((make_event(toy, data={"details": {"suspected": "accidental"}}),))
        case "twice":
            return Events((make_event(toy), make_event(toy)))
        case "nothing":
            return NoEvent("negative-finding")
        case "hold":
            return Held("identity-conflict", "child")
        case "odd":
            return Unmappable("says", "The code is not known.")
        case "misfit":
            return Events((make_event(toy, data={"shoe_size": "9"}),))
        case "huge":
            return Events(
                (
                    make_event(
                        toy,
                        data={
                            "narrative": {"text": "x" * 99_000},
                            "adults_account": "ö" * 20_000,
                            "people": [
                                {"ref": str(n), "group": "others", "description": "é" * 500} for n in range(200)
                            ],
                        },
                    ),
                )
            )
        case "replace":
            return Events(
                (make_event(toy, data={"change": "replaces"}, about=(record.key, "injury-observed"), as_="replaces"),)
            )
        case "retract":
            data = {"details": {"reason": "wrong-child"}}
            return Events(
                (make_event(toy, "retraction-made", data=data, about=(record.key, "injury-observed"), as_="retracts"),)
            )
        case "compare":
            return NoEvent(f"last-was-{last.version if last else 'none'}")
        case "break":
            raise RuntimeError("Wrenna Quillfeather")
    return Unmappable("says", "The code is not known.")


TOY_FORMAT = Format("toy", read_toy, map_toy, sniff=lambda path, head: head.startswith(b"{"), suffixes=(".toy",))
TOY = Agency(
    "toy",
    (TOY_FORMAT,),
    title="toy",
    defaults={"toy": {"shelf": 1}},
)


class FakeHub:
    """Judges as the door does, as far as an adapter can tell. `fail` makes it fail in a named way, so many times."""

    def __init__(self):
        self.key = SigningKey.generate()
        self.sealing = SealingKey.generate()
        self.keys = {}
        self.held = {}
        self.entries = []
        self.beats = []
        self.refusals = {}
        self.receipts = []
        self.notices = []
        self.openings = []
        self.head = Head(0, "")
        self.fault = ""
        self.faults_left = 0
        self.batches = []
        self.tokens = set()
        self.lock = threading.Lock()

    @property
    def receipt_entry(self):
        return KeyEntry.from_jwk(self.key.public_jwk(), source=HUB, purpose="receipt")

    def register(self, request):
        for purpose in ("event", "transport"):
            entry = KeyEntry.from_jwk(request[purpose]["jwk"], source=request["source"], purpose=purpose)
            self.keys[entry.kid] = entry

    def fail(self, fault, times=1):
        self.fault, self.faults_left = fault, times

    def _fails(self, fault):
        if self.fault != fault or not self.faults_left:
            return False
        self.faults_left -= 1
        return True

    # -- what the door does

    def judge(self, record):
        record_sha256 = hashlib.sha256(record).hexdigest()
        try:
            opened = open_envelope(record, lambda kid: self.keys.get(kid), unseal=self.sealing)
        except Refused as refused:
            return self._receipt("", "", "quarantined", refused.step, None, record_sha256)
        event_id = opened.statement["id"]
        if opened.statement["type"] == HEARTBEAT and self.head.sequence < int(opened.statement["sequence"]):
            self.beats.append(opened.data)
        self.head = Head(int(opened.statement["sequence"]), statement_digest(opened.statement_bytes))
        digest = (opened.statement["datadigest"], opened.statement["subject"])
        if event_id in self.refusals:
            outcome, reason = "quarantined", self.refusals[event_id]
        elif opened.statement["type"] == HEARTBEAT:
            outcome, reason = "admitted", ""
        elif event_id not in self.held:
            self.held[event_id] = digest
            self.entries.append(opened.data)
            outcome, reason = "admitted", ""
        else:
            same = self.held[event_id] == digest
            outcome, reason = ("duplicate", "") if same else ("quarantined", "same-id-other-content")
        return self._receipt(event_id, opened.statement_sha256, outcome, reason, len(self.entries), record_sha256)

    def _receipt(self, event_id, statement, outcome, reason, position, record_sha256):
        cursor = len(self.receipts) + 1
        position = position if outcome == "admitted" else None
        receipt = Receipt(
            SOURCE, event_id, statement, outcome, reason, position, "2024-10-03T12:00:01Z", cursor, record_sha256
        )
        self.receipts.append(receipt)
        return receipt

    def release(self, receipt):
        """A person releases what was quarantined: a superseding receipt."""
        return self._receipt(receipt.id, receipt.statement, "admitted", "", 1, receipt.record)

    def sign(self, receipts):
        return sign_receipts(receipts, self.key, hub=HUB, at="2024-10-03T12:00:01Z")

    def tell(self, kind, subject="", **more):
        """Something that the source must be told."""
        number = len(self.notices) + 1
        given = {"reason": "", "about": "", "by_when": "", **more}
        self.notices.append(Notice(f"{number:032x}", kind, "2024-10-03T12:00:01Z", subject, cursor=number, **given))
        return self.notices[-1]

    def sign_notices(self, notices, head=None):
        at = "2024-10-03T12:00:01Z"
        key = SigningKey.generate() if self._fails("other-notices-key") else self.key
        return sign_notices(notices, key, hub=HUB, source=SOURCE, at=at, head=head)

    def open(self, notice_id, person):
        self.openings.append((notice_id, person))
        child = {"names": [{"family": "Quillfeather", "given": ["Wrenna"]}]}
        return {"id": notice_id, "kind": "history-asked", "opened": "2024-10-03T12:00:05Z", "child": child}

    # -- as HTTP

    def answer(self, method, url, headers, body):
        with self.lock:
            return self._answer(method, urlsplit(url), headers, body)

    def _answer(self, method, url, headers, body):
        if self._fails("down"):
            return 503, {}, b"{}"
        if self._fails("busy"):
            return 429, {"Retry-After": "7"}, b"{}"
        if self._fails("not-json"):
            return 200, {}, b"<html>"
        try:
            token = headers["authorization"].removeprefix("Bearer ")
            caller = open_transport_token(token, lambda kid: self.keys.get(kid), audience=AUDIENCE, now=NOON)
        except Refused:
            return 401, {}, b"{}"
        assert caller.jti not in self.tokens
        self.tokens.add(caller.jti)
        return 200, {}, json.dumps(self._route(method, url, headers, body)).encode()

    def _route(self, method, url, headers, body):
        if (method, url.path) == ("GET", "/inbox/head"):
            return {"source": SOURCE, "sequence": self.head.sequence, "digest": self.head.digest}
        if (method, url.path) == ("GET", "/inbox/receipts"):
            asked = parse_qs(url.query)
            receipts, following = self.later(int(asked["after"][0]))
            notices = self.notices[int(asked["notices_after"][0]) :]
            told = {"notices": self.sign_notices(notices), "notices_next": len(self.notices)}
            return {"receipts": self.sign(receipts), "next": following, **told}
        if method == "POST" and url.path.startswith("/inbox/notices/"):
            return self.open(url.path.split("/")[3], json.loads(body)["person"])
        assert (method, url.path, headers["content-type"]) == ("POST", "/inbox", "application/x-ndjson")
        assert len(body) <= 4 * 1024 * 1024
        return {"receipts": self.sign_other(self.take(body.rstrip(b"\n").split(b"\n")))}

    def take(self, records):
        assert len(records) <= 500
        self.batches.append(len(records))
        receipts = [self.judge(record) for record in records]
        return receipts[1:] if self._fails("one-receipt-lost") else receipts

    def sign_other(self, receipts):
        if self._fails("other-key"):
            return sign_receipts(receipts, SigningKey.generate(), hub=HUB, at="2024-10-03T12:00:01Z")
        return self.sign(receipts)

    def later(self, after):
        found = [receipt for receipt in self.receipts if receipt.cursor > after][:100]
        return found, found[-1].cursor if found else after

    def transport(self):
        def handle(request):
            if self._fails("no-connection"):
                raise httpx.ConnectError("refused")
            status, headers, body = self.answer(request.method, str(request.url), request.headers, request.content)
            if self._fails("answer-lost"):
                raise httpx.ReadError("cut")
            headers = {"Date": "Thu, 03 Oct 2024 12:00:30 GMT", **headers}
            return httpx.Response(status, headers=headers, content=body)

        return httpx.MockTransport(handle)


class DirectCarrier:
    """Carries to the fake hub without HTTP: a second carrier for the same promises."""

    hub_ahead_s = None
    ask_every_s = 60.0

    def __init__(self, hub):
        self.hub = hub

    def _check(self):
        for fault, after in (("down", None), ("no-connection", None), ("busy", 7.0), ("not-json", None)):
            if self.hub._fails(fault):
                raise Undelivered(fault, after)

    def send(self, records):
        self._check()
        receipts = self.hub.take(list(records))
        if self.hub._fails("answer-lost"):
            raise Undelivered("cut")
        return receipts

    def get_head(self):
        self._check()
        return HubHead(self.hub.head)

    def get_receipts(self, after, wait_s):
        self._check()
        known, _, notice = after.partition(".")
        receipts, following = self.hub.later(int(known or 0))
        notices = self.hub.notices[int(notice or 0) :]
        return [*receipts, *notices], f"{following}.{len(self.hub.notices)}"

    def get_restored_place(self):
        return ""

    def close(self):
        pass


def serve(hub):
    """The fake hub on 127.0.0.1, any free port. Gives the server; its thread ends with it."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, answer = hub.answer(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _do

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    from adapters.kit.command import main

    if dies_after := os.environ.get("TOY_DIES_AFTER"):
        import adapters.kit.outbox as outbox_module

        left = int(dies_after)
        execute = outbox_module.Outbox.transaction

        import contextlib

        @contextlib.contextmanager
        def mortal(self):
            global left
            with execute(self):
                yield
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), 9)

        outbox_module.Outbox.transaction = mortal
    sys.exit(main(TOY))
