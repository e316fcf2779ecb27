"""Who may know whom, and where each library lives: two tables, read from the source by `ast`, with file and line."""

import ast
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("schemas", "adapters", "hub", "demo")
AGENCIES = ("police", "health", "education")

MAY_KNOW = {
    "schemas": "",
    "adapters.kit": "schemas",
    **{f"adapters.{agency}": "schemas adapters.kit" for agency in AGENCIES},
    "hub.settings": "",
    "hub.rules": "schemas",
    "hub.domain": "hub.rules",
    "hub.policy": "hub.domain hub.rules",
    "hub.identity": "hub.domain hub.rules",
    "hub.store": "hub.domain schemas",
    "hub.projections": "hub.domain hub.store hub.identity",
    "hub.watch": "",
    "hub.logs": "",
    "hub.ingest": "hub.domain hub.rules hub.identity hub.store hub.watch schemas",
    "hub.disclosure": "hub.domain hub.rules hub.policy hub.identity hub.store hub.projections schemas",
    "hub.audit": "hub.domain hub.policy hub.store hub.projections schemas",
    "hub.casework": "hub.domain hub.rules hub.identity hub.ingest hub.disclosure schemas",
    "hub.api": "hub.domain hub.disclosure hub.casework hub.audit hub.ingest",
    "hub.export": "schemas",
    **{
        f"hub.{room}": "hub schemas"
        for room in (
            "bootstrap",
            "commands",
            "commands_identity",
            "commands_sources",
            "consuming",
            "duties",
            "notifying",
            "serving",
            "words",
            "__main__",
        )
    },
    "demo": "hub.api schemas",
}
"""Part → the parts that it may import, beside itself. A new agency is a new row, and knows no other."""

SOURCES = tuple(f"adapters.{agency}.source" for agency in AGENCIES)
HOMES = {
    "cryptography": ("schemas.keys", "schemas.sealing", "hub.store"),
    "jwt": ("schemas.transport", "hub.api.auth"),
    "jsonschema_rs": ("schemas",),
    "lxml": ("adapters.kit.xml", *SOURCES),
    "hl7": SOURCES,
    "yaml": SOURCES,
    "httpx": ("adapters.kit.publisher", "demo"),
    "kafka": ("adapters.kit.kafka", "adapters.kit.knocking", "hub.ingest.consumer_kafka"),
    "eventsourcing": ("hub.store",),
    "psycopg": ("hub.store",),
    "confluent_kafka": ("hub.ingest.consumer_fast",),
    "prometheus_client": ("hub.watch",),
    "cedarpy": ("hub.policy",),
    "fastapi": ("hub.api",),
    "uvicorn": ("hub.serving",),
    "orjson": ("hub.store", "hub.projections", "hub.disclosure", "hub.ingest", "hub.api", "hub.commands"),
    "rich": ("demo",),
}
"""Library → where it lives. One that is not here has no home yet."""

PURE = {"__future__", "collections", "dataclasses", "datetime", "types", "typing", "uuid"}
IMPURE = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}


def under(name: str, places: Collection[str]) -> str:
    """The longest of the places that a module lies in; "" when it lies in none."""
    return max((one for one in places if name == one or name.startswith(one + ".")), key=len, default="")


def modules() -> Iterator[tuple[str, str, ast.Module]]:
    for file in sorted(one for top in OURS for one in (ROOT / top).rglob("*.py")):
        path = file.relative_to(ROOT)
        yield ".".join(path.with_suffix("").parts).removesuffix(".__init__"), str(path), ast.parse(file.read_text())


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{'.' * node.level}{node.module}.{alias.name}", node.lineno) for alias in node.names)


def faults() -> Iterator[str]:
    for module, path, tree in modules():
        part = under(module, MAY_KNOW)
        for name, line in imports(tree):
            top = name.split(".")[0]
            if top in OURS:
                if not under(name, [part, *MAY_KNOW.get(part, "").split()]):
                    yield f"{path}:{line}: {part or module} may not know {name}"
            elif top not in sys.stdlib_module_names and not under(module, HOMES.get(top, ())):
                yield f"{path}:{line}: {name} has no home in {module}"
            elif part == "hub.domain" and top not in PURE:
                yield f"{path}:{line}: the domain is pure and does not know {name}"


def test_every_part_knows_only_whom_it_may_and_every_library_stays_at_home() -> None:
    assert list(faults()) == []


def test_the_domain_asks_no_clock_and_makes_no_ids() -> None:
    for _, path, tree in (one for one in modules() if under(one[0], ["hub.domain"])):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            assert called not in IMPURE, f"{path}:{call.lineno}: {called}()"
