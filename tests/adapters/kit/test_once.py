"""Reading a folder once, over every carrier: each record ends somewhere, each event reaches the hub exactly once."""

import pytest
from kit_toy import SOURCE


def toy(n, says="injury", **more):
    return {"id": f"T-{n}", "v": "1", "child": f"C-{n}", "says": says, **more}


def states(outbox):
    return dict(outbox.select("SELECT state, count(*) FROM sealed GROUP BY state"))


@pytest.fixture
def line(make_line, outbox, carrier):
    return make_line(outbox, carrier)


def test_every_event_of_a_file_is_admitted_and_cleared(line, outbox, put, folder, hub):
    put("a.toy", *(toy(n) for n in range(1200)))
    assert line.once(folder, 0)
    assert states(outbox) == {"admitted": 1200}
    assert len(hub.entries) == 1200
    assert hub.batches == [500, 500, 200]
    assert outbox.get_head() == hub.head


def test_reading_the_same_folder_again_sends_nothing(line, make_line, outbox, carrier, put, folder, hub):
    put("a.toy", toy(1), toy(2))
    line.once(folder, 0)
    again = make_line(outbox, carrier)
    assert again.once(folder, 0)
    assert again.intake.tally.sealed == 0
    assert hub.batches == [2]


def test_the_same_records_under_another_file_name_or_order_send_nothing(line, outbox, put, folder, hub):
    put("a.toy", toy(1), toy(2))
    put("b.toy", toy(2), toy(1))
    assert line.once(folder, 0)
    assert line.intake.tally.ends == {"events": 2, "known": 2}
    assert len(hub.entries) == 2


def test_what_needs_a_person_is_kept_and_does_not_stop_the_line(line, outbox, put, folder, hub):
    put("a.toy", toy(1, "hold"), toy(2, "odd"), b"\xff{", toy(3, "break"), toy(4, "misfit"), toy(5, "nothing"), toy(6))
    assert line.once(folder, 0)
    assert line.intake.tally.ends == {"held": 1, "unmappable": 3, "unreadable": 1, "no-event": 1, "events": 1}
    assert len(hub.entries) == 1
    kept = outbox.select("SELECT outcome, length(raw) > 10 FROM native WHERE outcome IN ('held', 'unmappable')")
    assert sorted(kept) == [("held", 1), ("unmappable", 1), ("unmappable", 1), ("unmappable", 1)]
    assert outbox.select("SELECT label, raw FROM unreadable") == [("line 3", b"\xff{")]


def test_a_misfit_is_named_by_its_place_and_never_sealed(line, outbox, put, folder):
    put("a.toy", toy(4, "misfit"))
    line.once(folder, 0)
    [(field, reason)] = outbox.select("SELECT field, reason FROM native")
    assert "shoe" not in field + reason
    assert reason.startswith("additionalProperties")
    assert states(outbox) == {}


def test_a_mapping_that_fails_says_no_word_of_the_record(line, outbox, put, folder):
    put("a.toy", toy(3, "break"))
    line.once(folder, 0)
    assert outbox.select("SELECT reason FROM native") == [("The mapping failed: RuntimeError.",)]


def test_what_no_door_would_take_is_unmappable(line, outbox, put, folder):
    put("a.toy", toy(1, "huge"), toy(2))
    assert line.once(folder, 0)
    assert line.intake.tally.ends == {"unmappable": 1, "events": 1}
    assert outbox.get_head().sequence == 1


def test_a_file_of_no_known_format_is_unreadable(line, outbox, put, folder):
    put("a.pdf", b"%PDF-1.7")
    assert line.once(folder, 0)
    assert outbox.select("SELECT reason FROM unreadable") == [("format-unknown",)]


def test_a_replacing_event_refers_to_the_one_published_before(line, put, folder, hub):
    put("a.toy", toy(1))
    put("b.toy", toy(1, "replace", v="2"))
    assert line.once(folder, 0)
    first, second = hub.held
    assert hub.entries[1]["references"] == [{"source": SOURCE, "id": first, "as": "replaces"}]
    assert hub.entries[1]["change"] == "replaces"
    assert second != first


