"""docs/exchange.md: `gp` accepts its command lines for external services."""

import re

from conftest import Gp
from guide import pages

BLOCKS = [
    block
    for section in pages.sections(pages.ROOT / "docs/exchange.md")
    for block in section.own
    if "oauth/test_page.py" in block.skipped
]


def test_gp_accepts_every_command_line(workspace: Gp) -> None:
    """Each command gets as far as its first request, which a closed port refuses."""
    script = "\n".join(block.script for block in BLOCKS)
    commands = re.findall(r"^gp idp (?:exec )?exchange (?:[^#\\\n]|\\\n)*", script, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        local = re.sub(r"https://(keycloak|tenant|sts)[^ ]*", "http://127.0.0.1:9/x", command)
        done = workspace.bash(f"export IDP_CLIENT_SECRET=hunter2; {local}")
        assert done.returncode == 6, (command, done.stderr)
        assert "127.0.0.1:9 refused the connection" in done.stderr, command
