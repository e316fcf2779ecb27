"""The topics of a source, and who may do what: all grants in one place.

An agency writes its own events topic and reads its own receipts topic. The hub reads every events topic, writes every
receipts topic, and has one group. What is not granted here is refused; nobody but the operator makes a topic.
"""

from __future__ import annotations

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from schemas.topics import EVENTS, RECEIPTS, events_topic, receipts_topic, slug

HUB = "hub"
"""The hub's user, and the name of its group."""
OPERATOR = "operator"
"""Who makes topics, users and grants: a super user."""
PARTITIONS = 1
RETENTION_MS = 7 * 24 * 60 * 60 * 1000
SETTINGS = {
    "cleanup.policy": "delete",
    "retention.ms": str(RETENTION_MS),
    "max.message.bytes": str(1024 * 1024),
    "compression.type": "uncompressed",
}
"""Of every topic, in Kafka's own names. Brokers keep no compression: a reader may lack the codec, and of what an agency
packed a thousandfold the limit of a message would say nothing."""
AGENCY_QUOTA = {"producer_byte_rate": 4.0 * 1024 * 1024, "consumer_byte_rate": 4.0 * 1024 * 1024}
"""Bytes a second and node that one agency may write and read. Above it the node answers later; nothing is refused."""

_LITERAL, _PREFIXED = ACLResourcePatternType.LITERAL, ACLResourcePatternType.PREFIXED


def agency_grants(source: str) -> list[ACL]:
    """What a source's own user may do. Its name is the source's slug."""
    user = slug(source)
    return [
        _allow(user, ACLOperation.WRITE, ResourceType.TOPIC, events_topic(source)),
        _allow(user, ACLOperation.READ, ResourceType.TOPIC, receipts_topic(source)),
    ]  # writing and reading include describing


def hub_grants() -> list[ACL]:
    """What the hub's user may do."""
    return [
        _allow(HUB, ACLOperation.READ, ResourceType.TOPIC, EVENTS, _PREFIXED),
        _allow(HUB, ACLOperation.WRITE, ResourceType.TOPIC, RECEIPTS, _PREFIXED),
        _allow(HUB, ACLOperation.READ, ResourceType.GROUP, HUB),
    ]


def _allow(
    user: str, operation: ACLOperation, kind: ResourceType, name: str, pattern: ACLResourcePatternType = _LITERAL
) -> ACL:
    where = ResourcePattern(kind, name, pattern)
    return ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, where)
