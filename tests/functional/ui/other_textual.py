"""Run the sample app on a Textual that is not the one we know: `python other_textual.py WHAT`."""

from __future__ import annotations

import runpy
import sys
import types
from pathlib import Path
from typing import Any


def lose_a_name() -> None:
    """Take away private names that the difference imports, as a tidier Textual might."""
    import textual.app  # noqa: F401 - Textual itself has them by now

    names = sys.modules["textual._ansi_sequences"]
    other = types.ModuleType(names.__name__)
    vars(other).update({name: value for name, value in vars(names).items() if not name.startswith("SYNC_")})
    sys.modules[names.__name__] = other


def grow_a_parameter() -> None:
    """Give the method that we stand in front of another signature."""
    from textual.app import App

    display = App._display

    def _display(self: Any, screen: Any, renderable: Any, layer: int = 0) -> None:
        del layer
        display(self, screen, renderable)

    App._display = _display  # type: ignore[method-assign]


def update_otherwise() -> None:
    """Send updates of a kind that nobody has seen."""
    from textual._compositor import Compositor, CompositorUpdate

    render = Compositor.render_update

    class Patch(CompositorUpdate):
        def __init__(self, update: Any) -> None:
            self.update = update

        def render_segments(self, console: Any) -> Any:
            return self.update.render_segments(console)

    def render_update(self: Any, *args: Any, **options: Any) -> Any:
        update = render(self, *args, **options)
        return None if update is None else Patch(update)

    Compositor.render_update = render_update  # type: ignore[method-assign]


def fail_later() -> None:
    """Let the difference itself fail after a few frames."""
    from switchover.terminal.cells import TerminalShadow

    encode, frames = TerminalShadow.encode, []

    def failing(self: TerminalShadow, frame: Any) -> str:
        frames.append(1)
        if len(frames) > 3:
            raise ZeroDivisionError("no more")
        return encode(self, frame)

    TerminalShadow.encode = failing  # type: ignore[method-assign]


if __name__ == "__main__":
    {f.__name__: f for f in (lose_a_name, grow_a_parameter, update_otherwise, fail_later)}[sys.argv[1]]()
    runpy.run_path(str(Path(__file__).with_name("difference_app.py")), run_name="__main__")
