"""By which way an adapter's records leave: put together from its settings. Sends nothing itself."""

from __future__ import annotations

from collections.abc import Callable

from adapters.kit.broker import find_broker
from adapters.kit.clock import Clock
from adapters.kit.delivery import Carrier
from adapters.kit.home import BadHome, Home, get_receipt_key
from adapters.kit.publisher import Door, HttpCarrier

MakeHttp = Callable[[Door, Clock], Carrier]


def make_carrier(home: Home, clock: Clock, *, real_time: bool = True, make_http: MakeHttp = HttpCarrier) -> Carrier:
    """Kafka where [kafka] names servers, else HTTPS. BadHome says which setting is missing.

    With both, records and receipts go by Kafka, and the hub's door is only asked where the hub stands.
    """
    hub = home.settings.get("hub", {})
    if not hub.get("urn"):
        raise BadHome("adapter.toml says nothing for [hub] urn")
    broker = find_broker(home)
    if broker is None and not hub.get("url"):
        raise BadHome("adapter.toml says nothing for [hub] url, nor for [kafka] servers")
    http = _make_http(home, clock, real_time, make_http) if hub.get("url") else None
    if broker is None and http is not None:
        return http
    try:
        from adapters.kit.kafka import KafkaCarrier, Lane  # not every agency installs the client
    except ModuleNotFoundError as fault:
        raise BadHome(f"{fault.name} is not installed: pip install 'safeguarding-hub[adapters,kafka]'") from None
    assert broker is not None
    lane = Lane(broker, home.source, hub["urn"], get_receipt_key(home))
    try:
        return KafkaCarrier(lane, http.get_head if http else None)
    except OSError:  # of the ssl module, too
        raise BadHome(f"{broker.ca} holds no certificate of an authority") from None


def make_door(home: Home, clock: Clock, *, real_time: bool = True, make_http: MakeHttp = HttpCarrier) -> HttpCarrier:
    """The hub's door over HTTPS, whichever way records go: a notice is opened there, because its answer names a child.
    BadHome without [hub] url."""
    if not home.settings.get("hub", {}).get("url"):
        raise BadHome("adapter.toml says nothing for [hub] url: a notice is opened at the hub's door over HTTPS")
    door = _make_http(home, clock, real_time, make_http)
    assert isinstance(door, HttpCarrier)
    return door


def _make_http(home: Home, clock: Clock, real_time: bool, make_http: MakeHttp) -> Carrier:
    hub = home.settings["hub"]
    audience = hub.get("audience") or f"{hub['urn']}/inbox"
    door = Door(hub["url"], audience, hub["urn"], home.source, home.transport_key, get_receipt_key(home), real_time)
    try:
        return make_http(door, clock)
    except ValueError as fault:
        raise BadHome(str(fault)) from None