def test_a_replacing_event_of_what_was_never_published_goes_out_as_new_with_a_remark(line, put, folder, hub):
    put("a.toy", toy(1, "replace"))
    assert line.once(folder, 0)
    [entry] = hub.entries
    assert entry["change"] == "new"
    assert "references" not in entry
    assert "previous-version-unknown" in [remark["code"] for remark in entry["remarks"]]


def test_a_retraction_of_what_was_never_published_sends_nothing(line, put, folder, hub):
    put("a.toy", toy(1, "retract"))
    assert line.once(folder, 0)
    assert line.intake.tally.ends == {"no-event": 1}
    assert hub.entries == []


def test_a_retraction_names_what_it_takes_back(line, put, folder, hub):
    put("a.toy", toy(1), toy(1, "retract", v="2"))
    assert line.once(folder, 0)
    assert hub.entries[1]["references"][0]["as"] == "retracts"


def test_the_mapping_is_given_the_version_before(line, outbox, put, folder):
    put("a.toy", toy(1), toy(1, "compare", v="2"), toy(1, "compare", v="3"), toy(9, "compare", supersedes="T-1"))
    line.once(folder, 0)
    reasons = [reason for (reason,) in outbox.select("SELECT reason FROM native WHERE outcome = 'no-event'")]
    assert reasons == ["last-was-1", "last-was-2", "last-was-3"]


def test_what_was_held_is_no_version_before_and_is_judged_again_only_when_asked(
    line, make_line, outbox, carrier, put, folder
):
    put("a.toy", toy(1), toy(1, "hold", v="2"), toy(1, "compare", v="3"))
    line.once(folder, 0)
    assert outbox.select("SELECT reason FROM native WHERE version = '3'") == [("last-was-1",)]
    plain, asked = make_line(outbox, carrier), make_line(outbox, carrier, again=True)
    plain.once(folder, 0)
    asked.once(folder, 0)
    assert plain.intake.tally.ends == {}
    assert asked.intake.tally.ends == {"known": 2, "held": 1}
    assert outbox.memory.find_last("toybox", "T-1").version == "3"


def test_files_are_taken_in_order_of_name_without_hidden_unfinished_or_linked_ones(line, put, folder, tmp_path, hub):
    put("b.toy", toy(2))
    put("a.toy", toy(1))
    put(".hidden.toy", toy(3))
    put("c.toy.part", toy(4))
    outside = tmp_path / "outside.toy"
    outside.write_text('{"id": "T-5", "child": "C-5", "says": "injury"}')
    (folder / "d.toy").symlink_to(outside)
    assert line.once(folder, 0)
    assert [entry["origin"]["record"] for entry in hub.entries] == ["T-1", "T-2"]


def test_the_folder_is_left_as_it_was(line, put, folder):
    path = put("a.toy", toy(1))
    before = path.read_bytes(), path.stat().st_mtime_ns
    line.once(folder, 0)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [one.name for one in folder.iterdir()] == ["a.toy"]


def test_held_back_formats_leave_only_when_a_person_sends_them(line, make_line, outbox, carrier, put, folder, hub):
    from adapters.kit.relevance import Sender

    put("a.toy", toy(1), toy(2, "nothing"))
    line.intake.home.settings["relevance"]["held_back_formats"] = ["toy"]
    assert line.once(folder, 0)
    assert line.intake.tally.ends == {"held-back": 1, "no-event": 1}
    assert hub.entries == []
    sent = make_line(outbox, carrier, again=True, sender=Sender("lead-b", "2024-10-03", "History was asked for"))
    assert sent.once(folder, 0)
    assert hub.entries[0]["relevance"] == {
        "person": "lead-b",
        "decided": "2024-10-03",
        "reason": "History was asked for",
    }
