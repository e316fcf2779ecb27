"""Topics: a source's name and its topic's name are one to one, and the topic's name is one that Kafka takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.naming import FORMS
from schemas.topics import EVENTS, NoTopic, events_topic, receipts_topic, source_of

sources = st.from_regex(FORMS["source"][0], fullmatch=True).filter(lambda name: len(name) < 80)
A = "urn:safeguarding:source:police:northmarch"


def test_a_sources_topics_carry_its_name() -> None:
    assert events_topic(A) == "sg.events.police.northmarch"
    assert receipts_topic(A) == "sg.receipts.police.northmarch"


@given(sources)
def test_a_topic_leads_back_to_its_source_and_to_no_other(source: str) -> None:
    topic = events_topic(source)
    assert source_of(topic) == source_of(receipts_topic(source)) == source
    assert re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", topic)


@given(sources, sources)
def test_two_sources_never_share_a_topic(one: str, other: str) -> None:
    assert (events_topic(one) == events_topic(other)) == (one == other)


@pytest.mark.parametrize(
    "name", ["", "sg.events.", "sg.events._", "sg.events.A", "sg.events._2e_", "sg.events.a_61", "__consumer_offsets"]
)
def test_a_name_that_no_source_has_leads_to_none(name: str) -> None:
    assert source_of(name) is None


def test_an_endless_name_has_no_topic() -> None:
    with pytest.raises(NoTopic):
        events_topic("urn:safeguarding:source:" + "a" * (250 - len(EVENTS)))
