"""A Textual table in which one cell changes each second: what a screen of ours would cost by itself. [ROWS]."""

import sys

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class BareTable(App[None]):
    """The table, and a key to leave it."""

    BINDINGS = [("q", "quit", "quit")]  # noqa: RUF012
    count = 0

    def compose(self) -> ComposeResult:
        """Show it."""
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        """Fill it, and begin to change it."""
        table = self.query_one(DataTable)
        table.add_columns("state", "check", "kind", "last", "took", "history", "for", "said")
        for row in range(int(sys.argv[1]) if len(sys.argv) > 1 else 40):
            table.add_row("ok", f"check {row}", "http", "4 s", "31 ms", "▁▁▂▂▃▃▅▅▇▇", f"{row} m", "as expected")
        self.set_interval(1.0, self.change)

    def change(self) -> None:
        """Change one cell."""
        self.count += 1
        self.query_one(DataTable).update_cell_at((3, 3), f"{self.count % 10} s")  # type: ignore[arg-type]


if __name__ == "__main__":
    BareTable().run()
