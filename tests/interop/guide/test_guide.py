"""Every command of README.md and docs/*.md runs in a local workspace, or says why it cannot."""

import difflib
import fnmatch
import re

import pytest

from . import pages, picture
from .conftest import Outcome

SECTIONS = [section for page in pages.PAGES for section in pages.sections(page)]
BLOCKS = [block for section in SECTIONS for block in section.own if block.script or block.skipped]


@pytest.mark.parametrize("section", [section for section in SECTIONS if section.runs], ids=lambda it: it.name)
def test_a_section_runs(section: pages.Section, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[section.name]
    assert outcome.code == 0, f"{outcome.block} ended with {outcome.code}:\n{outcome.text}"


@pytest.mark.parametrize(
    "section",
    [section for section in SECTIONS if any(block.language == "console" for block in section.own if not block.skipped)],
    ids=lambda it: it.name,
)
def test_a_session_prints_what_the_page_says(section: pages.Section, outcomes: dict[str, Outcome]) -> None:
    text = outcomes[section.name].text
    for block in section.own:
        if block.language != "console" or block.skipped:
            continue
        printed = re.split(r"^@ .+\n", text.split(f"@ {block.name}\n")[1], flags=re.MULTILINE)[0]
        steps = re.split(r"^\$ \d+\n", printed, flags=re.MULTILINE)[1:]
        for (command, expected), found in zip(block.transcript, steps, strict=True):
            pattern = re.sub(r"([\[*?])", r"[\1]", expected.strip()).replace("…", "*")
            found = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:22990", found).strip()
            difference = "\n".join(difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm=""))
            assert fnmatch.fnmatchcase(found, pattern), f"{block.name}: {command}{difference}"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.skipped], ids=lambda it: it.name)
def test_a_block_that_is_not_run_says_why(block: pages.Block) -> None:
    if test := re.match(r"run by (tests/\S+)", block.skipped):
        assert block.page in (pages.ROOT / test[1]).read_text(encoding="utf-8")
    else:
        assert len(block.skipped) > len("not run: because")


def test_the_picture_shows_the_current_output(programs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def normalised(svg: str) -> str:
        """Replaces the parts that differ between runs: addresses, times, ids and their widths."""
        svg = re.sub(r' textLength="[\d.]+"', "", svg)
        shown = re.sub(r"[\d.]*\.1:\d+|\d{4}-\d\d-\d\dT[\d:]+Z|-\d{10}\b|[\w-]{22}", "*", svg)
        return re.sub(r"\(\d+ s ago\)|\(in \d+ min\)|in \d+ min", "*", shown)

    monkeypatch.setenv("PATH", programs["PATH"])
    drawn = picture.draw(picture.record("gp"))
    assert normalised(drawn) == normalised(picture.PICTURE.read_text(encoding="utf-8"))


def test_every_block_has_a_known_language_or_a_marker() -> None:
    """A page uses another language only if it also has a block in it that says why it is not run."""
    languages = {"console", "hcl", "json", "makefile", "sh", "yaml"}
    for page in pages.PAGES:
        found = set(re.findall(r"^\s*```(\w*)$", page.read_text(encoding="utf-8"), re.MULTILINE)) - {""}
        marked = {block.language for section in pages.sections(page) for block in section.own if block.skipped}
        assert found <= languages | marked, page.name


def test_no_comment_is_misspelled() -> None:
    forms = r"not run: \S.*|run by tests/\S+|ends with exit code \d+"
    for page in pages.PAGES:
        for comment in re.findall(r"^\s*<!-- (.*) -->$", page.read_text(encoding="utf-8"), re.MULTILINE):
            if re.match("(not )?run|ends", comment):
                assert re.fullmatch(forms, comment), f"{page.name}: {comment}"


def test_few_blocks_are_not_run() -> None:
    skipped = [block.name for block in BLOCKS if block.skipped]
    assert len(BLOCKS) > 80, len(BLOCKS)
    assert len(skipped) <= 20, skipped
