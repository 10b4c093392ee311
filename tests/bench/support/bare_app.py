"""The least that Textual can be: the yardstick for the first frame."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """Show it."""
        yield Static("bare app")


if __name__ == "__main__":
    BareApp().run()
