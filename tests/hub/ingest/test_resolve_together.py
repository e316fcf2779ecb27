"""Two processes that share the work say who is who as one does that has just begun, whatever came in which order."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap
from hub.bootstrap import Hub
from hub.settings import Settings
from hub.store.streams import IDENTITY
from tests.hub.conftest import PARTNERSHIP, Agency, Clock
from tests.hub.ingest.test_resolve import AT_HOME, WRENNA_NHS, described

SEEDS = range(100 if os.environ.get("LONG") else 6)
AGENCIES = ("northmarch", "larkbeck", "fenwater")
WORDS = (
    described(), described(address=AT_HOME), described(nhs=WRENNA_NHS), described(address=AT_HOME, upn="U999200118001"),
    described(address=AT_HOME, nhs=WRENNA_NHS), described("Tobin", address=AT_HOME),
    described("Tobin", nhs="9993189030"), described(family="Mosswick", address=AT_HOME),
    described(family="Mosswick", nhs=WRENNA_NHS),
)  # fmt: skip
Step = tuple[int, str, str, dict[str, Any], dict[str, Any]]


def steps(seed: int) -> Iterator[Step]:
    """(which process, agency, pseudonym, what it says of the child, what it refers to)."""
    draw = random.Random(seed)  # noqa: S311 - a mix, no secret
    told: dict[str, int] = dict.fromkeys(AGENCIES, 0)
    for _ in range(14):
        agency, refers = draw.choice(AGENCIES), {}
        if told[agency] and draw.random() < 0.3:
            as_ = draw.choice(("corrects", "retracts"))
            earlier = {
                "source": f"urn:safeguarding:source:{agency}:live",
                "id": f"{agency}-{draw.randint(1, told[agency])}",
            }
            refers = {"references": [{**earlier, "as": as_}]}
            refers |= {"kind": "retraction-made", "details": {"reason": "wrong-child"}} if as_ == "retracts" else {}
        told[agency] += 1
        yield draw.randrange(2), agency, draw.choice("pqrs"), draw.choice(WORDS), refers


def who_is_who(home: Path, seed: int, *, anew: bool) -> list[tuple[str, int, set[int]]]:
    """Of each assignment its rule, its child and whom it was put to people with, by the order in which they came.

    With several candidates the rule is the first one's, and which is the first is as random as their ids.
    """
    settings = Settings(home=home, demo=True)
    bootstrap.init(settings, partnership=PARTNERSHIP, area="E99000001", officers=["ada", "quill"])
    with ExitStack() as opened:
        hubs = [opened.enter_context(closing(open_hub(settings))) for _ in range(2)]
        agencies = {name: Agency(f"urn:safeguarding:source:{name}:live") for name in AGENCIES}
        for one in agencies.values():
            hubs[0].registration.add(one.request(hubs[0].charter.hub), {"ada": hubs[0].officer_key("ada")})
        for process, agency, person, words, refers in steps(seed):
            record = agencies[agency].seal(refers.pop("kind", "concern-logged"), child=words, person=person, **refers)
            if anew:
                with closing(open_hub(settings)) as hub:
                    admit(hub, record, agencies[agency])
            else:
                admit(hubs[process], record, agencies[agency])
        born = {str(child): number for number, child in enumerate(hubs[0].register().born)}
        said = [fact.data for fact in hubs[0].record.facts(IDENTITY) if fact.name == "child-assigned"]
    asked = [{born[other] for other in one["candidates"]} for one in said]
    rules = ["asked" if candidates else one["rule"] for one, candidates in zip(said, asked, strict=True)]
    return list(zip(rules, (born[one["child"]] for one in said), asked, strict=True))


def open_hub(settings: Settings) -> Hub:
    hub = bootstrap.open_hub(settings)
    hub.clock = Clock()
    return hub


def admit(hub: Hub, record: bytes, agency: Agency) -> None:
    (receipt,) = hub.admission.admit([record], agency.source)
    assert receipt.outcome == "admitted"


@pytest.mark.parametrize("seed", SEEDS)
def test_two_processes_say_who_is_who_as_one_that_has_just_begun(tmp_path: Path, seed: int) -> None:
    assert who_is_who(tmp_path / "two", seed, anew=False) == who_is_who(tmp_path / "anew", seed, anew=True)
