"""Runs the administrator's commands of docs/vault.md and docs/trust.md unchanged against a real server."""

import pathlib
from collections.abc import Callable

from conftest import Gp
from guide import pages

from .conftest import Server, usual


def blocks(page: str) -> list[str]:
    """The blocks of a page that this test runs."""
    every = [block for section in pages.sections(pages.ROOT / "docs" / page) for block in section.own]
    return [block.script for block in every if "vault/test_page.py" in block.skipped]


def test_the_pages(
    inside: Callable[..., Gp], start_server: Callable[..., Server], issuer: str, tmp_path: pathlib.Path
) -> None:
    server = start_server()
    server.set("sys/namespaces/admin")
    server.set("sys/namespaces/team-a", namespace="admin")
    server.mount(
        "jwt", {"oidc_discovery_url": issuer, "bound_issuer": issuer}, {"deploy": usual()}, namespace="admin"
    )
    configure, role, trial, namespaces = blocks("vault.md")
    (check,) = blocks("trust.md")
    link = tmp_path / "bin/vault"
    gp = inside(VAULT_ADDR=server.url)
    link.symlink_to(tmp_path / "bin/bao")
    admin = Gp(gp.environment | {"VAULT_TOKEN": "root"})
    login = "gp idp login vault --role deploy && vault token lookup\n"
    for who, block in ((admin, configure + role + trial), (gp, login + namespaces)):
        done = who.bash(f"set -e; cd {tmp_path}\n{block}")
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    for line in check.splitlines():
        done = admin.bash(f"cd {tmp_path}\n{line}")
        assert done.returncode == 0, (line, done.stdout, done.stderr)
