"""The command line: `switchover [PLAN]` opens the screen, `switchover VERB …` works without one.

Each verb is a module that is imported only when asked for, with `add_arguments(parser)` and `run(args) -> int`.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from switchover import __version__
from switchover.cli.verb_list import verbs

if TYPE_CHECKING:
    import argparse

__all__ = ["main", "screen_parser", "verb_parser"]

_WITH_VALUE = ("--state", "--fps", "--journal", "--theme")

_USAGE = "switchover [OPTION]... [PLAN]\n       switchover VERB [OPTION]... [ARGUMENT]..."


class _Verb(Protocol):
    """What a verb's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_standard_files()
    _write_for_the_locale()
    os.environ["SWITCHOVER_PYTHON"] = sys.executable  # so that steps and checks can run Python programs of ours
    from switchover.cli import diagnostics, output
    from switchover.errors import SwitchoverError

    diagnostics.fill_in_with(str)  # what an earlier call was about is not meant
    try:
        try:
            code = _dispatch(arguments)
        finally:
            output.finish()
    except SwitchoverError as error:
        return diagnostics.report_error(error)
    except KeyboardInterrupt:
        diagnostics.say("switchover: interrupted")
        return diagnostics.INTERRUPTED
    except Exception as error:  # the last boundary: a user never reads a traceback
        from switchover.locations import state_root

        return diagnostics.report_unexpected(error, state_root(_option_value(arguments, "--state")))
    return code


def _dispatch(arguments: list[str]) -> int:
    from switchover.cli.output import emit_text

    first = _first_word(arguments)
    before = arguments if first is None else arguments[:first]
    word = None if first is None else arguments[first]
    if "--version" in before or "-V" in before:
        emit_text(f"switchover {__version__}")
        return 0
    _refuse_a_lost_directory()
    if word is not None and first is not None and word in verbs():
        return _run_verb(word, [*before, *arguments[first + 1 :]])
    _refuse_options_before_the_verb(arguments, first)
    if word is not None:
        _refuse_what_is_no_file(word)  # before options are judged: a misspelt verb has options of its own
    return _open_screen(arguments)


def _refuse_options_before_the_verb(arguments: Sequence[str], first: int | None) -> None:
    """Raise `UsageError` that says what to type where a verb's own option, with its value, stands before it."""
    from switchover.errors import UsageError

    place = next((n for n, word in enumerate(arguments) if word in verbs()), None)
    if not first or place is None or not arguments[first - 1].startswith("-") or Path(arguments[first]).exists():
        return
    verb, rest = arguments[place], [*arguments[place + 1 :], *arguments[:place]]
    raise UsageError(
        f"an option of `{verb}` stands before it",
        f"write it after the verb: `{shlex.join(['switchover', verb, *rest])}`",
    )


def _run_verb(verb: str, arguments: list[str]) -> int:
    module = _load_verb(verb)
    args = _verb_parser(verb, module).parse_intermixed_args(arguments)
    _settle_plan(args, verb)
    _say_commands_as_they_work(args)
    return module.run(args)


def _settle_plan(args: argparse.Namespace, verb: str) -> None:
    if hasattr(args, "plan_argument"):
        from switchover.cli.plan_argument import settle_plan

        settle_plan(args, verb)


def _say_commands_as_they_work(args: argparse.Namespace) -> None:
    """Have each `switchover VERB PLAN` that is said name the plan, the state directory and the journal in use."""
    if not isinstance(getattr(args, "plan", None), str):
        return
    from switchover.cli import diagnostics
    from switchover.cli.plan_file import workspace_of
    from switchover.errors import SwitchoverError

    def fill_in(text: str) -> str:
        with suppress(SwitchoverError):
            return workspace_of(args).fill_in(text)
        return text

    diagnostics.fill_in_with(fill_in)


def verb_parser(verb: str) -> argparse.ArgumentParser:
    """Return the parser of a verb with all of its options."""
    return _verb_parser(verb, _load_verb(verb))


def _load_verb(verb: str) -> _Verb:
    module_name = verbs()[verb][0]
    try:
        return cast("_Verb", import_module(module_name))
    except ModuleNotFoundError as error:
        if error.name != module_name and not module_name.startswith(f"{error.name}."):
            raise
        from switchover.errors import UsageError

        raise UsageError(f"`switchover {verb}` is not part of this build", "see `switchover --help`") from error


def _verb_parser(verb: str, module: _Verb) -> argparse.ArgumentParser:
    help_text = verbs()[verb][1]
    parser = _parser_class()(
        prog=f"switchover {verb}", description=help_text[0].upper() + help_text[1:] + ".", conflict_handler="resolve"
    )
    _add_state(parser)
    if getattr(module, "NEEDS_JOURNAL", True):
        _add_journal(parser)
    module.add_arguments(parser)
    return parser


