"""What an operator does to a running cluster, over its own protocol: agencies, topics, grants, quotas, leaders.

Works on any cluster that speaks SASL_SSL with SCRAM-SHA-512, not only on those that `cluster.py` starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from kafka.admin import ACL, KafkaAdminClient, UserScramCredentialUpsertion
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.protocol.admin import AlterClientQuotasRequest

from infra.kafka.certificates import make_password, write_secret
from infra.kafka.topics import AGENCY_QUOTA, HUB, OPERATOR, PARTITIONS, SETTINGS, agency_grants, hub_grants
from schemas.topics import events_topic, receipts_topic, slug

MECHANISM = "SCRAM-SHA-512"
ITERATIONS = 8192
WAIT_S = 30
EVERY_S = 0.1


class OperatorFault(RuntimeError):
    """The cluster did not do as asked; the message names what."""


@dataclass(frozen=True)
class Agency:
    """What a source needs to publish: its user, where its password is, its two topics."""

    source: str
    user: str
    password_file: Path
    events: str
    receipts: str


def security(ca: Path, user: str, password: str) -> dict[str, Any]:
    """How every client of the cluster connects: arguments for any class of `kafka-python`."""
    return {
        "security_protocol": "SASL_SSL", "ssl_cafile": str(ca), "sasl_mechanism": MECHANISM,
        "sasl_plain_username": user, "sasl_plain_password": password,
    }  # fmt: skip


def make_passwords(secrets_folder: Path) -> None:
    """Make the password files of the users that a cluster begins with, where they are not there."""
    for user in (OPERATOR, HUB):
        path = secrets_folder / f"{user}.password"
        if not path.exists():
            write_secret(path, make_password().encode())


def user_arguments(secrets_folder: Path) -> bytes:
    """Arguments of Kafka's `format`, a line each, that write a user for every password file."""
    known = {path.stem: path.read_text() for path in sorted(secrets_folder.glob("*.password"))}
    lines = [
        f"--add-scram\n{MECHANISM}=[name={user},iterations={ITERATIONS},password={password}]\n"
        for user, password in known.items()
    ]
    return "".join(lines).encode()


class Operator:
    """An operator's connection, to be closed. `secrets_folder` keeps one password file a user."""

    def __init__(self, bootstrap: str, ca: Path, secrets_folder: Path) -> None:
        self.secrets = secrets_folder
        password = self.password_file(OPERATOR).read_text()
        self._admin: Any = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), client_id=OPERATOR, **security(ca, OPERATOR, password)
        )

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._admin.close()

    def password_file(self, user: str) -> Path:
        """Where a user's password is."""
        return self.secrets / f"{user}.password"

    def brokers(self) -> set[int]:
        """The numbers of the nodes that serve now."""
        return {int(one["broker_id"]) for one in self._ask(self._admin.describe_cluster)["brokers"]}

    def add_hub(self) -> Path:
        """Make the hub's user and what it may do; gives its password file."""
        self._grant(hub_grants())
        return self._make_user(HUB)

    def add_agency(self, source: str) -> Agency:
        """Make a source's two topics, grants, quota and user; a password file that is there is kept.

        Errors: `OperatorFault` for a source whose user would be the hub's or the operator's.
        """
        user = slug(source)
        if user in (HUB, OPERATOR):
            raise OperatorFault(f"a source may not be called {user}: that is a user of another kind")
        self.create_topics(source)
        self._grant(agency_grants(source))
        self._set_quota(user)
        return Agency(source, user, self._make_user(user), events_topic(source), receipts_topic(source))

    def create_topics(self, source: str) -> None:
        """Make a source's two topics where they are not there, and wait until each has a leader."""
        wanted = {"num_partitions": PARTITIONS, "replication_factor": -1, "configs": SETTINGS}
        topics = events_topic(source), receipts_topic(source)
        for topic in topics:
            try:
                self._ask(self._admin.create_topics, {topic: wanted})
            except TopicAlreadyExistsError:
                continue
        self._wait("topics have no leader", lambda: min(map(self.leader, topics)) >= 0)

    def delete_topics(self, source: str) -> None:
        """Remove a source's two topics with all that they hold, and wait until they are gone."""
        topics = {events_topic(source), receipts_topic(source)}
        here = topics & self._topics()
        if here:
            self._ask(self._admin.delete_topics, sorted(here))
            self._wait("topics were not removed", lambda: not topics & self._topics())

    def leader(self, topic: str) -> int:
        """The number of the node that leads a topic now; -1 while there is none."""
        return int(self._partition(topic)["leader_id"])

    def in_sync(self, topic: str) -> set[int]:
        """The numbers of the nodes that hold all of a topic."""
        return set(self._partition(topic)["isr_nodes"])

    def topic_id(self, topic: str) -> str:
        """The id that a topic was given when it was made; one that is made again under the same name has another."""
        return str(self._ask(self._admin.describe_topics, [topic])[0]["topic_id"])

    def _partition(self, topic: str) -> Any:
        found = self._ask(self._admin.describe_topics, [topic])[0]["partitions"]
        return found[0] if found else {"leader_id": -1, "isr_nodes": []}

    def _topics(self) -> set[str]:
        return set(self._ask(self._admin.list_topics))

    def _grant(self, grants: list[ACL]) -> None:
        failed = self._ask(self._admin.create_acls, grants)["failed"]
        if failed:
            raise OperatorFault(f"a grant was not made: {failed[0].__name__}")

    def _make_user(self, user: str) -> Path:
        path = self.password_file(user)
        if not path.exists():
            write_secret(path, make_password().encode())
        password = path.read_text()
        made = UserScramCredentialUpsertion(user, MECHANISM, password, iterations=ITERATIONS)
        fault = self._ask(self._admin.alter_user_scram_credentials, [made])[user]
        if fault:
            raise OperatorFault(f"user {user} was not made: {fault}")
        return path

    def _set_quota(self, user: str) -> None:
        entry = AlterClientQuotasRequest.EntryData
        request = AlterClientQuotasRequest(
            entries=[
                entry(
                    entity=[entry.EntityData(entity_type="user", entity_name=user)],
                    ops=[entry.OpData(key=key, value=value, remove=False) for key, value in AGENCY_QUOTA.items()],
                )
            ],
            validate_only=False,
        )
        manager = self._admin._manager  # the client has no call for quotas yet
        answer = self._ask(manager.run, manager.send, request)
        for one in answer.entries:
            if one.error_code:
                raise OperatorFault(f"the quota of {user} was not set: {one.error_message}")

    def _ask(self, call: Callable[..., Any], *words: Any) -> Any:
        """Ask again while nodes come and go; every request here may be made twice."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                return call(*words)
            except KafkaError as fault:
                if not fault.retriable or time.monotonic() > deadline:
                    raise
                time.sleep(EVERY_S)

    def _wait(self, words: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not done():
            if time.monotonic() > deadline:
                raise OperatorFault(words)
            time.sleep(EVERY_S)
