"""A report as a row of blocks, before it becomes Markdown or HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from switchover.cli.report.checklist_texts import due_text, evidence_text, file_state, item_text
from switchover.snapshot.states import NamedStatus
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["Block", "Cell", "Code", "FactList", "Heading", "Table", "Text", "blocks"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table or a fact. `code`: exactly as written. `status` colours it."""

    text: str
    code: bool = False
    status: NamedStatus = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a part. Level 1 is the title."""

    level: int
    text: str
    state: Cell | None = None


@dataclass(frozen=True, slots=True)
class FactList:
    """Names with their values."""

    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head. `to_sign`: its empty cells are written into by hand."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    to_sign: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines exactly as they were written, under a caption."""

    caption: str
    lines: tuple[str, ...]


Block = Heading | FactList | Table | Text | Code
Report = Mapping[str, Any]
_NONE = "–"
_STATUS: dict[str, NamedStatus] = {
    **dict.fromkeys(("done", "passed", "OK", "ok", "met", "open", "rolled_back", "go"), "ok"),
    **dict.fromkeys(("WARN", "warn", "waiting", "running", "pending", "aborted", "not measured"), "warn"),
    **dict.fromkeys(("failed", "CRIT", "crit", "missed", "timeout", "no-go"), "crit"),
    **dict.fromkeys(("unknown", "UNKNOWN", "SKIPPED"), "unknown"),
}


def blocks(report: Report) -> Iterator[Block]:
    """Return the whole report, block after block."""
    yield from _head(report)
    yield from _operators(report["operators"])
    for phase in report["phases"]:
        yield from _phase(phase)
    yield from _decisions(report["decisions"])
    yield from _exceptions(report["waivers"])
    yield from _promises(report["promises"]) if report["promises"] else ()
    yield from _costs(report["costs"])
    yield from _ways_back(report["ways_back"])
    if report["rollback"]:
        yield from _rollback(report["rollback"])
    if report["other"]:
        yield Heading(2, "Other records")
        yield from _details(report["other"])
    yield Heading(2, "What happened")
    rows = [(_at(r["at"]), _t(r["kind"]), Cell(r["text"], status=r["status"] or "")) for r in report["timeline"]]
    yield _table(("at", "what", "told"), rows)
    yield from _signoff(report)


def _head(report: Report) -> Iterator[Block]:
    plan, run = report["plan"], report["run"]
    yield Heading(1, f"{plan['title']}: run {run['id']}", _state(run["state"]))
    ended = _time(run["ended_at"]) or "not yet"
    took = f", after {format_duration(run['duration_s'])}" if run["duration_s"] else ""
    yield FactList(
        (
            ("plan", Cell(plan["id"], code=True)),
            ("plan's sha256", Cell(plan["sha256"], code=True)),
            *(("rebased to", Cell(digest, code=True)) for digest in plan["rebased_to"]),
            ("owner", _t(plan["owner"])),
            ("target", _t(plan["target"])),
            ("started", _t(f"{_time(run['started_at'])} by {run['started_by']}")),
            ("ended", _t(f"{ended}{took}")),
            *((("how it ended", _t(run["reason"])),) if run["reason"] else ()),
            *(("NOT BELIEVED", Cell(text, status="crit")) for text in run["not_believed"]),
            *((f"variable {name}", Cell(str(value), code=True)) for name, value in run["variables"].items()),
        )
    )


def _operators(people: Sequence[Report]) -> Iterator[Block]:
    yield Heading(2, "Who acted")
    rows = [
        (
            _t(p["operator"]),
            _t(", ".join(k if n == 1 else f"{k} ×{n}" for k, n in p["actions"].items())),
            _at(p["first_at"]),
            _at(p["last_at"]),
        )
        for p in people
    ]
    yield _table(("operator", "what, how often", "first", "last"), rows)


def _phase(phase: Report) -> Iterator[Block]:
    title = "" if phase["title"] == phase["id"] else f": {phase['title']}"
    yield Heading(2, f"Phase {phase['id']}{title}")
    rows = []
    for step in phase["steps"]:
        last = step["attempts"][-1] if step["attempts"] else {}
        effect = "irreversible" if step["irreversible"] else step["effect"]
        rows.append(
            (
                _t(step["id"]),
                _state(step["state"]),
                _t(len(step["attempts"])),
                _t(last.get("exit_code")),
                _t(_took(last.get("duration_s"))),
                _t(effect),
                _t(last.get("by")),
                _t(step["reason"], ""),
            )
        )
    if rows:
        yield _table(("step", "state", "attempts", "exit code", "took", "effect", "by", "why"), rows)
    if phase["due_at"]:
        yield FactList((("due", _t(due_text(phase))),))
    for step in phase["steps"]:
        yield from _step(step)
    if phase["gate"] is not None:
        yield from _gate(phase["id"], phase["gate"])


