#!/usr/bin/env python3
"""Draws docs/terminal.svg: runs the commands below on a terminal in a local workspace, and records their output.

    GP=target/debug/gp tests/interop/guide/picture.py

The output is real; only the path of the temporary home folder is shown as `~`. The terminal has
100 columns.
"""

import fcntl
import html
import os
import pathlib
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios

PICTURE = pathlib.Path(__file__).parents[3] / "docs/terminal.svg"
ROLE = "arn:aws:iam::123456789012:role/deploy"
COMMANDS = [
    "gp idp token --audience example.org | gp idp decode --claim sub",
    "gp idp verify --audience example.org",
    f"gp idp login aws --role-arn {ROLE}",
    f"gp idp trust aws --role-arn {ROLE} --check trust.json",
]
# A policy with a mistake in it, for the last command.
PREPARE = f"gp idp trust aws --role-arn {ROLE} --format json --for this-subject 2> /dev/null | sed s/shop/Shop/ > trust.json"
WIDTH = 100
COLUMN, ROW, MARGIN = 8.4, 19, 16
COLOURS = {"31": "red", "32": "green", "33": "yellow", "34": "blue", "35": "magenta", "36": "cyan", "1": "bold", "2": "dim"}

STYLE = """
    rect { fill: #ffffff; stroke: #d0d7de } text { fill: #1f2328 }
    .prompt { fill: #656d76 } .dim { fill: #656d76 } .bold, .command { font-weight: bold }
    .red { fill: #b42318 } .green { fill: #116329 } .yellow { fill: #7d4e00 } .blue { fill: #0550ae }
    .magenta { fill: #8250df } .cyan { fill: #0f5a60 }
    @media (prefers-color-scheme: dark) {
      rect { fill: #0d1117; stroke: #30363d } text { fill: #e6edf3 }
      .prompt { fill: #8b949e } .dim { fill: #8b949e }
      .red { fill: #ff7b72 } .green { fill: #56d364 } .yellow { fill: #e3b341 } .blue { fill: #79c0ff }
      .magenta { fill: #d2a8ff } .cyan { fill: #76e3ea }
    }
"""


def record(gp: str) -> list[str]:
    """The lines of the session, with the colours that a terminal gets."""
    with tempfile.TemporaryDirectory(prefix="gp-picture-") as home:
        script = [PREPARE]
        for command in COMMANDS:
            script += [f"printf '\\036%s\\n' {shlex.quote(command)}", command]
        dev = [gp, "idp", "dev", "--quiet", "--context-url", "https://github.com/acme/shop", "--"]
        keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment = keep | {"HOME": home, "TERM": "xterm-256color"}
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
        process = subprocess.Popen(
            [*dev, "bash", "-c", "\n".join(script)], cwd=home, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        written = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                # On Linux, this error means that the other side is closed.
                break
            if not data:
                break
            written += data
        os.close(ours)
        process.wait()
    return written.decode().replace("\r\n", "\n").replace(home, "~").removesuffix("\n").split("\n")


def pieces(line: str) -> list[tuple[str, str]]:
    """The parts of a line, each with the classes of its colours."""
    found, classes = [], set()
    for number, part in enumerate(re.split(r"\x1b\[([0-9;]*)m", line)):
        if number % 2 == 0:
            found.append((part, " ".join(sorted(classes))))
            continue
        for code in part.split(";"):
            if code in ("", "0"):
                classes = set()
            elif code in COLOURS:
                classes.add(COLOURS[code])
    return [(text, classes) for text, classes in found if text]


def draw(lines: list[str]) -> str:
    """The picture of a session."""
    rows = []
    for line in lines:
        if line.startswith("\x1e"):
            rows += [[]] if rows else []
            rows.append([("$ ", "prompt"), (line[1:], "command")])
            continue
        rows.append([])
        left = WIDTH
        for text, classes in pieces(line):
            while text:
                if not left:
                    rows.append([])
                    left = WIDTH
                rows[-1].append((text[:left], classes))
                text, left = text[left:], max(0, left - len(text))
    width, height = 2 * MARGIN + WIDTH * COLUMN, 2 * MARGIN + ROW * len(rows)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
        ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
        f"  <style>{STYLE}  </style>",
        f'  <rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1}" rx="8"/>',
    ]
    for at, row in enumerate(rows):
        y, x = MARGIN + ROW * at + 14, 0
        for text, classes in row:
            left = MARGIN + COLUMN * x
            # The fixed length keeps the columns aligned in every font.
            length = f' textLength="{COLUMN * len(text):.1f}" lengthAdjust="spacingAndGlyphs"' if text.strip() else ""
            named = f' class="{classes}"' if classes else ""
            out.append(f'  <text x="{left:.1f}" y="{y}"{named}{length} xml:space="preserve">{html.escape(text)}</text>')
            x += len(text)
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    built = os.environ.get("GP")
    if not built:
        sys.exit("the variable GP does not name the built `gp`")
    PICTURE.write_text(draw(record(str(pathlib.Path(built).absolute()))), encoding="utf-8")
