"""Where the hub's databases may be, and what a connection there must have."""

import pytest

from hub.store.connections import BadConninfo, with_defaults

pytest.importorskip("psycopg")


@pytest.mark.parametrize(
    "near", ["dbname=hub", "host=127.0.0.1", "host=localhost", "host=/run/postgresql", "hostaddr=::1"]
)
def test_on_this_machine_it_may_be_plain(near: str) -> None:
    assert "connect_timeout" in with_defaults(near)


@pytest.mark.parametrize(
    "far",
    ["host=db.example", "host=db.example sslmode=require", "host=localhost,db.example", "hostaddr=192.0.2.1",
     "host=localhost hostaddr=192.0.2.1", "service=hub", "postgresql://db.example/hub"],
)  # fmt: skip
def test_what_leaves_this_machine_verifies_the_server(far: str) -> None:
    with pytest.raises(BadConninfo, match="verify-full"):
        with_defaults(far)


def test_a_server_elsewhere_that_is_verified_is_taken() -> None:
    assert "verify-full" in with_defaults("host=db.example sslmode=verify-full sslrootcert=ca.pem")


def test_the_environment_makes_nothing_weaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    with pytest.raises(BadConninfo):
        with_defaults("dbname=hub")
