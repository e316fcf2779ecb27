"""What an operator sees tells the truth, and names nobody."""

from __future__ import annotations

import http.client
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.logs import JsonLines, Seldom, Words, announce
from hub.watch import NoPort, Watch, port
from infra.kafka.cluster import free_ports


@pytest.fixture
def number() -> int:
    return free_ports(1)[0]


def get(number: int, path: str) -> tuple[int, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", number, timeout=5)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def test_records_are_counted_by_source_outcome_and_reason(hub: Hub, police: Any) -> None:
    hub.admission.admit([police.seal(id="e1"), b"bad", b"worse"], police.source)
    text = hub.watch.text().decode()
    assert f'hub_records_total{{outcome="admitted",reason="",source="{police.source}"}} 1.0' in text
    assert f'hub_records_total{{outcome="quarantined",reason="record-form",source="{police.source}"}} 2.0' in text
    assert "hub_append_seconds_count" in text


def test_attack_no_number_carries_anything_of_a_child_or_an_event(hub: Hub, police: Any) -> None:
    hub.admission.admit(
        [police.seal(id="event-999"), police.seal({"event": "Quillfeather", "version": 1})], police.source
    )
    text = hub.watch.text().decode()
    for word in ("Quillfeather", "event-999", "Wrenna"):
        assert word not in text


def test_health_is_what_the_checks_say_and_no_more(number: int) -> None:
    holds = [True]

    def stumbles() -> bool:
        raise OSError("secret")

    with port(Watch(), number, live=[lambda: True], ready=[lambda: holds[0]]):
        assert get(number, "/health/ready") == (200, b'{"status":"ok"}')
        holds[0] = False
        assert get(number, "/health/ready") == (503, b'{"status":"not-ok"}')
        assert get(number, "/health/live")[0] == 200
        assert get(number, "/metrics")[0] == 200
        assert get(number, "/anything") == (404, b"")
    with port(Watch(), number, live=[], ready=[stumbles]):
        assert get(number, "/health/ready") == (503, b'{"status":"not-ok"}')


def test_port_0_listens_nowhere() -> None:
    with port(Watch(), 0, live=[], ready=[]) as listening:
        assert listening == 0


def test_a_port_that_is_taken_is_named(number: int) -> None:
    with (
        port(Watch(), number, live=[], ready=[]),
        pytest.raises(NoPort, match=str(number)),
        port(Watch(), number, live=[], ready=[]),
    ):
        pass


@pytest.fixture
def said() -> Callable[[logging.Formatter], str]:
    def one(form: logging.Formatter) -> str:
        try:
            raise ValueError("Quillfeather")
        except ValueError:
            record = logging.getLogger("hub").makeRecord(
                "hub.ingest",
                logging.ERROR,
                "",
                0,
                "waits: source=%s",
                ("urn:x",),
                True,  # type: ignore[arg-type]
            )
            record.exc_info = sys.exc_info()
            return form.format(record)

    return one


def test_a_log_line_is_one_json_object_and_tells_the_kind_of_a_fault_alone(
    said: Callable[[logging.Formatter], str],
) -> None:
    line = said(JsonLines())
    assert "\n" not in line
    read = json.loads(line)
    assert (read["level"], read["logger"], read["message"], read["fault"]) == (
        "error", "hub.ingest", "waits: source=urn:x", "ValueError",
    )  # fmt: skip
    assert "Quillfeather" not in line
    assert "Quillfeather" not in said(Words())


def test_what_a_process_says_at_its_start_has_the_form_of_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    announce("reading", "json")
    announce("reading")
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["message"] == "reading"
    assert second == "hub: reading"


def test_what_is_said_again_and_again_is_written_once_a_minute_and_what_is_new_at_once() -> None:
    now = 0.0
    seldom = Seldom(lambda: now)

    def passes(name: str, words: str, *given: object) -> bool:
        return seldom.filter(logging.getLogger(name).makeRecord(name, logging.WARNING, "", 0, words, given, None))

    assert passes("hub.serving", "the views could not follow: %s", "OperationalError")
    assert not passes("hub.serving", "the views could not follow: %s", "OperationalError")
    assert passes("hub.serving", "the views could not follow: %s", "OSError")
    assert passes("hub.ingest", "quarantined: id=%s", "a1")
    assert passes("hub.ingest", "quarantined: id=%s", "b2")
    assert passes("kafka.net", "waiting %s secs", 0.1)
    assert not passes("kafka.net", "waiting %s secs", 0.2)
    now = 60.0
    assert passes("hub.serving", "the views could not follow: %s", "OperationalError")
    assert passes("kafka.net", "waiting %s secs", 0.1)
