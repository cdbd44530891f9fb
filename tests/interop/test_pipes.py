"""`gp` in a pipeline: a reader that closes the pipe, a full disk, and curl as the reader of a header."""

import http.server
import pathlib
import re
import threading
from collections.abc import Iterator

import pytest
from conftest import Gp


@pytest.mark.parametrize("reader", ["head -c 0", "true", "head -c 10 > /dev/null", "cat > /dev/null"])
@pytest.mark.parametrize("flags", ["", "--decode", "--format json", "--format header"])
def test_a_reader_may_close_the_pipe(workspace: Gp, reader: str, flags: str) -> None:
    done = workspace.bash(f"gp idp token --audience x {flags} | {reader}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", ["gp --help", "gp idp token --help", "gp completion bash", "gp --version"])
def test_a_reader_of_help_may_close_the_pipe(outside: Gp, command: str) -> None:
    # The reader ends before `gp` starts.
    done = outside.bash(f"(sleep 0.2; {command}) | true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_pipe_into_decode(workspace: Gp) -> None:
    done = workspace.bash("gp idp token --audience x --format header | gp idp decode --claim aud")
    assert (done.returncode, done.stdout, done.stderr) == (0, '["x"]\n', "")


def test_a_substitution_holds_the_token_alone(workspace: Gp) -> None:
    done = workspace.bash('token=$(gp idp token --audience x) && printf "<%s>" "$token"')
    assert re.fullmatch(r"<ey[\w-]+\.[\w-]+\.[\w-]+>", done.stdout)


@pytest.mark.parametrize("command", ["gp idp token --audience x", "gp --help", "gp completion zsh"])
def test_a_full_disk_is_an_error(workspace: Gp, command: str) -> None:
    done = workspace.bash(f"{command} > /dev/full")
    assert done.returncode == 7
    assert "No space left on device" in done.stderr


def test_a_closed_stdout_causes_no_panic(workspace: Gp) -> None:
    done = workspace.bash("gp idp token --audience x >&-")
    assert "panic" not in done.stderr
    assert "ey" not in done.stderr


class Target(http.server.ThreadingHTTPServer):
    """An API on loopback that records the credentials of each request, and the command lines of all processes then."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.authorization: list[str | None] = []
        self.command_lines: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.server.command_lines.append(process.read_bytes())
            except (FileNotFoundError, ProcessLookupError):
                # It ended in the meantime.
                continue
        self.server.authorization.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"welcome\n")

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as server:
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


def test_curl_gets_the_header_and_nobody_sees_it(workspace: Gp, target: Target) -> None:
    done = workspace.bash(
        f"gp idp token --audience x --format header | curl --silent --show-error -H @- {target.url}"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "welcome\n", "")
    (authorization,) = target.authorization
    assert authorization
    assert re.fullmatch(r"Bearer ey[\w-]+\.[\w-]+\.[\w-]+", authorization)
    token = authorization.removeprefix("Bearer ").encode()
    assert any(line.startswith(b"curl\0") and target.url.encode() in line for line in target.command_lines)
    assert not any(token in line for line in target.command_lines)


def test_a_token_on_a_command_line_would_be_seen(workspace: Gp, target: Target) -> None:
    """Passes the token on a command line, to show that the test above can fail."""
    workspace.bash(f'curl --silent -H "$(gp idp token --audience x --format header)" {target.url}')
    (authorization,) = target.authorization
    assert authorization
    token = authorization.removeprefix("Bearer ").encode()
    assert any(token in line for line in target.command_lines)
