"""The pages that are written from the code say what the code says."""

from pathlib import Path

import pytest
from tests.docs import pages

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_written_from_the_code_says_what_the_code_says(name: str) -> None:
    assert name not in pages.drifted(DOCS), f"docs/{name}.md has drifted: `{pages.COMMAND}` mends it"


def test_a_page_that_has_drifted_is_named_and_mended(tmp_path: Path) -> None:
    assert pages.write_pages(tmp_path) == list(pages.PAGES)
    assert pages.drifted(tmp_path) == []
    page = tmp_path / "cli.md"
    page.write_text(page.read_text("utf-8").replace("`--until`", "`--untill`"), encoding="utf-8")
    assert pages.drifted(tmp_path) == ["cli"]
    assert pages.write_pages(tmp_path) == ["cli"]
    assert pages.drifted(tmp_path) == []
