"""A disk that is full: told in words, what is sealed still goes out, and nothing is lost once there is room."""

import pytest
from kit_toy import TOY, serve

from adapters.kit.command import main
from adapters.kit.outbox import Outbox, OutboxUnwritable, open_outbox


def toys(count, start=0):
    return [{"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": "injury"} for n in range(start, start + count)]


@pytest.fixture
def fill(outbox):
    """Leaves the outbox room for so many more pages of 4 KiB, or all the room there is."""

    def fill(pages=None):
        [(used,)] = outbox.select("PRAGMA page_count")
        outbox.select(f"PRAGMA max_page_count = {used + pages if pages is not None else 2**30}")

    return fill


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("adapters.kit.intake.BATCH_RECORDS", 10)


def test_nothing_of_what_did_not_fit_was_written(outbox, fill):
    fill(0)
    with pytest.raises(OutboxUnwritable, match="the disk is full"):
        write(outbox, small=1, large="x" * 100_000)
    assert outbox.get_meta("small", None) is None
    fill()
    write(outbox, small=1)
    assert outbox.get_meta("small", None) == 1


def write(outbox, **values):
    with outbox.transaction():
        for name, value in values.items():
            outbox.set_meta(name, value)


def test_once_sends_what_is_sealed_and_says_what_is_wrong(
    make_line, outbox, carrier, put, folder, hub, fill, small_batches
):
    put("a.toy", *toys(60))
    line = make_line(outbox, carrier)
    fill(60)
    assert line.once(folder, 60)
    assert line.troubles == 1
    assert "the disk is full" in line.said[0]
    assert 0 < len(hub.entries) < 60
    fill()
    assert make_line(outbox, carrier).once(folder, 60)
    assert len(hub.entries) == len(hub.held) == 60


def test_run_goes_on_when_there_is_room_again(
    make_line, outbox, carrier, put, folder, hub, fill, small_batches, clockwork
):
    put("a.toy", *toys(60))
    line = make_line(outbox, carrier)
    fill(60)

    def stop():
        if clockwork.now > 60:
            fill()
        return clockwork.now > 300

    line.run(folder, stop)
    assert "the disk is full" in line.said[0]
    assert len(hub.entries) == len(hub.held) == 60


def test_a_receipt_that_could_not_be_written_comes_again(make_line, outbox, carrier, put, folder, hub, monkeypatch):
    put("a.toy", *toys(3))
    line = make_line(outbox, carrier)
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "apply_receipt", _full)
        with pytest.raises(OutboxUnwritable):
            line.once(folder, 60)
    assert make_line(outbox, carrier).once(folder, 200)
    assert outbox.select("SELECT count(*) FROM sealed WHERE state IN ('admitted', 'duplicate')") == [(3,)]
    assert len(hub.entries) == 3


def _full(self, receipt, source):
    raise OutboxUnwritable("the disk is full")


def test_the_command_ends_with_1_and_without_a_traceback(home_path, put, folder, hub, capsys, monkeypatch):
    put("a.toy", *toys(3))
    with open_outbox(home_path / "outbox.db", "urn:safeguarding:source:toy-clinic"):
        pass
    monkeypatch.setattr(Outbox, "mark_sent", lambda self, ids: _full(self, ids, ""))
    server = serve(hub)
    settings = (home_path / "adapter.toml").read_text()
    (home_path / "adapter.toml").write_text(settings.replace("127.0.0.1:1", f"127.0.0.1:{server.server_port}"))
    clock = home_path / "clock"
    clock.write_text("2024-10-03T12:00:00Z")
    try:
        environment = {"ADAPTER_DEMO": "1", "ADAPTER_DEMO_CLOCK": str(clock)}
        assert main(TOY, ["--home", str(home_path), "once", str(folder)], environment) == 1
    finally:
        server.shutdown()
        server.server_close()
    assert "stopped: the disk is full" in capsys.readouterr().err
