"""A process that dies at any moment: run again, each event is at the hub exactly once and nothing waits."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit_toy import AUDIENCE, serve

from adapters.kit.outbox import Outbox, open_outbox


class Died(BaseException):
    pass


def toys(count):
    return [{"id": f"T-{n}", "v": "1", "child": f"C-{n % 50}", "says": "injury"} for n in range(count)]


def run(make_line, home, carrier, folder):
    with open_outbox(home.outbox_path, home.source) as outbox:
        assert make_line(outbox, carrier).once(folder, 0)
        return dict(outbox.select("SELECT state, count(*) FROM sealed GROUP BY state"))


def dying_at(point, monkeypatch):
    """The process dies when it comes to this point for the nth time: before or after a commit."""
    count = 0
    whole = Outbox.transaction

    @contextmanager
    def transaction(self):
        nonlocal count
        with whole(self):
            yield
            count += 1
            if point == ("before-commit", count):
                raise Died
        if point == ("after-commit", count):
            raise Died

    monkeypatch.setattr(Outbox, "transaction", transaction)


@pytest.mark.parametrize("count", range(1, 13))
@pytest.mark.parametrize("where", ["before-commit", "after-commit"])
def test_dying_around_any_commit_loses_and_doubles_nothing(
    where, count, monkeypatch, make_line, home, carrier, put, folder, hub
):
    put("a.toy", *toys(23))
    put("b.toy", *toys(4), {"id": "T-X", "v": "1", "child": "C-X", "says": "odd"})
    monkeypatch.setattr("adapters.kit.intake.BATCH_RECORDS", 10)
    with monkeypatch.context() as patch:
        dying_at((where, count), patch)
        with pytest.raises(Died):
            run(make_line, home, carrier, folder)
    ends = run(make_line, home, carrier, folder)
    assert sum(ends.values()) == ends.get("admitted", 0) + ends.get("duplicate", 0) == 23
    assert len(hub.entries) == len(hub.held) == 23


def test_dying_on_the_wire_loses_and_doubles_nothing(monkeypatch, make_line, home, http_carrier, put, folder, hub):
    put("a.toy", *toys(20))
    take = hub.take

    def die(records):
        take(records)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(hub, "take", die)
        with pytest.raises(Died):
            run(make_line, home, http_carrier, folder)
    assert run(make_line, home, http_carrier, folder) == {"admitted": 20}
    assert len(hub.entries) == 20


@pytest.mark.parametrize("dies_after", ["1", "4", "7", "8"])
def test_a_process_that_is_killed_goes_on_where_it_was(dies_after, home_path, put, folder, hub, tmp_path):
    put("a.toy", *toys(450))
    server = serve(hub)
    settings = (home_path / "adapter.toml").read_text()
    url = f"http://127.0.0.1:{server.server_port}"
    (home_path / "adapter.toml").write_text(settings.replace("http://127.0.0.1:1", url))
    assert AUDIENCE in settings
    clock = tmp_path / "clock"
    clock.write_text("2024-10-03T12:00:00Z")
    root = Path(__file__).parents[3]
    toy = str(Path(__file__).with_name("kit_toy.py"))
    command = [sys.executable, toy, "--home", str(home_path), "once", str(folder)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "ADAPTER_DEMO": "1"}
    environment["ADAPTER_DEMO_CLOCK"] = str(clock)
    try:
        killed = subprocess.run(command, env={**environment, "TOY_DIES_AFTER": dies_after}, capture_output=True)  # noqa: S603
        assert killed.returncode == -signal.SIGKILL
        again = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["all_receipted"]
    finally:
        server.shutdown()
        server.server_close()
    assert len(hub.entries) == len(hub.held) == 450
