"""A report as one HTML file. It loads nothing and executes nothing, and reads well on paper and on a phone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape

from switchover.cli.report.report_blocks import Block, Cell, Code, FactList, Heading, Table, Text

__all__ = ["to_html"]

_STYLE = """
:root { color-scheme: light dark;
  --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --ground: #ffffff; --raised: #f6f8fa;
  --ok: #1a7f37; --warn: #7d4e00; --crit: #b3261e; --unknown: #6e40aa; }
@media (prefers-color-scheme: dark) { :root {
  --text: #e6edf3; --soft: #9aa4af; --line: #363d46; --ground: #0f141a; --raised: #182029;
  --ok: #56d364; --warn: #e3b341; --crit: #ff7b72; --unknown: #d2a8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; color: var(--text); background: var(--ground);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
.state { font-size: .85em; margin-left: .5em; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: break-word; min-width: 5rem; }
td code { overflow-wrap: anywhere; }
.sign td { height: 2.4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .75rem 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
code, pre { font: .85em/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .75rem;
  margin: .25rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: .75rem 0 0; }
figcaption { color: var(--soft); font-size: .85rem; }
.ok { color: var(--ok); font-weight: 600; }
.warn { color: var(--warn); font-weight: 600; }
.crit { color: var(--crit); font-weight: 600; }
.unknown { color: var(--unknown); font-weight: 600; }
@media (max-width: 40rem) {
  body { padding-top: 1rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: .5rem; }
  td { min-width: 6rem; }
}
@media print {
  :root { color-scheme: light;
    --text: #000; --soft: #444; --line: #bbb; --ground: #fff; --raised: #fff;
    --ok: #0a5c22; --warn: #6b4300; --crit: #8c1d18; --unknown: #4d2a80; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2, h3, figcaption { break-after: avoid; }
  h2:last-of-type { break-before: page; }
  tr, .sign { break-inside: avoid; }
  p:has(+ .scroll), p:has(+ dl) { break-after: avoid; }
  .scroll { overflow: visible; }
  td { overflow-wrap: anywhere; }
}
"""


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """Return the page. Its policy lets a browser use this one style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *(line for block in blocks for line in _lines(block)),
            "</body>",
            "</html>",
        )
    )


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            state = f" {_cell(block.state, 'state')}" if block.state else ""
            yield f"<h{block.level}>{escape(block.text)}{state}</h{block.level}>"
        case FactList():
            yield "<dl>"
            yield from (f"<dt>{escape(name)}</dt><dd>{_cell(value)}</dd>" for name, value in block.rows)
            yield "</dl>"
        case Table():
            yield f'<div class="{"scroll sign" if block.to_sign else "scroll"}"><table>'
            yield f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in block.head)}</tr></thead>"
            yield "<tbody>"
            yield from (f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in block.rows)
            yield "</tbody></table></div>"
        case Text():
            yield f"<p>{escape(block.text)}</p>"
        case Code():
            yield f"<figure><figcaption>{escape(block.caption)}</figcaption>"
            yield f"<pre>{escape(chr(10).join(block.lines))}</pre></figure>"


def _cell(cell: Cell, name: str = "") -> str:
    text = escape(cell.text)
    if cell.code and text:
        text = f"<code>{text}</code>"
    names = " ".join(filter(None, (name, cell.status if cell.status in ("ok", "warn", "crit", "unknown") else "")))
    return f'<span class="{names}">{text}</span>' if names else text
