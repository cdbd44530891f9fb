"""Every command of the page on Vault, run from its beginning to its end as it stands there."""

import pathlib
import re
from collections.abc import Callable

from conftest import Gp

from .conftest import Server, usual

PAGE = pathlib.Path(__file__).parents[3] / "docs/vault.md"


def test_the_page(
    inside: Callable[..., Gp], start_server: Callable[..., Server], issuer: str, tmp_path: pathlib.Path
) -> None:
    server = start_server()
    server.set("sys/namespaces/admin")
    server.set("sys/namespaces/team-a", namespace="admin")
    server.mount(
        "jwt", {"oidc_discovery_url": issuer, "bound_issuer": issuer}, {"deploy": usual()}, namespace="admin"
    )
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 8
    # The first block is the one that everything else is for: it comes when the set-up is there.
    login, local, configure, role, *rest = blocks
    gp = inside(VAULT_ADDR=server.url)
    link = tmp_path / "bin/vault"
    link.symlink_to(tmp_path / "bin/bao")
    agent = tmp_path / "agent.sh"
    agent.write_text("#!/bin/sh\ntest -n \"$VAULT_TOKEN\"\n")
    agent.chmod(0o755)
    admin = Gp(gp.environment | {"VAULT_TOKEN": "root"})
    done = admin.bash(f"set -e; cd {tmp_path}\n" + configure + role + rest[0])
    assert done.returncode == 0, done.stderr
    for block in (login, local, "".join(rest[1:])):
        done = gp.bash(f"set -e; cd {tmp_path}\n" + block)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
