"""`switchover api [PLAN]`: where applications and scrapers reach the agent, and how."""

from __future__ import annotations

import argparse
import shlex

from switchover.cli.output import emit_json, emit_text
from switchover.cli.plan_file import workspace_of

__all__ = ["add_arguments", "run"]

VERB = "api"
RANK = 205
SUMMARY = "show where applications reach the agent: its socket, its token, its routes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.description = "The agent serves HTTP on a socket of its own. `agent start --api 127.0.0.1:PORT` adds a port."
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="whose agent (default: the one of this host)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to answer (default: table)")


def run(args: argparse.Namespace) -> int:
    """Show it; 1 where no agent serves it now."""
    from switchover.agent.http.openapi import ROUTES, WEBSOCKET_PATH

    workspace = workspace_of(args)
    socket = workspace.api_socket
    served = socket.is_socket()
    rows = [(route.method, route.path, route.summary) for route in ROUTES]
    rows.append(("WS", WEBSOCKET_PATH, "What changes, as it changes"))
    if args.format == "json":
        routes = [{"method": method, "path": path, "summary": summary} for method, path, summary in rows]
        emit_json(
            {"socket": str(socket), "served": served, "token": str(workspace.api_token), "routes": routes}, exact=True
        )
        return 0 if served else 1
    emit_text(f"socket  {socket}" + ("" if served else "  (no agent serves it now)"))
    emit_text(f"token   {workspace.api_token}  (for a port: `agent start --api 127.0.0.1:PORT`)")
    emit_text("")
    width = max(len(path) for _, path, _ in rows)
    for method, path, summary in rows:
        emit_text(f"  {method:4}  {path:{width}}  {summary}")
    emit_text("")
    emit_text(f"  curl --unix-socket {shlex.quote(str(socket))} http://localhost/monitoring/health")
    emit_text(f"  SWITCHOVER_API={shlex.quote(str(socket))} python my_app.py   # with switchover_client")
    return 0 if served else 1
