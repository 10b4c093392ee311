"""Builds everything that watches and acts, and hands each part what it needs. The only place that knows everybody."""

from switchover.wiring.building import build, build_evaluator, identify
from switchover.wiring.eyes import Eyes, Parts, Sight
from switchover.wiring.plans import id_in_file, load
from switchover.wiring.words import SecretWords

__all__ = ["Eyes", "Parts", "SecretWords", "Sight", "build", "build_evaluator", "id_in_file", "identify", "load"]
