"""Serves the API: hands the hub's doors to the application and runs it. No rules here.

People's tokens come from the partnership's OpenID Connect issuer; a demo hub in demo mode has its own. Views follow the
record in a thread of their own, so that a reader rarely waits; what agencies must be told is written in another.
"""

from __future__ import annotations

import fcntl
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from hub.api.app import create_app
from hub.api.auth import PeopleTokens, open_issuer, read_set
from hub.api.demo_issuer import DemoOnly, demo_issuer, refuse_demo_issuer
from hub.api.doors import Doors
from hub.api.issuer_keys import FetchFailed, IssuerKeys, SetRefused
from hub.bootstrap import Hub
from hub.logs import announce
from hub.memory import NEW_OBJECTS, settle
from hub.notifying import keep_telling
from hub.settings import Settings
from hub.store.database import STORE_AWAY
from hub.watch import port
from schemas.catalogue import get_codes
from schemas.strict import strict_json

LOG = logging.getLogger("hub.serving")
FOLLOW_EVERY_S = 0.5


class NotServed(Exception):
    """The hub does not start to serve; the message says what to set."""


class NotListening(Exception):
    """The address cannot be listened on now; the message names it and says what to do."""


def serve(hub: Hub, *, make: Callable[..., Any] = create_app) -> None:
    """Serve until SIGTERM or Ctrl-C; `make` is what makes the application.

    Errors: `NotServed`, `NotListening`, `NoPort`.
    """
    doors = _doors(hub)
    app = make(doors, demo=hub.settings.demo and hub.charter.demo)
    listening = _listen(hub.settings)
    hub.admission.catch_up()
    hub.admission.try_waiting("newer")  # what an older version of the hub did not know yet
    settle(NEW_OBJECTS)
    ended = threading.Event()
    beside = [
        threading.Thread(target=_follow, args=(hub, ended), name="views", daemon=True),
        threading.Thread(target=keep_telling, args=(hub, ended.wait), name="notices", daemon=True),
    ]
    for thread in beside:
        thread.start()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=True, lifespan="off",
        timeout_keep_alive=20, limit_concurrency=200,
    )  # fmt: skip
    try:
        watching = port(hub.watch, hub.settings.metrics_port, live=[one.is_alive for one in beside], ready=doors.checks)
        with listening, watching, suppress(KeyboardInterrupt), _ended_in_order():
            announce(f"listening on {_address(hub.settings)}; Ctrl-C ends it", hub.settings.log)
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        ended.set()
        for thread in beside:
            thread.join(timeout=10)
        hub.close()


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM ends us as Ctrl-C does: the server raises it again once it has answered, and we would die at once."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def build(hub: Hub) -> Any:
    """The application over this hub's doors. Errors: `NotServed`."""
    return create_app(_doors(hub), demo=hub.settings.demo and hub.charter.demo)


def _doors(hub: Hub) -> Doors:
    tokens = _tokens(hub)

    def record_can_be_read() -> bool:
        return hub.record.position() > 0

    def issuer_keys_are_here() -> bool:
        return tokens.keys.held

    return Doors(
        inbox=hub.inbox,
        disclosure=hub.disclosure,
        query=hub.query,
        items=hub.items,
        teams=hub.teams,
        casework=hub.casework,
        person_of=tokens.person_of,
        strict_json=strict_json,
        purposes=frozenset(get_codes("purposes")),
        roles=frozenset(get_codes("roles")),
        away=STORE_AWAY,
        checks=[record_can_be_read, issuer_keys_are_here],
        page_size=hub.settings.page_size,
    )


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """No other `hub serve` works in this home folder meanwhile, where its SQLite files are. Errors: `NotListening`."""
    with (settings.home / "hub.json").open("rb") as held:
        try:
            if not settings.database:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise NotListening(f"another hub serve works in {settings.home}; end it first") from busy
        yield


def _listen(settings: Settings) -> socket.socket:
    """A socket bound to the hub's address. Errors: `NotListening`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((settings.host, settings.port))
    except (OSError, UnicodeError) as fault:
        bound.close()
        why = fault.strerror if isinstance(fault, OSError) else "no such host"
        raise NotListening(
            f"cannot listen on {_address(settings)} ({why}); stop what listens there, or set HUB_HOST and HUB_PORT"
        ) from fault
    return bound


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _tokens(hub: Hub) -> PeopleTokens:
    settings, clock = hub.settings, hub.clock
    try:
        refuse_demo_issuer(settings.issuer, demo=settings.demo and hub.charter.demo)
        if settings.issuer:
            return open_issuer(
                issuer=settings.issuer, audience=settings.audience, algorithm=settings.algorithm, where=settings.jwks,
                clock=clock,
            )  # fmt: skip
        if not settings.demo:
            raise NotServed("set HUB_ISSUER and HUB_JWKS to the partnership's OpenID Connect issuer")
        issuer = demo_issuer(settings.home, clock)
    except FetchFailed as fault:
        raise NotServed(f"the issuer's keys cannot be read from {settings.jwks} ({fault}); see HUB_JWKS") from fault
    except SetRefused as fault:
        raise NotServed(f"{fault}; see HUB_ISSUER, HUB_JWKS, HUB_ALGORITHM and HUB_AUDIENCE") from fault
    except (DemoOnly, ValueError, OSError) as fault:
        raise NotServed(str(fault)) from fault
    keys = IssuerKeys(issuer.jwks, lambda raw: read_set(raw, issuer.algorithm))
    keys.load()
    return PeopleTokens(
        issuer=issuer.issuer, audience=settings.audience, algorithm=issuer.algorithm, keys=keys, clock=clock
    )


def _follow(hub: Hub, ended: threading.Event, wait: Callable[[threading.Event], bool] | None = None) -> None:
    """Keep the views up with the record, and do what nobody asks for. A fault is said and tried again."""
    pause = wait or (lambda event: event.wait(FOLLOW_EVERY_S))
    while not pause(ended):
        for follow in (
            hub.view.catch_up, hub.item_rows.catch_up, hub.disclosure.log.bring_in, hub.silences.look_when_due,
        ):  # fmt: skip
            try:
                follow()
            except Exception as fault:  # one of the loops that must not die
                LOG.error("the views could not follow: %s", type(fault).__name__)
