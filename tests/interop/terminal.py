"""A terminal on which a program runs, and the screen that a person would see."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable

import ptyprocess
import pyte

LIMIT = 20


class Terminal:
    """Runs a program on a terminal of its own, as the leader of a session, so that a shell can be interactive."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: str) -> None:
        rows, columns = 60, 160
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._pty = ptyprocess.PtyProcess.spawn(
            command, cwd=folder, env=environment, dimensions=(rows, columns)
        )

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        # `close` alone gives up if a killed process still runs after 0.1 s, as on a busy machine.
        if self._pty.isalive():
            self._pty.kill(signal.SIGKILL)
            self._pty.wait()
        self._pty.close(force=True)

    def type(self, text: str) -> None:
        self._pty.write(text.encode())

    def lines(self) -> list[str]:
        """The screen, without blanks at the ends of lines and without empty lines."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def cursor_line(self) -> str:
        """The line that is being typed, up to the cursor."""
        return self._screen.display[self._screen.cursor.y][: self._screen.cursor.x]

    def wait_until(self, seen: Callable[["Terminal"], bool]) -> None:
        """Reads the output of the program until `seen` returns true."""
        deadline = time.monotonic() + LIMIT
        while not seen(self):
            if time.monotonic() > deadline:
                raise AssertionError("not seen on the screen:\n" + "\n".join(self.lines()))
            self._read(0.1)

    def settle(self) -> None:
        """Reads until the program is silent for half a second: it then waits for the next key."""
        while self._read(0.5):
            pass

    def _read(self, wait: float) -> bool:
        if not select.select([self._pty.fd], [], [], wait)[0]:
            return False
        try:
            data = os.read(self._pty.fd, 65536)
        except OSError:
            # On Linux, this error means that the other side is closed.
            data = b""
        if not data:
            raise AssertionError("the program ended; the screen:\n" + "\n".join(self.lines()))
        self._stream.feed(data)
        return True


def run_on_terminals(
    command: list[str], environment: dict[str, str], terminals: set[str]
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end. Each stream named in `terminals` (stdout, stderr) is a terminal of its own."""
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    for name in ("stdout", "stderr"):
        ours[name], theirs[name] = os.openpty() if name in terminals else os.pipe()
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, **theirs)
    finally:
        for stream in theirs.values():
            os.close(stream)
    written = {name: b"" for name in ours}
    open_streams = {stream: name for name, stream in ours.items()}
    deadline = time.monotonic() + LIMIT
    while open_streams and time.monotonic() < deadline:
        for stream in select.select(list(open_streams), [], [], 1)[0]:
            try:
                data = os.read(stream, 65536)
            except OSError:
                data = b""
            if data:
                written[open_streams[stream]] += data
            else:
                del open_streams[stream]
                os.close(stream)
    if open_streams:
        process.kill()
    # A terminal turns every line break into the two characters that move to the start of the next line.
    text = {name: data.decode().replace("\r\n", "\n") for name, data in written.items()}
    return subprocess.CompletedProcess(command, process.wait(LIMIT), **text)
