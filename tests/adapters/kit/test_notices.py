"""What the hub tells an agency: kept once, whatever dies when; opened by a person; and what is asked for leaves."""

import json
import sqlite3

import pytest
from kit_toy import HUB, SOURCE, TOY

from adapters.kit.command import main
from adapters.kit.delivery import Distrusted
from adapters.kit.events import make_subject
from adapters.kit.noticing import ASKS_NOTHING
from adapters.kit.outbox import open_outbox
from adapters.kit.publisher import HttpCarrier
from schemas.envelope import Refused, SigningKey
from schemas.notices import KINDS, open_notices, sign_notices


def toy(n, says="unremarkable", child=None, **more):
    return {"id": f"T-{n}", "v": "1", "child": child or f"C-{n}", "says": says, **more}


@pytest.fixture
def line(make_line, outbox, carrier):
    return make_line(outbox, carrier)


@pytest.fixture
def run(hub, home_path, capsys, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("2024-10-03T12:00:00Z\n")
    environment = {"ADAPTER_DEMO": "1", "ADAPTER_DEMO_CLOCK": str(clock), "ADAPTER_HOME": str(home_path)}

    def run(*argv):
        code = main(TOY, argv, environment, lambda door, clock: HttpCarrier(door, clock, hub.transport()))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def subject_of(home, child):
    return make_subject(home.secrets.agency, "toybox", child)


def reasons(hub):
    return [entry["relevance"].get("rule") for entry in hub.entries]


def kept(outbox):
    return [one["kind"] for one in outbox.noticing.list_all()]


def test_notices_come_by_every_way_and_each_once(line, outbox, put, folder, hub):
    hub.tell("domestic-abuse-notice", by_when="2024-10-04T08:30:00+01:00")
    put("a.toy", toy(1, "injury"))
    line.once(folder, 10)
    hub.tell("condition-started")
    line.delivery.fetch_receipts()
    line.delivery.fetch_receipts()
    assert kept(outbox) == ["domestic-abuse-notice", "condition-started"]
    assert outbox.noticing.count_unopened() == 2


def test_a_process_that_dies_before_it_kept_them_is_given_them_again(line, outbox, hub, monkeypatch):
    hub.tell("domestic-abuse-notice")

    def dies(*_):
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "set_meta", dies)
        with pytest.raises(RuntimeError):
            line.delivery.fetch_receipts()
    assert kept(outbox) == []
    line.delivery.fetch_receipts()
    assert kept(outbox) == ["domestic-abuse-notice"]


def test_a_hub_that_asks_for_history_gets_what_is_kept_of_that_child_and_what_comes_later(
    line, outbox, put, folder, hub, home
):
    put("a.toy", toy(1, child="C-1"), toy(2, child="C-2"), toy(3, child="C-1"))
    line.once(folder, 10)
    assert hub.entries == []
    hub.tell("history-asked", subject_of(home, "C-1"))
    line.delivery.fetch_receipts()
    put("b.toy", toy(4, child="C-1"), toy(5, child="C-2"))
    line.once(folder, 10)
    assert reasons(hub) == ["asked-about", "already-shared", "already-shared"]
    assert outbox.select("SELECT count(*) FROM native WHERE outcome = 'held-back'") == [(2,)]


def test_the_request_alone_brings_out_what_is_kept(line, put, folder, hub, home):
    put("a.toy", toy(1, child="C-1"))
    line.once(folder, 10)
    hub.tell("history-asked", subject_of(home, "C-1"))
    line.delivery.fetch_receipts()
    assert line.once(folder, 10)
    assert reasons(hub) == ["asked-about"]


def test_being_told_of_a_child_makes_what_comes_later_relevant_and_brings_nothing_old_out(line, put, folder, hub, home):
    put("a.toy", toy(1, child="C-1"))
    line.once(folder, 10)
    hub.tell("condition-started", subject_of(home, "C-1"))
    line.delivery.fetch_receipts()
    line.once(folder, 10)
    assert hub.entries == []
    put("b.toy", toy(2, child="C-1"))
    line.once(folder, 10)
    assert reasons(hub) == ["asked-about"]


def test_what_could_not_be_delivered_asks_about_nobody(line, outbox, hub, home):
    hub.tell("undelivered", subject_of(home, "C-1"), reason="ambiguous", about="an-id")
    line.delivery.fetch_receipts()
    assert outbox.select("SELECT * FROM asked") == []


def test_attack_notices_by_another_key_are_kept_by_nobody(make_line, outbox, http_carrier, hub):
    hub.tell("domestic-abuse-notice")
    hub.fail("other-notices-key")
    with pytest.raises(Distrusted):
        make_line(outbox, http_carrier).delivery.fetch_receipts()
    assert kept(outbox) == []


