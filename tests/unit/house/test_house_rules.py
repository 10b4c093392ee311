"""The rules of the house find what breaks them."""

from __future__ import annotations

import ast

import pytest
from tests.house import limits, rules, state_types
from tests.house.reading import Module


def module(path: str, text: str = "", lines: int = 1) -> Module:
    return Module(path, lines, ast.parse(text))


def test_a_class_with_two_meanings_is_named_with_both_places() -> None:
    found = list(rules.class_names([module("tui/a.py", "class Row: ..."), module("checks/b.py", "class Row: ...")]))
    assert found == ["class Row has 2 meanings: tui/a.py, checks/b.py"]


def test_a_private_class_and_one_of_the_tests_may_be_called_like_another() -> None:
    texts = [module("tui/a.py", "class _Row: ..."), module("tui/b.py", "class _Row: ..."), module("tests/c.py")]
    assert list(rules.class_names(texts)) == []


def test_a_file_name_in_neighbouring_folders_is_found() -> None:
    neighbours = [module("tui/s/a/rows.py"), module("tui/s/b/rows.py")]
    assert list(rules.file_names(neighbours)) == ["rows.py lies in neighbouring folders of tui/s"]
    assert list(rules.file_names([module("tui/s/a/rows.py"), module("tui/t/b/rows.py")])) == []


def test_too_many_file_names_used_twice_are_found() -> None:
    many = [module(f"{root}/{n}/x{n}.py") for n in range(limits.FILE_NAMES_TWICE + 1) for root in ("tui", "tests")]
    assert len(list(rules.file_names(many))) == 1


def test_a_folder_with_too_many_files_is_found() -> None:
    files = [module(f"tui/a/f{n}.py") for n in range(limits.FOLDER_FILES + 1)]
    assert list(rules.folder_sizes(files[:-1])) == []
    assert list(rules.folder_sizes(files)) == [
        f"tui/a has {limits.FOLDER_FILES + 1} files, {limits.FOLDER_FILES} may be"
    ]


def test_one_more_long_function_than_there_may_be_is_found() -> None:
    body = "def f():\n" + "    pass\n" * limits.FUNCTION_LINES
    allowed = limits.LONG_FUNCTIONS["checks"]
    files = [module(f"checks/f{n}.py", body) for n in range(allowed + 1)]
    assert list(rules.function_lengths(files[:allowed])) == []
    assert "functions of more than" in next(iter(rules.function_lengths(files)))


def test_one_more_long_file_than_there_may_be_is_found() -> None:
    files = [module(f"checks/f{n}.py", lines=limits.FILE_LINES + 1) for n in range(limits.LONG_FILES["checks"] + 1)]
    assert list(rules.file_lengths(files[1:])) == []
    assert "files of more than" in next(iter(rules.file_lengths(files)))


def test_one_more_callback_than_there_may_be_is_found() -> None:
    text = "class A:\n    def __init__(self, " + ", ".join(
        f"p{n}: Callable[[], None]" for n in range(limits.CALLBACKS + 1)
    )
    assert list(rules.callback_parameters([module("tui/a.py", text + "): ...")]))


@pytest.mark.parametrize("text", ["class RunKeeper: ...", "class SeenThings: ..."])
def test_a_word_of_our_own_in_the_name_of_a_class_is_found_with_the_fields_word(text: str) -> None:
    assert "the field says" in next(iter(rules.own_words([module("tui/a.py", text)])))


def test_a_word_of_our_own_in_the_name_of_a_file_is_found_and_one_that_only_contains_it_is_not() -> None:
    assert list(rules.own_words([module("tui/rounds_of_a_cloud.py")]))
    assert list(rules.own_words([module("tui/backgrounds.py", "class Underdesks: ...")])) == []


LONG = " ".join(["word"] * (limits.SENTENCE_WORDS + 1))
SHORT = LONG.removesuffix(" word")


def test_a_sentence_of_a_docstring_that_is_too_long_is_named_with_its_place() -> None:
    most = limits.LONG_SENTENCES["checks"]
    text = f'def f():\n    """Return it. {LONG}."""\n'
    files = [module(f"checks/f{n}.py", text) for n in range(most + 1)]
    assert list(rules.sentence_lengths(files[:most])) == []
    (said,) = rules.sentence_lengths(files)
    assert f"checks/f{most}.py:2: {LONG}." in said


@pytest.mark.parametrize(
    "docstring",
    [
        f"{SHORT}. {SHORT}.",
        f"Short.\n\nSuch as:\n\n    {LONG}",
        f"Short.\n\nname   {LONG}",
    ],
)
def test_short_sentences_examples_and_tables_are_left_alone(docstring: str) -> None:
    text = f'"""{docstring}\n"""\nNAME = 1\n"""{SHORT}."""\n'
    assert list(rules.sentence_lengths([module("tui/a.py", text), module("tests/b.py", f'"""{LONG}."""')])) == []


def test_a_state_that_is_a_bare_text_is_named_with_its_place() -> None:
    text = "class Row:\n    name: str\n    status: str\n    state: StageWord\n    effect: Literal['read'] = 'read'"
    (found,) = state_types.untyped_states([module("tui/a.py", text)])
    assert found.startswith("tui/a.py:3 Row.status is a bare str")


def test_a_state_compared_with_a_word_that_none_has_is_found_even_in_a_set() -> None:
    types = module(
        "tui/a.py",
        "Word: TypeAlias = Literal['ok', 'warn']\n"
        "class Step(StrEnum):\n    DONE = 'done'\n"
        "class Row:\n    status: Word | Literal['']\nclass Other:\n    state: facts.Step",
    )
    right = module(
        "tui/b.py", "row.status in {'ok', ''} or row.status == 'warn' or one.state != 'done' or a.name == 'x'"
    )
    wrong = module("tui/c.py", "row.status in {'ok', 'done'} or one.state != 'ok'")
    assert list(state_types.unknown_state_words([types, right])) == []
    assert sorted(state_types.unknown_state_words([types, wrong])) == [
        "tui/c.py:1 no .state is ever 'ok'",
        "tui/c.py:1 no .status is ever 'done'",
    ]
