"""Engines that were sabotaged on purpose: what the fault tests must catch, or they prove nothing."""

from __future__ import annotations


def sabotage(name: str) -> None:
    pass
