"""Single files that are mounted into a container: `docker run -v FILE:FILE`, `subPath` of Kubernetes."""

import pathlib
import subprocess

import pytest

from conftest import Gp

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: prod
  cluster: {server: "https://127.0.0.1:1"}
"""


def mounts_can_be_made() -> bool:
    return subprocess.run(["unshare", "-m", "mount", "--bind", "/etc", "/mnt"], capture_output=True).returncode == 0


@pytest.mark.skipif(not mounts_can_be_made(), reason="only root with all capabilities can mount a file")
@pytest.mark.parametrize(
    ("command", "name", "before", "after"),
    [
        ("idp login aws", ".aws/credentials", "[default]\nregion = eu-west-1\n", "aws_session_token = "),
        ("idp login kubernetes --audience k --cluster prod", ".kube/config", KUBECONFIG, "command: "),
        ("idp token --audience x --output token", "token", "a much longer text than a token has" * 99, "eyJ"),
    ],
)
def test_a_mounted_file_is_written_in_place(
    workspace: Gp, tmp_path: pathlib.Path, command: str, name: str, before: str, after: str
) -> None:
    path, source = tmp_path / name, tmp_path / "source"
    path.parent.mkdir(exist_ok=True)
    path.write_text(before)
    source.write_text(before)
    source.chmod(0o600)
    inside = Gp(workspace.environment | {"HOME": str(tmp_path)})
    script = f'mount --bind source "{name}" && gp {command}'
    done = inside.run(["unshare", "-m", "sh", "-c", script], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    text = source.read_text()
    assert after in text
    assert not text.endswith("text than a token has")
    assert path.read_text() == before
    assert sorted(entry.name for entry in path.parent.iterdir() if entry.is_file() and entry != source) == [path.name]