def test_attack_notices_to_another_source_or_of_another_hub_do_not_open(hub):
    notice = hub.tell("history-asked", "a" * 32)
    jws = sign_notices([notice], hub.key, hub=HUB, source="urn:safeguarding:source:other", at=notice.at)
    for given, source, expected in ((jws, SOURCE, HUB), (hub.sign_notices([notice]), SOURCE, "urn:another:hub")):
        with pytest.raises(Refused):
            open_notices(given, hub.receipt_entry, hub=expected, source=source)


def test_attack_a_batch_of_receipts_is_no_batch_of_notices(hub):
    with pytest.raises(Refused):
        open_notices(hub.sign([]), hub.receipt_entry, hub=HUB, source=SOURCE)


def test_a_kind_that_a_later_hub_knows_is_kept_and_shown(line, outbox, hub):
    hub.tell("something-new")
    line.delivery.fetch_receipts()
    (one,) = outbox.noticing.list_all()
    assert "does not know" in one["says"]


# -- for people


def test_notices_are_listed_and_one_is_opened_by_a_person_at_the_hub(run, hub, folder, put):
    notice = hub.tell("domestic-abuse-notice", by_when="2024-10-04T08:30:00+01:00")
    run("once", str(folder))
    code, out, err = run("notices")
    assert code == 0
    assert "NOT OPENED" in out
    assert KINDS["domestic-abuse-notice"] in out
    assert "1 of 1" in err
    code, out, _ = run("notices", "open", notice.id, "--by", "marnie.pell")
    assert code == 0
    assert json.loads(out)["child"]["names"][0]["given"] == ["Wrenna"]
    assert hub.openings == [(notice.id, "marnie.pell")]
    assert "marnie.pell" in run("notices")[1]


def test_names_are_shown_and_never_kept(run, hub, folder, home_path):
    notice = hub.tell("domestic-abuse-notice")
    run("once", str(folder))
    run("notices", "open", notice.id, "--by", "marnie.pell")
    with sqlite3.connect(home_path / "outbox.db") as db:
        assert "Quillfeather" not in "".join(db.iterdump())


def test_whoever_opens_it_says_which_of_our_children_it_is_and_what_is_kept_of_them_leaves(run, hub, folder, put):
    put("a.toy", toy(1, child="C-1"), toy(2, child="C-2"))
    notice = hub.tell("history-asked")
    run("once", str(folder))
    assert hub.entries == []
    run("notices", "open", notice.id, "--by", "marnie.pell")
    assert run("notices", "open", notice.id, "--by", "marnie.pell", "--child", "C-1")[0] == 0
    assert len(hub.openings) == 1
    assert run("once", str(folder))[0] == 0
    assert reasons(hub) == ["asked-about"]


@pytest.mark.parametrize("kind", ASKS_NOTHING)
def test_attack_a_notice_that_asks_nothing_brings_no_childs_records_out_whoever_it_is_opened_for(
    run, hub, folder, put, kind
):
    put("a.toy", toy(1, child="C-1"))
    notice = hub.tell(kind)
    run("once", str(folder))
    assert run("notices", "open", notice.id, "--by", "marnie.pell", "--child", "C-1")[0] == 0
    put("b.toy", toy(2, child="C-1"))
    assert run("once", str(folder))[0] == 0
    assert hub.entries == []


def test_a_notice_can_be_opened_while_the_adapter_runs(run, hub, folder, home):
    notice = hub.tell("condition-started")
    run("once", str(folder))
    with open_outbox(home.outbox_path, home.source):
        assert run("notices", "open", notice.id, "--by", "marnie.pell")[0] == 0


def test_a_notice_that_never_came_is_a_misuse_and_the_hub_is_not_asked(run, hub, folder):
    assert run("notices", "open", "abc", "--by", "marnie.pell")[0] == 2
    run("once", str(folder))
    assert run("notices", "open", "abc", "--by", "marnie.pell")[0] == 2
    assert hub.openings == []


def test_a_hub_that_is_away_leaves_it_unopened(run, hub, folder):
    notice = hub.tell("condition-started")
    run("once", str(folder))
    hub.fail("down")
    assert run("notices", "open", notice.id, "--by", "marnie.pell")[0] == 1
    assert "NOT OPENED" in run("notices")[1]


def test_status_counts_what_nobody_opened(run, hub, folder):
    hub.tell("condition-started")
    run("once", str(folder))
    assert json.loads(run("status", "--json")[1])["notices"] == {"unopened": 1}


def test_the_hubs_key_signs_for_one_source_alone(hub):
    with pytest.raises(Refused):
        open_notices(
            sign_notices([], SigningKey.generate(), hub=HUB, source=SOURCE, at="2024-10-03T12:00:01Z"),
            hub.receipt_entry, hub=HUB, source=SOURCE,
        )  # fmt: skip
