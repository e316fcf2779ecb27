"""The Java libraries of Apache Kafka at the version of `pom.xml`, fetched once by Maven; git ignores the folder."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).resolve().parents[2] / ".venv"
OLDEST_JAVA = 17
FETCH_S = 600


class ServersMissing(RuntimeError):
    """Something that the servers need is not installed; the message says what to install."""


@functools.cache
def find_java() -> str:
    """The `java` to run with. Errors: `ServersMissing` when there is none, or one that is too old."""
    java = shutil.which("java")
    if not java:
        raise ServersMissing(
            f"There is no java here. On Debian and Ubuntu: apt install openjdk-{OLDEST_JAVA}-jre-headless"
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60).stderr  # noqa: S603
    number = re.search(r'version "(\d+)', said)
    if not number or int(number[1]) < OLDEST_JAVA:
        raise ServersMissing(f"Kafka needs Java {OLDEST_JAVA} or newer, and this java is older")
    return java


def fetch_libraries() -> Path:
    """The folder of jars; fetched on first use (about 45 MB), then found. Errors: `ServersMissing`."""
    folder = CACHE / f"kafka-{version()}"
    if not folder.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            fetched = Path(scratch) / "jars"
            _copy_dependencies(fetched)
            if not folder.is_dir():  # two may fetch at once; whole folders only
                os.rename(fetched, folder)
    return folder


def version() -> str:
    """The version of Apache Kafka that `pom.xml` pins."""
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([\w.-]+)</version>", POM.read_text())
    assert found, "pom.xml names no Kafka"
    return found[1]


def _copy_dependencies(into: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise ServersMissing("There is no mvn here to fetch Kafka with. On Debian and Ubuntu: apt install maven")
    command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={into}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S)  # noqa: S603
    if done.returncode != 0:
        raise ServersMissing(f"mvn could not fetch Kafka:\n{done.stdout[-2000:]}")
