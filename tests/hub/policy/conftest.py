"""One set of rules for all tests of the policy: loading them is the slow part."""

from __future__ import annotations

import pytest

from hub.policy.decide import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    return Policy.load()
