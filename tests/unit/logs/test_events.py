"""Errors are counted by event: a stack trace, or a database's ERROR with its DETAIL, is one, however many its lines."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchover.logs.intake import Intake
from switchover.logs.line_ring import SEGMENT, LineRing
from switchover.logs.log_queries import LogQueries
from switchover.logs.sources.parsers import parser
from switchover.logs.sources.source_api import RawLine

PYTHON = """\
Traceback (most recent call last):
  File "/app/x.py", line 3, in <module>
    run()
  File "/app/x.py", line 2, in run
    raise ValueError("bad")
ValueError: bad
"""
CHAINED = (
    PYTHON
    + """
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/x.py", line 9, in <module>
requests.exceptions.Timeout: ERROR: nobody answered
"""
)
SQL = (
    PYTHON.replace("ValueError: bad", 'sqlalchemy.exc.ProgrammingError: (psycopg.errors.X) relation "x" is missing')
    + """\
LINE 1: select * from x
                      ^
[SQL: select * from x]
(Background on this error at: https://sqlalche.me/e/20/f405)
"""
)
JAVA = """\
java.lang.IllegalStateException: ERROR: relation "x" does not exist
\tat com.shop.Orders.load(Orders.java:12)
\tat com.shop.Main.main(Main.java:3)
Caused by: org.postgresql.util.PSQLException: ERROR: relation "x" does not exist
\tat org.postgresql.core.QueryExecutor.receive(QueryExecutor.java:99)
\t... 12 more
Caused by: java.io.IOException: error: broken pipe
\t... 14 common frames omitted
"""
JAVA_THREAD = 'Exception in thread "main" ' + JAVA
GO = """\
panic: runtime error: index out of range [5] with length 3 [recovered]
\tpanic: again
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45]

goroutine 1 [running]:
main.load(0xc000012345, 0x5)
\t/src/main.go:8 +0x1d
main.main()
\t/src/main.go:4 +0x1d
created by main.start in goroutine 7
\t/src/main.go:2 +0x1d

goroutine 8 [select]:
net/http.(*Server).Serve(0x1)
\t/usr/lib/go/server.go:1 +0x1
exit status 2
"""
GO_FATAL = "fatal error: all goroutines are asleep!\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/x.go:3 +0x1\n"
JS = """\
/app/index.js:3
    throw new TypeError('boom');
    ^

TypeError [ERR_X]: boom
    at Object.<anonymous> (/app/index.js:3:7)
    at Module._compile (node:internal/modules/cjs/loader:1105:14) {
  code: 'ERR_X',
  [cause]: Error: connect ECONNREFUSED
      at TCPConnectWrap.afterConnect {
    errno: -111
  }
}

Node.js v18.0.0
"""
PHP = """\
PHP Fatal error:  Uncaught Exception: boom in /app/x.php:3
Stack trace:
#0 /app/x.php(7): load()
#1 {main}

Next RuntimeException: again in /app/x.php:9
Stack trace:
#0 {main}
  thrown in /app/x.php on line 3
