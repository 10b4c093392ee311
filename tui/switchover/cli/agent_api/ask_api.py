"""Ask an agent over its API, as any program can."""

from __future__ import annotations

from typing import Any

from switchover.errors import AgentError
from switchover.locations import Workspace

__all__ = ["ask_api", "write_rows"]

_WITHIN_S = 20.0


def ask_api(workspace: Workspace, path: str) -> Any:
    """Return the JSON that the agent of a workspace answers. Raise `AgentError` where none answers, or it refuses."""
    import httpx

    socket = workspace.api_socket
    if not socket.is_socket():
        raise AgentError("no agent runs here", workspace.fill_in("`switchover agent start PLAN` starts one"))
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=_WITHIN_S) as http:
            answer = http.get(f"http://localhost{path}")
            found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise AgentError(f"the agent does not answer: {error}", "`switchover agent status` may say why") from None
    if answer.status_code >= 400:
        raise AgentError(str(found.get("error", f"the agent answers {answer.status_code}")))
    return found


def write_rows(rows: list[dict[str, Any]], form: str, columns: tuple[str, ...]) -> None:
    """Write rows as a table, as one JSON list, or as a line of JSON each."""
    from switchover.cli import output

    if form == "json":
        output.emit_json(rows)
        return
    if form == "jsonl":
        for row in rows:
            output.emit_json(row, indent=None)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]
    for line in [list(columns), *cells]:
        output.emit_text("  ".join(f"{text:{width}}" for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
