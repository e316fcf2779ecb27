"""Every route, and who may call it: the one table. A route that is not in it does not start; one in it has a handler.

Who somebody is, is proved by a token here; what they may do is the doors' business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import NamedTuple

from fastapi import Request, Response

Handler = Callable[[Request, str], Awaitable[Response]]
"""Answers a request whose caller is proved: a source, a person, or "" where nobody needs to be."""


class Caller(Enum):
    """Who may call."""

    NOBODY = "anybody; says only ok or not ok"
    SOURCE = "a registered source, by a transport token used once"
    PERSON = "a person, by the issuer's access token"


class Row(NamedTuple):
    """One route."""

    method: str
    path: str
    caller: Caller


ROUTES = (
    Row("POST", "/inbox", Caller.SOURCE),
    Row("GET", "/inbox/head", Caller.SOURCE),
    Row("GET", "/inbox/receipts", Caller.SOURCE),
    Row("POST", "/inbox/notices/{id}/opened", Caller.SOURCE),
    Row("GET", "/children/{id:path}/chronology", Caller.PERSON),
    Row("POST", "/children/$person-info-query", Caller.PERSON),
    Row("GET", "/me/items", Caller.PERSON),
    Row("POST", "/me/items/{id}/opened", Caller.PERSON),
    Row("GET", "/me/open-items", Caller.PERSON),
    Row("POST", "/casework", Caller.PERSON),
    Row("POST", "/casework/identity", Caller.PERSON),
    Row("POST", "/casework/quarantine/{id}", Caller.PERSON),
    Row("GET", "/identity/items", Caller.PERSON),
    Row("GET", "/identity/children/{id}", Caller.PERSON),
    Row("GET", "/identity/children/{id}/readers", Caller.PERSON),
    Row("GET", "/health/live", Caller.NOBODY),
    Row("GET", "/health/ready", Caller.NOBODY),
)
"""The child's id takes slashes too, so that whatever stands there ends as the same "no answer"."""