def screen_parser() -> argparse.ArgumentParser:
    """Return the parser of `switchover [PLAN]`, which opens the screen."""
    from switchover.cli.screen_options import add_screen_options

    parser = _parser_class()(
        prog="switchover", usage=_USAGE, description="Carry a migration through, and watch what comes after."
    )
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="the plan to open; without one, the plan found here")
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    parser.add_argument("--read-only", action="store_true", help="watch only; refuse everything that changes something")
    add_screen_options(parser)
    _add_state(parser)
    _add_journal(parser)
    parser.epilog = _list_verbs()
    return parser


def _open_screen(arguments: list[str]) -> int:
    from switchover.cli.plan_file import workspace_at
    from switchover.cli.screen_options import apply_screen_options, need_terminal, same_place
    from switchover.locations import state_root
    from switchover.settings import choose_journal
    from switchover.trust import choose_plan, trusted_digest

    args = screen_parser().parse_args(arguments)
    if args.plan is not None:
        _refuse_what_is_no_file(args.plan)
    root = state_root(args.state)
    need_terminal()
    plan = choose_plan(args.plan, root, Path.cwd())
    digest = trusted_digest(args.plan, plan, root)
    workspace = workspace_at(root, plan, choose_journal(args.journal, os.environ))
    apply_screen_options(args, os.environ)
    app = import_module("switchover.ui.app.opening")  # not a plain import: only this line may load the screen
    more = {"theme": args.theme or "", "same_place": same_place(args)}
    return cast("int", app.run(workspace, plan, read_only=args.read_only, digest=digest, **more))


def _refuse_a_lost_directory() -> None:
    from switchover.errors import UsageError

    try:
        Path.cwd()
    except OSError as error:
        raise UsageError("the current directory is gone", "change to one that exists") from error


def _refuse_what_is_no_file(word: str) -> None:
    from difflib import get_close_matches

    from switchover.errors import UsageError

    path = Path(word)
    if path.is_dir():
        raise UsageError(f"{word} is a directory, not a plan", f"name the file, such as {path / 'switchover.yaml'}")
    if path.exists():
        return
    close = get_close_matches(word, verbs(), n=1)
    meant = f"did you mean `switchover {close[0]}`? " if close else ""
    looks_like_file = "/" in word or "." in word
    title = f"there is no plan file {word}" if looks_like_file else f"{word!r} is neither a verb nor a plan file"
    raise UsageError(title, f"{meant}the verbs are {', '.join(verbs())}; `switchover --help` explains them")


def _first_word(arguments: Sequence[str]) -> int | None:
    """Return the place of the first argument that is neither an option nor the value of one."""
    skip = False
    for index, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument in _WITH_VALUE:
            skip = True
        elif argument == "--":
            return None
        elif not argument.startswith("-"):
            return index
    return None


def _option_value(arguments: Sequence[str], option: str) -> str | None:
    for index, argument in enumerate(arguments):
        if argument == option and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="where runs are kept (default: $SWITCHOVER_STATE, else switchover in the XDG state directory)",
    )


def _add_journal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--journal",
        metavar="ADDRESS",
        help="where runs are written down: postgresql://USER@HOST/DATABASE for a team on several hosts, sqlite for a "
        "file in the state directory (default: $SWITCHOVER_JOURNAL, the settings, else sqlite)",
    )


def _list_verbs() -> str:
    width = max(map(len, verbs())) + 2
    return "verbs:\n" + "\n".join(f"  {verb:{width}}{text}" for verb, (_, text) in verbs().items())


def _parser_class() -> type[argparse.ArgumentParser]:
    import argparse
    from difflib import get_close_matches

    from switchover.cli.output import emit_text
    from switchover.errors import UsageError

    class Parser(argparse.ArgumentParser):
        """Says what is wrong the way the rest of the program does, and never guesses at shortened options."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

        def error(self, message: str) -> NoReturn:
            words = [w for w in message.replace(",", " ").split() if w.startswith("--")]
            close = [m for w in words for m in get_close_matches(w, self._option_string_actions, n=1) if m != w]
            hint = f"did you mean {close[0]}? " if close and "unrecognized" in message else ""
            if "are required" in message:
                hint = f"write `{' '.join([self.prog, *self._wanted()])}`; "
            raise UsageError(message, f"{hint}see `{self.prog} --help`")

        def _wanted(self) -> Iterator[str]:
            """Yield what the command line is to have beside its options, in order; in brackets what may be left out."""
            for action in self._get_positional_actions():
                word = "|".join(action.choices) if action.choices else action.metavar or action.dest
                yield f"[{word}]" if action.nargs in ("?", "*") else str(word)

        def print_help(self, file: Any = None) -> None:
            if file is None:
                emit_text(self.format_help().rstrip("\n"))
            else:
                super().print_help(file)

    return Parser


def _write_for_the_locale() -> None:
    """Write plain signs on a terminal whose locale has no others; files and pipes get what was written."""
    from switchover.terminal.charset import charset_of, original_locale

    charset = charset_of(original_locale(os.environ))
    if charset == "utf-8":
        return
    from switchover.terminal.charset import register

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.reconfigure(encoding=charset, errors=register())


def _open_standard_files() -> None:
    """Fill in standard files that are closed, so that no socket or journal ever gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
