"""Each pattern, in each disguise, on each way to a person or a disk: nothing is shown or written in clear."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.unit.redaction.command_samples import COMMANDS
from tests.unit.redaction.consumers import CONSUMERS, LINE_BY_LINE, step_output
from tests.unit.redaction.samples import SAMPLES, has_an_end, in_base64, plain, secrets_of

from switchover.migration.steps.step_output import read_output

ALL = [sample for samples in SAMPLES.values() for sample in samples if has_an_end(sample)]
ONE_OF_EACH = [samples[0] for samples in SAMPLES.values() if has_an_end(samples[0])]
OF_COMMANDS = {sample for samples in COMMANDS.values() for sample in samples}
_SHORT = 5  # a secret of fewer letters may stand there by chance


def _coloured(sample: str) -> str:
    return re.sub("«([^»])([^»]*)»?", "\\1\x1b[01;31m\\2\x1b[m", sample)


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": plain,
    "within a line": lambda sample: f"2024-01-01 INFO [main] {plain(sample)} ",
    "in colour": _coloured,
    "in JSON": lambda sample: json.dumps({"at": 1, "message": plain(sample), "n": 2}),
    "in JSON in JSON": lambda sample: json.dumps({"log": json.dumps({"message": plain(sample)})}),
    "in a URL": lambda sample: f"GET /x?q={quote(plain(sample), safe='')}&n=2",
    "in base64": lambda sample: f"data: {in_base64(plain(sample))} end",
    "in a list of arguments": lambda sample: json.dumps(plain(sample).split(" ")),
}


def _in_clear(secret: str, shown: str) -> bool:
    forms = (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), in_base64(secret)[:-4])
    return any(len(form) >= _SHORT and form in shown for form in forms)


def _sections(shown: str) -> dict[str, str]:
    """Return what was shown of each text, by its number."""
    found: dict[str, str] = {}
    parts = re.split(r"== (\d+) ==", shown)
    for number, said in zip(parts[1::2], parts[2::2], strict=True):
        found[number] = found.get(number, "") + said
    return found


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("consumer", CONSUMERS)
def test_no_secret_passes(consumer: str, disguise: str, tmp_path: Path) -> None:
    chosen = ALL if disguise == "plain" else ONE_OF_EACH
    samples = [sample for sample in chosen if consumer not in LINE_BY_LINE or "\n" not in sample]
    if disguise == "in a list of arguments":
        samples = [sample for sample in samples if sample in OF_COMMANDS]
    shown = CONSUMERS[consumer]([DISGUISES[disguise](sample) for sample in samples], tmp_path)
    found = _sections(shown)
    assert sorted(found, key=int) == [str(n) for n in range(len(samples))]
    leaks = [
        (sample, said)
        for said, sample in ((found[str(n)], sample) for n, sample in enumerate(samples))
        for secret in secrets_of(sample)
        if _in_clear(secret, said)
    ]
    assert leaks == []


@pytest.mark.parametrize("kind", SAMPLES)
def test_no_secret_passes_wherever_an_output_is_read_in_pieces(kind: str, tmp_path: Path) -> None:
    looked, leaks = 0, []
    for number, sample in enumerate(SAMPLES[kind]):
        directory = step_output(tmp_path / str(number), plain(sample))
        rests = [secret[-_SHORT:] for secret in secrets_of(sample) if len(secret) >= _SHORT]
        for cut in range(0, len(plain(sample).encode()), 5):
            shown = read_output(directory, cut, 1 << 20, ended=True).text
            leaks += [(cut, shown) for rest in rests if rest in shown]
            looked += 1
    assert looked
    assert leaks == []