def _step(step: Report) -> Iterator[Block]:
    title = "" if step["title"] == step["id"] else f": {step['title']}"
    yield Heading(3, f"{step['id']}{title}", _state(step["state"]))
    if step["command"]:
        yield Code("command", tuple(step["command"].split("\n")))
    facts = [(f"output {name}", Cell(value, code=True)) for name, value in step["outputs"].items()]
    facts += [("due", _t(due_text(step)))] if step["due_at"] else []
    if step["env_names"]:
        facts.insert(0, ("environment", Cell(" ".join(step["env_names"]), code=True)))
    if undo := step["rollback"] or step["undo_note"]:
        facts.append(("undone by" if step["rollback"] else "undo", Cell(undo, code=bool(step["rollback"]))))
    facts += [(f"kept {f['name']}", Cell(f["sha256"], code=True)) for a in step["attempts"] for f in a["kept"]]
    if facts:
        yield FactList(tuple(facts))
    if step["items"]:
        rows = [(_t(item_text(i)), _t(i["by"]), _at(i["at"]), _t(evidence_text(i))) for i in step["items"]]
        yield _table(("item", "done by", "at", "evidence"), rows)
        if files := [i["file"] for i in step["items"] if i["file"]]:
            rows = [
                (
                    Cell(f["kept"], code=True),
                    Cell(f["sha256"], code=True),
                    _t(f"{f['size']:,} bytes"),
                    _t(file_state(f)),
                )
                for f in files
            ]
            yield _table(("file kept as evidence", "sha256", "size", ""), rows)
    for place in (step, *step.get("machines", ())):
        if where := place.get("run_on") or place.get("name"):
            yield Text(f"on {where}: {place['reason'] or place['state']}")
        yield from _attempts(place["attempts"])


def _attempts(attempts: Sequence[Report]) -> Iterator[Block]:
    if len(attempts) > 1:
        rows = [
            (
                _t(a["number"]),
                _state(a["outcome"] or "running"),
                _t(a["exit_code"]),
                _t(_took(a["duration_s"])),
                _at(a["started_at"]),
                _t(a["by"]),
                _t(a["reason"], ""),
            )
            for a in attempts
        ]
        yield _table(("attempt", "outcome", "exit code", "took", "started", "by", "why"), rows)
    for attempt in attempts:
        if attempt["output_tail"]:
            size = format_bytes(attempt["output_bytes"])
            which = f" of attempt {attempt['number']}" if len(attempts) > 1 else ""
            lines = tuple(attempt["output_tail"])
            yield Code(f"last {'line' if len(lines) == 1 else f'{len(lines)} lines'}{which} ({size} written)", lines)


def _gate(phase: str, gate: Report) -> Iterator[Block]:
    held = f"{format_duration(gate['held_s'])} of {format_duration(gate['hold_s'])}" if gate["hold_s"] else None
    facts = [("state", _state("passed" if gate["state"] == "done" else gate["state"])), ("at", _at(gate["at"]))]
    if held:
        facts.append(("held", _t(held)))
    if gate["human"]:
        facts.append(("asked", _t(gate["human"])))
        facts.append(("go by", _t(gate["answered_by"])))
    if gate["note"]:
        facts.append(("note", _t(gate["note"])))
    if gate["reason"]:
        facts.append(("why it is shut", _t(gate["reason"])))
    yield Heading(3, f"Gate of {phase}")
    yield FactList(tuple(facts))
    if gate["evidence"]:
        yield _evidence(gate["evidence"])
    for look in gate["shut"]:
        yield Text(f"It stayed shut at {_time(look['at'])}: {look['reason']}")


def _evidence(seen: Iterable[Report]) -> Table:
    rows = []
    for one in seen:
        if not one["findings"]:
            rows.append((_t(one["check"]), _state(one["status"]), _t(one["summary"]), _t(None), _t(None)))
        for f in one["findings"]:
            cells = (_t(f["what"]), Cell(f["expected"], code=True), Cell(f["observed"], code=True))
            rows.append((_t(one["check"]), _state(f["status"]), *cells))
    return _table(("check", "status", "what", "expected", "observed"), rows)


def _decisions(decisions: Sequence[Report]) -> Iterator[Block]:
    yield Heading(2, "Decisions")
    if not decisions:
        yield Text("Nobody had to decide anything.")
        return
    rows = [(_t(d["about"]), _t(d["decision"]), _t(d["reason"]), _t(d["by"]), _at(d["at"])) for d in decisions]
    yield _table(("about", "decision", "reason, or what was typed", "by", "at"), rows)
    for decision in decisions:
        if decision["evidence"]:
            yield Text(f"{decision['about']} was {decision['decision']} on this evidence:")
            yield _evidence(decision["evidence"])


def _exceptions(waivers: Sequence[Report]) -> Iterator[Block]:
    yield Heading(2, "Waivers and acknowledged warnings")
    if waivers:
        yield from _details(waivers)
    else:
        yield Text("None: nothing was let pass.")


def _details(entries: Sequence[Report]) -> Iterator[Block]:
    rows = [
        (
            _t(entry["what"]),
            _t(", ".join(f"{k} {v}" for k, v in entry["details"].items() if v not in (None, "", [], {}))),
            _t(entry["by"]),
            _at(entry["at"]),
        )
        for entry in entries
    ]
    yield _table(("what", "details", "by", "at"), rows)


