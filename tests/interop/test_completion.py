"""`gp completion SHELL` in real shells: what a person sees after pressing Tab."""

import pathlib
import re
import shutil

import pytest
from conftest import Gp
from terminal import Terminal

# The prompts before and after the script is loaded.
START = "START> "
PROMPT = "READY> "

# The entries of the folder in which the shells run.
FILES = {"answer.txt", "folder/", "two words.txt"}


class Shell:
    """A shell that has the completion script loaded, in a folder with a few files."""

    def __init__(self, gp: Gp, folder: pathlib.Path) -> None:
        self.gp = gp
        self.folder = folder
        self.files = folder / "files"
        (self.files / "folder").mkdir(parents=True)
        for name in ("answer.txt", "two words.txt", "folder/inner.txt", "folder/other.txt"):
            (self.files / name).touch()

    def script(self, name: str) -> str:
        """The completion script in a file of this name."""
        done = self.gp("completion", type(self).__name__.lower())
        assert (done.returncode, done.stderr) == (0, "")
        path = self.folder / name
        path.write_text(done.stdout)
        return str(path)

    def offered(self, line: str, expected: set[str]) -> set[str]:
        """All candidates at the end of `line`, once those of `expected` are among them."""
        raise NotImplementedError

    def completed(self, line: str, expected: str) -> None:
        """Fails unless Tab completes `line` to `expected`."""
        raise NotImplementedError


class OnTerminal(Shell):
    """A shell on a terminal, with typed input."""

    COMMAND: list[str]
    SCRIPT: str
    # `{script}` is the file, `{folder}` its folder.
    LOAD: str

    def started(self) -> Terminal:
        script = self.script(self.SCRIPT)
        environment = self.gp.environment | {"PS1": START}
        terminal = Terminal(self.COMMAND, environment, str(self.files))
        terminal.wait_until(lambda terminal: terminal.cursor_line() == START)
        load = self.LOAD.format(script=script, folder=self.folder)
        terminal.type(f"{load} && clear && PS1='{PROMPT}'\r")
        terminal.wait_until(lambda terminal: terminal.cursor_line() == PROMPT)
        return terminal

    def offered(self, line: str, expected: set[str]) -> set[str]:
        with self.started() as terminal:
            # The first Tab has nothing to complete; the second one lists the candidates.
            terminal.type(line + "\t\t")
            terminal.wait_until(lambda terminal: expected <= self.listed(terminal))
            terminal.settle()
            return self.listed(terminal)

    def completed(self, line: str, expected: str) -> None:
        with self.started() as terminal:
            terminal.type(line + "\t")
            terminal.wait_until(lambda terminal: terminal.cursor_line() == PROMPT + expected)

    @staticmethod
    def listed(terminal: Terminal) -> set[str]:
        found: set[str] = set()
        for line in terminal.lines():
            if not line.startswith(PROMPT.rstrip()):
                # Either `name  -- description` or names in columns.
                name, described, _ = line.partition(" -- ")
                found |= {name.rstrip()} if described else set(re.split(r"\s{2,}", line.strip()))
        return {name.replace("\\ ", " ") for name in found}


class Bash(OnTerminal):
    COMMAND = ["bash", "--norc", "--noprofile"]
    SCRIPT = "gp.bash"
    LOAD = ". {script}"


class Zsh(OnTerminal):
    COMMAND = ["zsh", "-f"]
    SCRIPT = "_gp"
    # `-u`: no question about the owner of folders; `-D`: no cache file.
    LOAD = "fpath=({folder} $fpath) && autoload -Uz compinit && compinit -u -D"


class Fish(Shell):
    def offered(self, line: str, expected: set[str]) -> set[str]:
        ask = 'source $argv[1]; cd $argv[2]; complete --do-complete "$argv[3]"'
        command = ["fish", "--no-config", "-c", ask, self.script("gp.fish"), str(self.files), line]
        done = self.gp.run(command)
        assert (done.returncode, done.stderr) == (0, "")
        found = {candidate.partition("\t")[0] for candidate in done.stdout.splitlines()}
        # After `--flag=`, fish offers whole words.
        typed = line.rpartition(" ")[2].partition("=")
        whole_words = "".join(typed[:2]) if typed[1] else ""
        found = {candidate.removeprefix(whole_words) for candidate in found}
        assert expected <= found
        return found

    def completed(self, line: str, expected: str) -> None:
        start = line[: line.rindex(" ") + 1]
        candidate = expected.removeprefix(start).rstrip().replace("\\ ", " ")
        assert self.offered(line, {candidate}) == {candidate}


@pytest.fixture(params=[Bash, Zsh, Fish], ids=lambda shell: shell.__name__.lower())
def shell(request: pytest.FixtureRequest, outside: Gp, tmp_path: pathlib.Path) -> Shell:
    made: Shell = request.param(outside, tmp_path)
    name = type(made).__name__.lower()
    assert shutil.which(name), f"install {name}: the tests ask the real shell"
    return made


def commands(help_text: str) -> set[str]:
    """The names under `Commands:` in a help text."""
    section = re.search(r"^Commands:\n((?:  .*\n)+)", help_text, re.MULTILINE)
    assert section
    return set(re.findall(r"^  ([a-z][a-z-]*)", section[1], re.MULTILINE))


