"""`kubectl` and the Python client of Kubernetes with `gp` as their credential plugin."""

import concurrent.futures
import datetime
import json
import os
import pathlib
import shlex
import stat
import time
from collections.abc import Callable

import jwt
import pytest
import yaml
from conftest import Gp
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from .conftest import AUDIENCE, ApiServer, Kubectl, kubeconfig

SUBJECT = "https://github.com/gitpod-io/example"


def login(gp: Gp, *arguments: str) -> None:
    done = gp("idp", "login", "kubernetes", "--audience", AUDIENCE, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_kubectl_gets_pods(cluster: Gp, server: ApiServer, kubectl: Kubectl) -> None:
    for version in kubectl.versions:
        login(cluster, "--cluster", "prod", "--use-context", "--exec-api-version", version)
        done = kubectl(cluster, "get", "pods", "-o", "name")
        assert (done.returncode, done.stdout, done.stderr) == (0, "pod/web-1\n", "")
        assert server.judged
        assert {said for _, said in server.judged} == {SUBJECT}
        # One run of the plugin for one `kubectl`.
        assert len(set(server.tokens)) == 1
        server.judged.clear()
        server.tokens.clear()


def test_the_default_version_works_even_if_v1_does_not(cluster: Gp, kubectl: Kubectl) -> None:
    login(cluster, "--cluster", "prod", "--use-context", "--exec-api-version", "v1")
    done = kubectl(cluster, "get", "pods")
    assert (done.returncode == 0) == ("v1" in kubectl.versions), done.stderr
    login(cluster, "--cluster", "prod", "--use-context")
    assert kubectl(cluster, "get", "pods").returncode == 0


def test_kubectl_config_makes_the_same_entries(
    cluster: Gp, server: ApiServer, writer: Kubectl, tmp_path: pathlib.Path
) -> None:
    """The printed `kubectl config` commands create the same entries as the login."""
    flags = ["--cluster", "prod", "--namespace", "web", "--use-context"]
    printed = cluster("idp", "login", "kubernetes", "--audience", AUDIENCE, *flags, "--print")
    theirs = Gp(cluster.environment | {"KUBECONFIG": str(tmp_path / "theirs")})
    pathlib.Path(tmp_path / "theirs").write_bytes(kubeconfig(cluster).read_bytes())
    for line in printed.stdout.splitlines():
        if line.startswith("# kubectl "):
            assert writer(theirs, *shlex.split(line)[2:]).returncode == 0
    login(cluster, *flags)

    def view(gp: Gp) -> object:
        return json.loads(writer(gp, "config", "view", "--raw", "-o", "json").stdout)

    ours, made = view(cluster), view(theirs)
    # Only newer versions write this member; they use the same value if it is missing.
    for user in (*ours["users"], *made["users"]):
        assert user["user"]["exec"].pop("interactiveMode", "IfAvailable") in ("Never", "IfAvailable")
    assert ours == made


def test_the_printed_kubeconfig_works_beside_another(
    cluster: Gp, server: ApiServer, kubectl: Kubectl, tmp_path: pathlib.Path
) -> None:
    printed = cluster(
        "idp", "login", "kubernetes", "--audience", AUDIENCE, "--cluster", "prod", "--use-context", "--print"
    )
    (tmp_path / "printed").write_text(printed.stdout)
    both = Gp(cluster.environment | {"KUBECONFIG": f"{kubeconfig(cluster)}:{tmp_path / 'printed'}"})
    assert kubectl(both, "get", "pods", "-o", "name").stdout == "pod/web-1\n"


def test_an_existing_context_gets_the_user(cluster: Gp, server: ApiServer, writer: Kubectl) -> None:
    writer(cluster, "config", "set-context", "old", "--cluster=prod", "--user=nobody", "--namespace=default")
    login(cluster, "--context", "old", "--user", "me")
    assert writer(cluster, "--context", "old", "get", "pods", "-o", "name").stdout == "pod/web-1\n"


@pytest.mark.parametrize("existing", [(), ("one",), ("two",), ("one", "two")])
def test_gp_and_kubectl_choose_the_same_file(
    home: Gp, writer: Kubectl, tmp_path: pathlib.Path, existing: tuple[str, ...]
) -> None:
    for side in ("ours", "theirs"):
        (tmp_path / side).mkdir()
        for name in existing:
            (tmp_path / side / name).write_text("kind: Config\napiVersion: v1\n")
    found = []
    for side in ("ours", "theirs"):
        paths = [str(tmp_path / side / name) for name in ("one", "two")]
        gp = Gp(home.environment | {"KUBECONFIG": ":".join([paths[0], paths[0], paths[1]])})
        if side == "ours":
            # A note on stderr names the file that is written.
            done = gp("idp", "login", "kubernetes", "--audience", AUDIENCE, "--user", "me")
            assert done.returncode == 0, done.stderr
        else:
            assert writer(gp, "config", "set-credentials", "me", "--token=x").returncode == 0
        found.append([path.name for path in sorted((tmp_path / side).iterdir()) if "me" in path.read_text()])
    assert found[0] == found[1]


def test_an_unknown_audience_is_a_bare_401(cluster: Gp, server: ApiServer, kubectl: Kubectl) -> None:
    server.audience = "another"
    login(cluster, "--cluster", "prod", "--use-context")
    done = kubectl(cluster, "get", "pods")
    assert done.returncode == 1
    assert "You must be logged in to the server" in done.stderr
    assert {said for _, said in server.judged} == {"InvalidAudienceError"}


def test_a_failing_plugin_says_why(cluster: Gp, server: ApiServer, kubectl: Kubectl) -> None:
    login(cluster, "--cluster", "prod", "--use-context")
    dead = Gp(cluster.environment | {"SUPERVISOR_ADDR": "127.0.0.1:1", "GITPOD_WORKSPACE_ID": ""})
    # Without this limit, the plugin would wait for the supervisor to start, because a variable names it.
    config_file = kubeconfig(cluster)
    config_file.write_text(config_file.read_text().replace("--format=", "--timeout=1s\n      - --format="))
    done = kubectl(dead, "get", "pods")
    assert done.returncode == 1
    assert "error: could not mint an ID token for `kubernetes`" in done.stderr
    assert not server.judged


def test_a_token_of_less_than_a_minute_is_used_once(
    start_workspace: Callable[..., Gp], cluster: Gp, server: ApiServer, kubectl: Kubectl
) -> None:
    """For `kubectl`, such a token has already expired: it runs the plugin again for each request, and succeeds."""
    short = start_workspace("--lifetime", "30s")
    server.issuer = jwt.decode(short.token("--audience", "x"), options={"verify_signature": False})["iss"]
    server.keys = jwt.PyJWKClient(server.issuer + "/keys")
    gp = Gp(cluster.environment | short.environment | {"HOME": cluster.environment["HOME"]})
    login(gp, "--cluster", "prod", "--use-context")
    assert kubectl(gp, "get", "pods", "-o", "name").stdout == "pod/web-1\n"
    assert {said for _, said in server.judged} == {SUBJECT}
    assert len(set(server.tokens)) == len(server.tokens) > 1


def test_the_python_client(cluster: Gp, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("v1beta1", "v1"):
        login(cluster, "--cluster", "prod", "--use-context", "--exec-api-version", version)
        for name, value in cluster.environment.items():
            monkeypatch.setenv(name, value)
        with config.new_client_from_config(str(kubeconfig(cluster))) as api:
            pods = client.CoreV1Api(api).list_namespaced_pod("default")
            assert [pod.metadata.name for pod in pods.items] == ["web-1"]
            server.audience = "another"
            with pytest.raises(ApiException, match="401"):
                client.CoreV1Api(api).list_namespaced_pod("default")
            server.audience = AUDIENCE


def test_the_exec_credential(workspace: Gp) -> None:
    for version in ("v1alpha1", "v1beta1", "v1"):
        api_version = f"client.authentication.k8s.io/{version}"
        info = {"apiVersion": api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
        gp = Gp(workspace.environment | {"KUBERNETES_EXEC_INFO": json.dumps(info)})
        done = gp("idp", "token", "--audience", AUDIENCE, "--format", "kubernetes")
        assert (done.returncode, done.stderr) == (0, "")
        credential = json.loads(done.stdout)
        token = credential["status"]["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        expires = datetime.datetime.fromtimestamp(claims["exp"] - 60, datetime.UTC)
        assert credential == {
            "apiVersion": api_version,
            "kind": "ExecCredential",
            "status": {"token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }


def test_comments_and_other_entries_stay(cluster: Gp, kubectl: Kubectl) -> None:
    path = kubeconfig(cluster)
    before = path.read_text() + (
        "contexts: # none yet\n"
        "users:\n"
        "# for emergencies\n"
        "- name: root\n"
        "  user:\n"
        "    token: 's3cret' # rotate in May\n"
        "extensions: [{name: mine, extension: {a: 1}}]\n"
    )
    path.write_text(before)
    path.chmod(0o640)
    login(cluster, "--cluster", "prod")
    after = path.read_text()
    lines = iter(after.splitlines())
    assert all(line in lines for line in before.splitlines())
    assert yaml.safe_load(before)["users"][0] in yaml.safe_load(after)["users"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    view = json.loads(kubectl(cluster, "config", "view", "--raw", "-o", "json").stdout)
    assert [user["name"] for user in view["users"]] == ["gp-idp-prod", "root"]


def test_writers_that_take_kubectls_lock_lose_nothing(cluster: Gp) -> None:
    """`kubectl config` itself may lose the change of another writer: it reads the file before it takes the lock."""
    path = kubeconfig(cluster)
    lock = path.with_name("config.lock")

    def ours(number: int) -> str:
        login(cluster, "--user", f"ours-{number}")
        return f"ours-{number}"

    def theirs(number: int) -> str:
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                time.sleep(0.001)
        content = yaml.safe_load(path.read_text())
        content.setdefault("users", []).append({"name": f"theirs-{number}", "user": {}})
        time.sleep(0.02)
        path.write_text(yaml.safe_dump(content))
        lock.unlink()
        return f"theirs-{number}"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(job, number) for number in range(10) for job in (ours, theirs)]
        written = {job.result() for job in jobs}
    assert {user["name"] for user in yaml.safe_load(path.read_text())["users"]} == written


def test_a_lock_that_was_left_behind_is_named(cluster: Gp, writer: Kubectl) -> None:
    kubeconfig(cluster).with_name("config.lock").touch()
    assert writer(cluster, "config", "set-credentials", "me", "--token=x").returncode != 0
    done = cluster("idp", "login", "kubernetes", "--audience", AUDIENCE, "--timeout", "2s")
    assert done.returncode == 7
    assert "remove" in done.stderr