def _promises(promises: Sequence[Report]) -> Iterator[Block]:
    yield Heading(2, "Promises: promised and measured")
    rows = [
        (
            _t(o["title"]),
            _t(_number(o["before"], o["unit"])),
            _t(_number(o["after"], o["unit"])),
            Cell(o["target"], code=True),
            _state("not measured" if o["after"] is None else o["state"]),
        )
        for o in promises
    ]
    yield _table(("promise", "before", "after", "promised", "result"), rows)
    yield from (Text(f"{o['title']} was let pass: {o['let_pass']}.") for o in promises if o["let_pass"])


def _costs(costs: Report | None) -> Iterator[Block]:
    if costs is None:
        return
    yield Heading(2, f"Costs a month in {costs['currency']}: promised and measured")
    rows = [
        *(tuple(_t(line[key]) for key in ("line", "before", "after", "difference")) for line in costs["lines"]),
        (_t("total"), _t(costs["before"]), _t(costs["after"]), _t(costs["difference"])),
    ]
    yield _table(("line", "planned before", "planned after", "difference"), rows)
    if costs["budget"]:
        fits = {True: "the plan is within it", False: "the plan is over it", None: "it is not known to be kept"}
        yield Text(f"The budget is {costs['budget']} a month; {fits[costs['within_budget']]}.")
    if costs["unpriced"]:
        yield Text(f"Without a price, so that the sums are at least that: {', '.join(costs['unpriced'])}.")
    if costs["measured"] is None:
        yield Text("Measured: not measured. These are the plan's own figures; no invoice or price list was compared.")


def _ways_back(ways: Sequence[Report]) -> Iterator[Block]:
    yield Heading(2, "Rollback readiness")
    rows = [
        (
            _t(way["name"] or "step by step"),
            _t(way["title"]),
            _state("open" if way["open"] else "closed"),
            _t(way["reason"], ""),
            _t(_took(way["within_s"] or way["expect_s"])),
            _t(way["data_loss"]),
            _t("gone; see below" if way["gone"] else _time(way["rehearsed_at"]) or "no rehearsal on record"),
        )
        for way in ways
    ]
    yield _table(("way back", "title", "now", "why", "time", "data loss", "rehearsed"), rows)
    for way in ways:
        if way["cannot_undo"]:
            yield Text(f"{way['name'] or 'step by step'}: {'; '.join(way['cannot_undo'])}")


def _rollback(rollback: Report) -> Iterator[Block]:
    yield Heading(2, f"Rollback {rollback['name'] or 'step by step'}", _state(rollback["state"]))
    if rollback["duration_s"] is not None:
        in_time = {True: ", within its time", False: ", over its time", None: ""}[rollback["within_time"]]
        yield Text(f"It took {format_duration(rollback['duration_s'])}{in_time}.")
    rows = [
        (_t(a["undoes"]), Cell(a["run"], code=True), _state(a["state"]), _t(a["reason"], ""))
        for a in rollback["actions"]
    ]
    yield _table(("undoes", "command", "state", "why"), rows)
    for action in rollback["actions"]:
        yield from _attempts(action["attempts"])
    for text in rollback["cannot_undo"]:
        yield Text(text)
    if rollback["verify"]:
        yield Text("Looked at afterwards:")
        yield _evidence(rollback["verify"])


def _signoff(report: Report) -> Iterator[Block]:
    journal, signoff = report["journal"], report["signoff"]
    yield Heading(2, "Sign-off")
    yield Text(
        f"{journal['records']} records of this run. The journal's head vouches for all of them; write it down, and "
        "`switchover audit verify PLAN --head HASH` proves later that nothing was changed."
    )
    yield FactList((("head", Cell(f"record {journal['head_seq']}, {journal['head_hash']}", code=True)),))
    if signoff["retention_s"]:
        yield Text(f"To be kept for {format_duration(signoff['retention_s'])}.")
    roles = signoff["roles"] or ["operator"]
    blank = Cell("")
    rows = tuple((_t(role), blank, blank, blank) for role in roles)
    yield Table(("role", "name", "date", "signature"), rows, to_sign=True)
    yield Text(f"Written {_time(report['made_at'])} by switchover {report['run']['version']}.")


def _t(value: object, none: str = _NONE) -> Cell:
    return Cell(none if value is None or value == "" else str(value))


def _at(iso: str | None) -> Cell:
    return _t(_time(iso))


def _time(iso: str | None) -> str:
    """Write `2026-01-31T14:02:31.042Z` as `2026-01-31 14:02:31Z`."""
    return f"{iso[:10]} {iso[11:19]}Z" if iso else ""


def _state(word: str) -> Cell:
    return Cell(word.replace("_", " "), status=_STATUS.get(word, ""))


def _took(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _number(value: float | None, unit: str) -> str:
    return "not measured" if value is None else f"{value:g} {unit}".strip()


def _table(head: tuple[str, ...], rows: Iterable[Iterable[Cell]]) -> Table:
    return Table(head, tuple(tuple(row) for row in rows))