@pytest.mark.parametrize("line", ["gp", "gp idp"])
def test_commands(shell: Shell, line: str) -> None:
    expected = commands(shell.gp(*line.split()[1:], "--help").stdout)
    assert expected >= ({"token", "decode", "dev"} if line == "gp idp" else {"idp", "completion"})
    # The shell may offer more, such as other spellings, but no files.
    assert not shell.offered(line + " ", expected) & FILES


# Answers like a program built with Cobra.
COBRA = """#!/bin/sh
[ "$1" = __complete ] || exit 9
shift
printf '%s\\n' "$@" > "$ASKED"
case $*/ in
  url*/) printf 'port\\tA port\\n3000:web\\n3000:admin\\n_activeHelp_ not a candidate\\n:4\\n' ;;
  env*/) printf ':0\\n' ;;
  stop*/) printf 'later\\tby and by\\n:6\\n' ;;
  bad*/) printf 'wrong\\n:1\\n' ;;
  none*/) printf 'words of a program of another kind\\n' ;;
  *) printf 'url\\tThe URL of a port\\nenv\\nidle:timeout\\n:4\\n' ;;
esac
echo 'Completion ended' >&2
"""


@pytest.fixture
def before_another(shell: Shell, tmp_path: pathlib.Path) -> Shell:
    """The shell with another `gp` later on `PATH`."""
    other = tmp_path / "other" / "gp"
    other.parent.mkdir()
    other.write_text(COBRA)
    other.chmod(0o755)
    environment = shell.gp.environment
    path = f"{environment['PATH']}:{other.parent}"
    shell.gp = Gp(environment | {"PATH": path, "ASKED": str(tmp_path / "asked")})
    return shell


def test_commands_of_the_next_program(before_another: Shell) -> None:
    """The shell offers its commands together with ours, and after one of its commands only its arguments."""
    shell = before_another
    offered = shell.offered("gp ", {"idp", "completion", "url", "env", "idle:timeout"})
    assert not offered & FILES
    assert shell.offered("gp url ", {"port", "3000:web", "3000:admin"}) == {"port", "3000:web", "3000:admin"}
    shell.completed("gp ur", "gp url ")
    shell.completed("gp url po", "gp url port ")
    shell.completed("gp stop la", "gp stop later")


def test_the_next_program_gets_the_words_of_the_line(before_another: Shell) -> None:
    before_another.offered("gp url --flag 'a b' ", {"port"})
    asked = pathlib.Path(before_another.gp.environment["ASKED"]).read_text()
    assert asked.splitlines()[:2] == ["url", "--flag"]
    assert asked.endswith("\n\n")


def test_the_next_program_does_not_complete_our_commands(before_another: Shell) -> None:
    offered = before_another.offered("gp idp ", {"token", "login"})
    assert not offered & {"url", "env"}
    assert not pathlib.Path(before_another.gp.environment["ASKED"]).exists()


def test_files_are_offered_if_the_next_program_offers_nothing(before_another: Shell) -> None:
    assert before_another.offered("gp env ", FILES) == FILES


@pytest.mark.parametrize("command", ["bad", "none"])
def test_an_invalid_answer_is_ignored(before_another: Shell, command: str) -> None:
    assert not before_another.offered(f"gp {command} ", set()) & {"wrong", "words of a program of another kind"}


@pytest.mark.parametrize("between", [" ", "="])
def test_values_of_a_choice(shell: Shell, between: str) -> None:
    formats = {"jwt", "json", "header"}
    offered = shell.offered("gp idp token --format" + between, formats)
    assert not offered & FILES


def test_shells(shell: Shell) -> None:
    shells = {"bash", "elvish", "fish", "powershell", "zsh"}
    # bash offers flags together with names; the other shells offer flags only after a dash.
    assert {name for name in shell.offered("gp completion ", shells) if name[0] != "-"} == shells


def test_files_and_folders(shell: Shell) -> None:
    assert shell.offered("gp idp token --output ", FILES) == FILES


@pytest.mark.parametrize("flag", ["--audience", "--scope", "--timeout"])
def test_other_values_are_not_completed_with_files(shell: Shell, flag: str) -> None:
    assert shell.offered(f"gp idp token {flag} ", set()) == set()


def test_flags(shell: Shell) -> None:
    flags = {"--audience", "--scope", "--decode", "--format", "--output", "--timeout", "--quiet", "--verbose"}
    shell.offered("gp idp token --audience example.org --", flags)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gp idp tok", "gp idp token "),
        ("gp idp token --dec", "gp idp token --decode "),
        ("gp idp token --format hea", "gp idp token --format header "),
        ("gp idp token --output ans", "gp idp token --output answer.txt "),
        ("gp idp token --output fol", "gp idp token --output folder/"),
        ("gp idp token --output folder/in", "gp idp token --output folder/inner.txt "),
        ("gp idp token --output two", r"gp idp token --output two\ words.txt "),
        ("gp idp decode --format te", "gp idp decode --format text "),
    ],
)
def test_completes(shell: Shell, line: str, expected: str) -> None:
    shell.completed(line, expected)


def test_loading_a_script_prints_nothing(shell: Shell) -> None:
    commands = {
        "bash": ["bash", "--norc", "-euo", "pipefail", "-c", ". \"$0\""],
        "zsh": ["zsh", "-f", "-euc", 'autoload -Uz compinit; compinit -u -D; . "$0"'],
        "fish": ["fish", "--no-config"],
    }
    done = shell.gp.run([*commands[type(shell).__name__.lower()], shell.script("script")])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