"""
RUBY = "/app/x.rb:3:in `load': boom (RuntimeError)\n\tfrom /app/x.rb:6:in `<main>'\n"
RUST = "thread 'main' panicked at src/main.rs:2:5:\nboom\nstack backtrace:\n   0: begin_unwind\nnote: run with it\n"
RUST_TOLD = (
    "thread 'w' (7) panicked at src/w.rs:9:13:\ncalled `unwrap()` on an `Err` value: ERROR: gone\nnote: run with it\n"
)
DOTNET = (
    "Unhandled exception. System.Exception: boom\n   at Shop.Main()\n   --- End of inner exception stack trace ---\n"
)
PSQL = 'psql:x.sql:3: ERROR:  duplicate key\nDETAIL:  Key (id)=(1) exists.\nCONTEXT:  COPY x, line 1: "ERROR: x"\n'
TRACES = {
    "python": PYTHON, "chained": CHAINED, "sql": SQL, "java": JAVA, "java thread": JAVA_THREAD, "go": GO,
    "go fatal": GO_FATAL, "js": JS, "php": PHP, "ruby": RUBY, "rust": RUST, "rust told": RUST_TOLD,
    "dotnet": DOTNET, "psql": PSQL,
}  # fmt: skip
POSTGRES = """\
2026-07-01 10:00:00.100 UTC [7] app@shop ERROR:  duplicate key value violates unique constraint "x"
2026-07-01 10:00:00.100 UTC [7] app@shop DETAIL:  Key (id)=(1) already exists.
2026-07-01 10:00:00.100 UTC [7] app@shop STATEMENT:  insert into x
\tvalues (1, 'ERROR: not one');
"""


def counted(lines: Iterable[RawLine], query: dict[str, str] | None = None, at_once: int = 200) -> tuple[int, int]:
    """Return how many warnings and errors the log window says there are."""
    ring = LineRing(1 << 30, 1_000_000)
    desk = LogQueries(ring, ["a"], {}, list)
    intake, lines = Intake(now=lambda: 5.0), list(lines)
    for begin in range(0, len(lines), at_once):
        ring.add(0, *intake.take(lines[begin : begin + at_once]))
    return counted_by(desk, query or {})


def counted_by(desk: LogQueries, query: dict[str, str]) -> tuple[int, int]:
    while desk.ask(query).step():
        pass
    buckets = desk.window(query, None, 10, 0)["density"]
    return sum(one[1] for one in buckets), sum(one[2] for one in buckets)


def plain(text: str) -> list[RawLine]:
    return [RawLine(None, line.encode()) for line in text.splitlines()]


def stamped(text: str, level: str = "") -> list[RawLine]:
    """Lines whose times come from elsewhere: a container's, the journal's."""
    return [RawLine(float(n), line.encode(), level) for n, line in enumerate(text.splitlines())]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_one_error_in_a_log_without_times(name: str) -> None:
    assert counted(plain(f"starting\n{TRACES[name]}going on\n")) == (0, 1)
    assert counted(plain(TRACES[name])) == (0, 1)
    assert counted(stamped(f"starting\n{TRACES[name]}going on\n")) == (0, 1)


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_behind_the_line_that_says_error_is_one_error(name: str) -> None:
    head = "2026-07-01T10:00:00Z ERROR it failed\n"
    end = "2026-07-01T10:00:01Z INFO going on\n"
    assert counted(plain(head + TRACES[name] + end)) == (0, 1)
    if name in {"python", "chained", "sql", "java", "go", "go fatal"}:  # the others begin with an error of their own
        assert counted(stamped(head + TRACES[name] + end)) == (0, 1)
        assert counted(plain(f"ERROR:app:it failed\n{TRACES[name]}INFO:app:going on\n")) == (0, 1)


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_behind_a_line_that_is_well_is_an_error_of_its_own(name: str) -> None:
    head, end = "2026-07-01T10:00:00Z INFO begun\n", "2026-07-01T10:00:01Z INFO going on\n"
    assert counted(plain(head + TRACES[name] + end)) == (0, 1)


@pytest.mark.parametrize("name", TRACES)
def test_two_traces_are_two_errors(name: str) -> None:
    assert counted(plain(TRACES[name] * 2)) == (0, 2)
    assert counted(stamped(TRACES[name] * 2)) == (0, 2)
    head = "2026-07-01T10:00:00Z ERROR it failed\n"
    assert counted(plain((head + TRACES[name]) * 3)) == (0, 3)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_it_counts_the_same_however_the_lines_come(name: str, at_once: int) -> None:
    assert counted(plain(TRACES[name] * 2), at_once=at_once) == (0, 2)


@pytest.mark.parametrize("name", [name for name in TRACES if name not in {"js", "rust", "rust told"}])
def test_a_trace_whose_every_line_the_journal_calls_an_error_is_one(name: str) -> None:
    assert counted(stamped(TRACES[name], "error")) == (0, 1)


def test_what_a_database_says_of_one_error_is_one() -> None:
    fine = "2026-07-01 10:00:01.000 UTC [7] app@shop LOG:  duration: 3 ms\n"
    assert counted(plain(POSTGRES + fine)) == (0, 1)
    assert counted(plain(POSTGRES * 4)) == (0, 4)
    other = POSTGRES.replace("[7]", "[8]")
    mixed = [line for pair in zip(POSTGRES.splitlines(), other.splitlines(), strict=True) for line in pair]
    assert counted(plain("\n".join(mixed))) == (0, 2)
    by_syslog = "".join(
        f"Jul  1 10:00:00 db postgres[7]: [3-{n}] {line}\n"
        for n, line in enumerate(["ERROR:  no", "DETAIL:  not at all", "#011ERROR:  no"], 1)
    )
    assert counted(plain(by_syslog)) == (0, 1)


def test_an_error_is_never_hidden_in_what_is_well() -> None:
    assert counted(plain("2026-07-01T10:00:00Z INFO begun\nERROR no disk\n2026-07-01T10:00:01Z INFO on\n")) == (0, 1)
    assert counted(plain("2026-07-01T10:00:00Z WARN slow\n" + PYTHON)) == (1, 1)
    assert counted(plain("ERROR one\nERROR two\nWARN three\nERROR four\n")) == (1, 3)
    assert counted(plain("ValueError: one\nValueError: two\n")) == (0, 2)
    assert counted(plain("2026-07-01T10:00:00Z ERROR one\n2026-07-01T10:00:00Z ERROR two\n")) == (0, 2)


def test_an_entry_of_several_lines_is_one_event_whatever_its_lines_say() -> None:
    entry = {"MESSAGE": "ERROR: one\nERROR: two\nthree", "PRIORITY": "3", "__REALTIME_TIMESTAMP": "1782900000000000"}
    lines = parser("journal-json")([json.dumps(entry).encode()] * 2)
    assert len(lines) == 6
    assert counted(lines) == (0, 2)


def test_traces_of_several_writers_are_told_apart() -> None:
    both = [
        f"[{pod}] 2026-07-01T10:00:00.{n:09}Z {line}".encode()
        for n, line in enumerate(JAVA_THREAD.splitlines())
        for pod in ("web-1/app", "web-2/app")
    ]
    assert counted(parser("kubernetes")(both)) == (0, 2)
    entries = [
        json.dumps({"MESSAGE": line, "PRIORITY": "3", "_PID": pid, "__REALTIME_TIMESTAMP": "1782900000000000"}).encode()
        for line in PYTHON.splitlines()
        for pid in ("7", "8")
    ]
    assert counted(parser("journal-json")(entries)) == (0, 2)


def test_a_line_of_another_within_a_traceback_does_not_make_it_two() -> None:
    lines = PYTHON.splitlines()
    mixed = [*lines[:2], "GET /health 200", *lines[2:4], "GET /health 200", *lines[4:]]
    assert counted(plain("\n".join(mixed))) == (0, 1)


def test_a_search_counts_each_event_in_which_it_stands_once() -> None:
    assert counted(plain(CHAINED * 3), {"show": "Timeout|ValueError"}) == (0, 3)
    assert counted(plain(CHAINED * 3), {"least": "error"}) == (0, 3)
    assert counted(plain(CHAINED * 3), {"hide": "Traceback"}) == (0, 3)


bits = st.lists(st.sampled_from(["fine\n" * 7, PYTHON, JAVA_THREAD, "ERROR one\n", POSTGRES]), max_size=60)


@settings(max_examples=40, deadline=None)
@given(bits, st.lists(st.integers(0, 1000), max_size=4), st.sampled_from(["", "a", "Error", "values|File"]))
def test_events_are_counted_once_wherever_a_segment_ends(parts: list[str], stops: list[int], show: str) -> None:
    lines = plain("".join(parts))
    taken = Intake(now=lambda: 5.0).take(lines)
    ring = LineRing(1 << 30, 1_000_000)
    desk = LogQueries(ring, ["a"], {}, list)
    begin = 0
    for end in sorted({min(stop, len(lines)) for stop in stops} | {len(lines)}):
        ring.add(0, taken.ats[begin:end], taken.levels[begin:end], taken.texts[begin:end], taken.events[begin:end])
        desk.ask({"show": show}).step()
        begin = end
    fitting = {event for event, text in zip(taken.events, taken.texts, strict=True) if event and (show in text)}
    if "|" not in show:
        assert sum(counted_by(desk, {"show": show})) == len(fitting)


def test_the_next_error_is_the_next_event() -> None:
    ring = LineRing(1 << 30, 1_000_000)
    desk = LogQueries(ring, ["a"], {}, list)
    fine = "2026-07-01T10:00:00Z INFO fine"
    lines = plain(f"{fine}\n{CHAINED}{fine}\n{POSTGRES}" * 40)
    ring.add(0, *Intake(now=lambda: 5.0).take(lines))
    assert ring.end > 2 * SEGMENT
    while desk.ask({}).step():
        pass
    heads = [n for n, line in enumerate(lines) if line.text.startswith(b"2026") and b"ERROR:  d" in line.text]
    heads += [n + 1 for n, line in enumerate(lines) if b" fine" in line.text and lines[n + 1].text.startswith(b"Trace")]
    found, at = [], -1
    while (after := desk.seek({}, at, "error", 1)) is not None:
        found.append(after)
        at = after
    assert found == sorted(heads)
    back, at = [], len(lines)
    while (before := desk.seek({}, at, "error", -1)) is not None:
        back.append(before)
        at = before
    assert back == sorted(heads, reverse=True)
