"""`python -m tests.mutants [--count N] [--seed N] [--only PATH]`: try seeded mutants and print those that survive."""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

from tests.mutants.areas import AREAS, related_tests
from tests.mutants.changes import Mutant, count_places, mutant_at
from tests.mutants.trial import try_mutant, warm_up

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENTS = Path(__file__).with_name("equivalents.txt")


def main() -> int:
    """Return 1 where a mutant survives that nobody has named as equivalent."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many mutants (100)")
    parser.add_argument("--seed", type=int, default=1, help="which of them (1)")
    parser.add_argument("--only", default="", help="only modules whose path contains this")
    arguments = parser.parse_args()
    known = equivalents()
    warm_up()
    outcomes: Counter[str] = Counter()
    for number, mutant in enumerate(drawn(arguments.count, arguments.seed, arguments.only), 1):
        if mutant.name in known:
            outcomes["equivalent"] += 1
            continue
        outcome = try_mutant(ROOT, mutant, related_tests(ROOT, mutant.path))
        outcomes[outcome] += 1
        say = outcome if outcome in ("killed", "timeout") else outcome.upper()
        sys.stdout.write(f"{number:4d} {say:9} {mutant.path}:{mutant.line} {mutant.place}\n")
        if outcome == "survived":
            sys.stdout.write(f"       - {mutant.before}\n       + {mutant.after}\n")
        sys.stdout.flush()
    sys.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()) + "\n")
    return int(outcomes["survived"] + outcomes["broken"] > 0)


def drawn(count: int, seed: int, only: str = "") -> list[Mutant]:
    """Draw mutants over all areas: first a module by its length, then one of its mutants."""
    dice = random.Random(seed)
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for area in AREAS
        for path in sorted((ROOT / area).rglob("*.py"))
        if only in path.as_posix()
    }
    paths, weights = list(texts), [text.count("\n") for text in texts.values()]
    found: dict[str, Mutant] = {}
    for path in dice.choices(paths, weights, k=count * 2):
        places = count_places(texts[path])
        if places and len(found) < count:
            mutant = mutant_at(path, texts[path], dice.randrange(places))
            found[mutant.name] = mutant
    return list(found.values())


def equivalents() -> set[str]:
    """Return the mutants that nobody can tell from the program, by name; each stands below its reason."""
    lines = EQUIVALENTS.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


if __name__ == "__main__":
    sys.exit(main())
