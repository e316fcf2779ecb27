"""`/health`: outsiders learn ok or not ok, and nothing more."""

from __future__ import annotations

import pytest


def fails() -> bool:
    raise OSError("disk of Wrenna Quillfeather")


def test_the_process_lives_whatever_else_fails(world):
    world.checks = [fails]
    answer = world.nobody.get("/health/live")
    assert (answer.status_code, answer.content) == (200, b'{"status":"ok"}')


def test_the_hub_is_ready_when_every_check_holds(world):
    world.checks = [lambda: True, lambda: True]
    answer = world.nobody.get("/health/ready")
    assert (answer.status_code, answer.content) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("check", [lambda: False, fails])
def test_the_hub_is_not_ready_while_a_check_does_not_hold_or_fails(world, check, caplog):
    world.checks = [lambda: True, check]
    answer = world.nobody.get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b'{"status":"not-ok"}')
    assert "Quillfeather" not in caplog.text
