"""The command blocks of README.md and docs/*.md, in reading order."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator

import yaml

ROOT = pathlib.Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Keys whose values are commands, in the files of the platforms.
COMMANDS = ("before", "command", "init", "run", "script")


@dataclasses.dataclass
class Block:
    """A fenced block: its language, its text, and the comment in the line above it."""

    page: str
    line: int
    language: str
    text: str
    marker: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def skipped(self) -> str:
        """Why the block is not run here: what it needs, or the test that runs it. Empty if the block is run."""
        return self.marker if re.match("not run: .|run by tests/.", self.marker) else ""

    @property
    def exit_code(self) -> int:
        """The exit code of its last command."""
        return int(found[1]) if (found := re.match(r"ends with exit code (\d+)", self.marker)) else 0

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """The commands of a `console` block, each with what it prints."""
        steps = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        # A command continues in the next line after a backslash or a pipe.
        return [found.groups() for step in steps if (found := re.match(r"((?:.*(?:\\|\|)\n)*.*\n)((?s:.*))", step))]

    @property
    def script(self) -> str:
        """The shell script of the block; empty for a block without commands."""
        if self.language == "sh":
            return self.text
        if self.language == "console":
            return "".join(command for command, _ in self.transcript)
        if self.language == "yaml":
            return "".join(f"{line}\n" for line in commands(yaml.safe_load(self.text)))
        if self.language == "makefile":
            return f"cat > Makefile <<'END'\n{self.text}END\n"
        return ""

    @property
    def platform(self) -> str:
        """The platform whose file a YAML block shows."""
        content = yaml.safe_load(self.text) if self.language == "yaml" else {}
        if isinstance(content, dict):
            if "jobs" in content:
                return "github"
            if any("script" in job for job in content.values() if isinstance(job, dict)):
                return "gitlab"
        return "gitpod"


def commands(value: object) -> Iterator[str]:
    """The commands of a file of a platform."""
    if isinstance(value, list):
        for item in value:
            yield from commands(item)
    elif isinstance(value, dict):
        for key in ("env", "variables"):
            if isinstance(value.get(key), dict):
                yield from (f"export {name}='{text}'" for name, text in value[key].items())
        for key, item in value.items():
            if key in COMMANDS and isinstance(item, str):
                yield item
            elif key in COMMANDS and isinstance(item, list) and all(isinstance(line, str) for line in item):
                yield from item
            else:
                yield from commands(item)


@dataclasses.dataclass
class Section:
    """The blocks under a heading (`own`), and the blocks of its parent sections (`before`)."""

    page: str
    heading: str
    before: list[Block]
    own: list[Block]

    @property
    def name(self) -> str:
        return f"{self.page}: {self.heading}"

    @property
    def runs(self) -> list[Block]:
        return [block for block in self.before + self.own if block.script and not block.skipped]


def sections(page: pathlib.Path) -> list[Section]:
    """The sections of a page that have blocks with commands."""
    found: list[Section] = []
    above: list[tuple[int, Section]] = []
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    marker = ""
    for number, line in lines:
        if heading := re.match(r"(#+) (.+)", line):
            level = len(heading[1])
            above = [(other, section) for other, section in above if other < level]
            # A session only shows output: later blocks do not depend on it.
            above_it = [block for _, section in above for block in section.own]
            before = [block for block in above_it if block.language != "console"]
            section = Section(page.name, heading[2], before, [])
            above.append((level, section))
            found.append(section)
        elif comment := re.fullmatch(r"\s*<!-- (.+) -->", line):
            marker = comment[1]
            continue
        elif fence := re.fullmatch(r"(\s*)```(\w+)", line):
            text = ""
            for _, inner in lines:
                if inner == f"{fence[1]}```":
                    break
                text += inner.removeprefix(fence[1]) + "\n"
            above[-1][1].own.append(Block(page.name, number, fence[2], text, marker))
        marker = ""
    return [section for section in found if any(block.script or block.skipped for block in section.own)]
