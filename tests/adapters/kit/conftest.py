"""What the kit's tests share: the toy agency, a home folder, a fake hub, a line without waiting."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


kit_toy, kit_broker = load("kit_toy"), load("kit_broker")

from adapters.kit.delivery import Delivery  # noqa: E402
from adapters.kit.home import open_home  # noqa: E402
from adapters.kit.intake import Intake  # noqa: E402
from adapters.kit.keymaking import init_keys, make_request  # noqa: E402
from adapters.kit.outbox import open_outbox  # noqa: E402
from adapters.kit.progress import Progress  # noqa: E402
from adapters.kit.publisher import Door, HttpCarrier  # noqa: E402
from adapters.kit.running import Line  # noqa: E402

WORDS = {
    "source": kit_toy.SOURCE,
    "hub": kit_toy.HUB,
    "partnership": "urn:safeguarding:partnership:harrowmere-westlorn",
    "service": "urn:safeguarding:service:toy-clinic",
    "service_name": "Toy clinic",
    "service_kind": "a hospital",
    "url": "http://127.0.0.1:1",
}


class Silent:
    def isatty(self):
        return False

    def write(self, words):
        pass

    def flush(self):
        pass


class Time:
    """A monotonic clock that only sleeping moves."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def hub():
    return kit_toy.FakeHub()


@pytest.fixture
def home_path(tmp_path, hub):
    path = tmp_path / "home"
    home, _ = init_keys(path, kit_toy.TOY, WORDS)
    (path / "hub-receipt.jwk").write_text(json.dumps(hub.key.public_jwk()))
    hub.register(make_request(home))
    return path


@pytest.fixture
def home(home_path):
    return open_home(home_path, kit_toy.TOY)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "drop"
    path.mkdir()
    return path


@pytest.fixture
def put(folder):
    def put(name, *toys):
        lines = [toy if isinstance(toy, bytes) else json.dumps(toy).encode() for toy in toys]
        (folder / name).write_bytes(b"\n".join(lines))
        return folder / name

    return put


def make_http(hub, home):
    door = Door("http://127.0.0.1:1", kit_toy.AUDIENCE, kit_toy.HUB, home.source, home.transport_key, hub.receipt_entry)
    return HttpCarrier(door, lambda: kit_toy.NOON, hub.transport())


@pytest.fixture
def fake_broker(hub):
    return kit_broker.FakeBroker(hub)


@pytest.fixture(params=["over-http", "direct", "over-kafka"])
def carrier(request, hub, home, fake_broker):
    match request.param:
        case "over-http":
            return make_http(hub, home)
        case "direct":
            return kit_toy.DirectCarrier(hub)
    return fake_broker.make_carrier()


@pytest.fixture
def kafka_carrier(fake_broker):
    return fake_broker.make_carrier()


@pytest.fixture
def http_carrier(hub, home):
    return make_http(hub, home)


@pytest.fixture
def outbox(home):
    with open_outbox(home.outbox_path, home.source) as outbox:
        yield outbox


@pytest.fixture
def clockwork():
    return Time()


@pytest.fixture
def make_line(home, clockwork):
    def make(outbox, carrier, home=home, **more):
        said = []
        intake = Intake(kit_toy.TOY, home, outbox, lambda: kit_toy.NOON, Progress(Silent()), **more)
        delivery = Delivery(outbox, carrier, home.source, lambda: kit_toy.NOON, clockwork.sleep, clockwork.monotonic)
        line = Line(intake, delivery, said.append, clockwork.sleep, clockwork.monotonic)
        line.said = said
        return line

    return make
