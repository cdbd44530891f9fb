"""The page on token endpoints: its command lines for services elsewhere are understood."""

import re

from conftest import Gp
from guide import pages

BLOCKS = [
    block
    for section in pages.sections(pages.ROOT / "docs/exchange.md")
    for block in section.own
    if "oauth/test_page.py" in block.skipped
]


def test_every_command_line_is_one_that_is_understood(workspace: Gp) -> None:
    """They get as far as the network, which a discovery of nothing stands for."""
    script = "\n".join(block.script for block in BLOCKS)
    commands = re.findall(r"^gp idp (?:exec )?exchange (?:[^#\\\n]|\\\n)*", script, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        local = re.sub(r"https://(keycloak|tenant|sts)[^ ]*", "http://127.0.0.1:9/x", command)
        done = workspace.bash(f"export IDP_CLIENT_SECRET=hunter2; {local}")
        assert done.returncode == 6, (command, done.stderr)
        assert "127.0.0.1:9 refused the connection" in done.stderr, command
