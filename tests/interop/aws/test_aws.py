"""The AWS CLI and boto3 use the credentials of `gp idp … aws` against moto."""

import configparser
import datetime
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import stat
import subprocess
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import botocore.configloader
import pytest
from aws.conftest import ROLE, Relay
from conftest import LIMIT, Gp, exported

WHOAMI = "aws sts get-caller-identity --output json"
SESSION = r"arn:aws:sts::123456789012:assumed-role/deploy/gitpodio-example-0123456789a-\d{10}"


def program_of(gp: Gp) -> str:
    """The path of `gp`, for tests that start many processes at once."""
    found = shutil.which("gp", path=gp.environment["PATH"])
    assert found
    return found


def home_of(gp: Gp) -> pathlib.Path:
    return pathlib.Path(gp.environment["HOME"])


def identity(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["Arn"]


def test_the_script_of_the_original_runs_unchanged(aws: Gp) -> None:
    script = f"gp idp login aws -p prod -d 7200 --role-arn {ROLE} && aws sts get-caller-identity --profile prod"
    assert re.fullmatch(SESSION, identity(aws.bash(script)))


def test_the_old_spelling_and_the_role_of_the_environment(aws: Gp) -> None:
    assert re.fullmatch(SESSION, identity(aws.bash(f"gp idp login-aws && {WHOAMI}")))


@pytest.mark.parametrize("output", ["text", "yaml", "table"])
def test_the_output_setting_of_the_cli_does_not_matter(aws: Gp, output: str) -> None:
    (home_of(aws) / ".aws").mkdir()
    (home_of(aws) / ".aws/config").write_text(f"[default]\noutput = {output}\n")
    environment = aws.environment | {"AWS_DEFAULT_OUTPUT": output}
    assert re.fullmatch(SESSION, identity(Gp(environment).bash(f"gp idp login aws && {WHOAMI}")))


def test_boto3_uses_the_profile(aws: Gp, python: Callable[..., str]) -> None:
    assert aws("idp", "login", "aws", "-p", "ci", "--role-session-name", "me@example.org").returncode == 0
    script = "import boto3; print(boto3.Session(profile_name='ci').client('sts').get_caller_identity()['Arn'])"
    assert python(script) == "arn:aws:sts::123456789012:assumed-role/deploy/me@example.org\n"


def test_the_profile_says_when_it_ends(aws: Gp) -> None:
    aws("idp", "login", "aws", "--duration-seconds", "7200")
    profile = botocore.configloader.raw_config_parse(home_of(aws) / ".aws/credentials")["default"]
    assert list(profile) == [
        *("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
        "x_security_token_expires",
    ]
    left = datetime.datetime.fromisoformat(profile["x_security_token_expires"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(seconds=7100) < left <= datetime.timedelta(seconds=7201)


def test_an_old_security_token_does_not_break_the_profile(aws: Gp) -> None:
    folder = home_of(aws) / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text("[default]\naws_security_token = old\n\n# mine\n[other]\nregion = x\n")
    (folder / "credentials").chmod(0o600)
    assert re.fullmatch(SESSION, identity(aws.bash(f"gp idp login aws && {WHOAMI}")))
    text = (folder / "credentials").read_text()
    assert "old" not in text
    assert text.endswith("\n\n# mine\n[other]\nregion = x\n")


# Credential process.


def counting(aws: Gp, tmp_path: pathlib.Path) -> pathlib.Path:
    """Replaces `gp` in the config file by a wrapper that records each call, and returns the record."""
    notes, wrapper = tmp_path / "notes", tmp_path / "counted gp"
    config = home_of(aws) / ".aws/config"
    line = next(line for line in config.read_text().splitlines() if line.startswith("credential_process"))
    command = line.partition(" = ")[2]
    wrapper.write_text(f"#!/bin/sh\necho called >> {shlex.quote(str(notes))}\nexec {shlex.split(command)[0]} \"$@\"\n")
    wrapper.chmod(0o755)
    changed = f"'{wrapper}' " + shlex.join(shlex.split(command)[1:])
    config.write_text(config.read_text().replace(command, changed))
    return notes


def test_five_calls_of_an_sdk_run_the_process_once(
    aws: Gp, sts: Relay, api: Relay, python: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    assert aws("idp", "login", "aws", "-p", "auto", "--credential-process").returncode == 0
    # The login has assumed the role, and the credentials are cached for the first call.
    assert sts.counts == {"AssumeRoleWithWebIdentity": 1}
    notes = counting(aws, tmp_path)
    script = textwrap.dedent("""
        import boto3
        client = boto3.Session(profile_name="auto").client("sts")
        print(*{client.get_caller_identity()["Arn"] for _ in range(5)})
    """)
    assert re.fullmatch(SESSION + "\n", python(script))
    assert notes.read_text() == "called\n"
    assert sts.counts == {"AssumeRoleWithWebIdentity": 1, "GetCallerIdentity": 5}
    # A second SDK process runs the command again; the answer comes from the cache.
    assert re.fullmatch(SESSION + "\n", python(script))
    assert notes.read_text() == "called\n" * 2
    assert (sts.counts["AssumeRoleWithWebIdentity"], api.counts["GetIDToken"]) == (1, 1)


def test_the_cli_uses_the_process(aws: Gp) -> None:
    (home_of(aws) / ".aws").mkdir()
    credentials = home_of(aws) / ".aws/credentials"
    credentials.write_text("[p]\naws_access_key_id = ASIAOLD\naws_secret_access_key = old\nregion = eu-west-3\n")
    script = f"gp idp login aws -p p --credential-process && {WHOAMI} --profile p"
    assert re.fullmatch(SESSION, identity(aws.bash(script)))
    assert credentials.read_text() == "[p]\nregion = eu-west-3\n"


def test_shlex_and_shells_read_the_same_words(aws: Gp) -> None:
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    odd = ["--audience", "it's", "--audience", "$HOME `x` \"y\" \\z", "--policy", policy]
    assert aws("idp", "login", "aws", "--credential-process", *odd).returncode == 0
    profile = botocore.configloader.load_config(str(home_of(aws) / ".aws/config"))["profiles"]["default"]
    words = shlex.split(profile["credential_process"])
    shell = aws.run(["sh", "-c", f"printf '%s\\n' {profile['credential_process']}"]).stdout.splitlines()
    assert words == shell
    assert [words[words.index("--policy") + 1], *[words[i + 1] for i, w in enumerate(words) if w == "--audience"]] == [
        policy,
        "it's",
        "$HOME `x` \"y\" \\z",
    ]
    assert os.path.isabs(words[0])
    assert re.fullmatch(SESSION, identity(aws.bash(WHOAMI)))


def test_a_hundred_calls_on_an_empty_cache_are_one_exchange(aws: Gp, sts: Relay, api: Relay) -> None:
    command = [program_of(aws), "idp", "login", "aws", "--format", "process", "--timeout", "60s"]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=aws.environment)
        for _ in range(100)
    ]
    outputs = [process.communicate(timeout=LIMIT * 3) for process in started]
    assert {process.returncode for process in started} == {0}
    assert {errors for _, errors in outputs} == {b""}
    assert len({answer for answer, _ in outputs}) == 1
    assert (api.counts["GetIDToken"], sts.counts["AssumeRoleWithWebIdentity"]) == (1, 1)


# The endpoint, and commands of `exec`.


def test_exec_gives_the_command_credentials_and_nothing_else(aws: Gp) -> None:
    done = aws.bash(f"gp idp exec aws -- {WHOAMI}")
    assert re.fullmatch(SESSION, identity(done))
    assert [path for path in home_of(aws).rglob("*") if path.is_file()] == []


def test_exec_takes_precedence_over_the_environment(aws: Gp) -> None:
    stale = {"AWS_ACCESS_KEY_ID": "AKIAOLD", "AWS_SECRET_ACCESS_KEY": "old", "AWS_PROFILE": "nowhere"}
    assert re.fullmatch(SESSION, identity(Gp(aws.environment | stale).bash(f"gp idp exec aws -- {WHOAMI}")))


def test_exec_serve_gives_a_command_an_endpoint(aws: Gp) -> None:
    (home_of(aws) / ".aws").mkdir()
    # Keys in the default profile would hide the endpoint.
    keys = "[default]\naws_access_key_id = ASIAOLD\naws_secret_access_key = old\n"
    (home_of(aws) / ".aws/credentials").write_text(keys)
    (home_of(aws) / ".aws/config").write_text("[default]\ncredential_process = false\ncli_pager =\n[profile x]\n")
    done = aws.bash(f"gp idp exec aws --serve -- sh -c '{WHOAMI}; cat $AWS_CONFIG_FILE >&2; exit 7'")
    assert (done.returncode, done.stderr) == (7, "[default]\ncli_pager =\n[profile x]\n")
    assert re.fullmatch(SESSION, json.loads(done.stdout)["Arn"])
    assert (home_of(aws) / ".aws/credentials").read_text() == keys


def test_the_endpoint_serves_every_client_with_its_token(aws: Gp, tmp_path: pathlib.Path) -> None:
    lines = tmp_path / "exports"
    gp = program_of(aws)
    with lines.open("w") as output:
        served = subprocess.Popen(
            [gp, "idp", "serve", "aws"], stdout=output, stderr=subprocess.PIPE, text=True, env=aws.environment
        )
    assert served.stderr.readline().startswith("serving arn:aws:sts::123456789012:assumed-role/deploy/")
    variables = exported(aws, lines)
    other = Gp({name: v for name, v in aws.environment.items() if name not in ("IDP_API_URL", "SUPERVISOR_ADDR")})
    other = Gp(other.environment | variables)
    assert re.fullmatch(SESSION, identity(other.bash(WHOAMI)))
    url = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    for headers in ({}, {"Authorization": "wrong"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=LIMIT)
        assert refused.value.code == 401
        assert json.loads(refused.value.read())["code"] == "Unauthorized"
        refused.value.close()
    served.send_signal(signal.SIGTERM)
    assert served.wait(LIMIT) == 0
    served.stderr.close()


class ShortSts(http.server.ThreadingHTTPServer):
    """An STS whose credentials are valid for six seconds, and which refuses requests if `refuses` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ShortAnswer)
        self.given = 0
        self.refuses = False


class ShortAnswer(http.server.BaseHTTPRequestHandler):
    server: ShortSts

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.server.refuses:
            status, body = 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        else:
            self.server.given += 1
            end = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
            status, body = 200, (
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
                f"<AccessKeyId>ASIA{self.server.given}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                f"<SessionToken>t</SessionToken><Expiration>{end}</Expiration></Credentials><AssumedRoleUser>"
                "<Arn>arn:aws:sts::123456789012:assumed-role/deploy/s</Arn></AssumedRoleUser>"
                "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            )
        self.send_response(status)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_an_endpoint_renews_early_and_keeps_its_credentials_after_refusals(aws: Gp) -> None:
    with ShortSts() as sts:
        thread = threading.Thread(target=sts.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        environment = aws.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{sts.server_port}"}
        served = subprocess.Popen(
            [program_of(aws), "idp", "serve", "aws"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            lines = [served.stdout.readline().strip().removeprefix("export ") for _ in range(2)]
            variables = dict(line.split("=", 1) for line in lines)
            request = urllib.request.Request(
                variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
                headers={"Authorization": variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]},
            )

            def offered() -> tuple[str, float]:
                with urllib.request.urlopen(request, timeout=LIMIT) as reply:
                    found = json.load(reply)
                end = datetime.datetime.fromisoformat(found["Expiration"])
                return found["AccessKeyId"], (end - datetime.datetime.now(datetime.UTC)).total_seconds()

            # The credentials are valid at each request, and are renewed without one.
            deadline = time.monotonic() + LIMIT
            while (now := offered())[0] != "ASIA3":
                assert now[1] > 0
                assert time.monotonic() < deadline
                time.sleep(0.1)
            sts.refuses = True
            assert served.stderr.readline().startswith("serving ")
            warning = served.stderr.readline()
            # A lifetime of six seconds looks like a wrong clock.
            while warning.startswith("warning: the new credentials expire in "):
                warning = served.stderr.readline()
            assert re.fullmatch(r"warning: could not renew the credentials; the old ones expire in \d s\n", warning)
            assert served.stderr.readline() == f"error: could not assume the AWS role {ROLE}\n"
            assert offered()[0] == "ASIA3"
            # After their expiry, the endpoint returns an error instead of the expired credentials.
            deadline = time.monotonic() + LIMIT
            while True:
                assert time.monotonic() < deadline
                try:
                    offered()
                except urllib.error.HTTPError as error:
                    assert (error.code, json.load(error)["code"]) == (500, "ExpiredToken")
                    error.close()
                    break
                time.sleep(0.1)
        finally:
            served.terminate()
            assert served.wait(LIMIT) == 0
            served.stdout.close()
            served.stderr.close()
            sts.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("shell", "format"), [("bash", "env"), ("zsh", "env"), ("fish", "fish"), ("sh", "env-no-export")]
)
def test_shells_evaluate_the_lines(aws: Gp, shell: str, format: str) -> None:
    script = {
        "fish": f"gp idp login aws --format fish | source; {WHOAMI}",
        "sh": f"set -a; eval \"$(gp idp login aws --format env-no-export)\"; {WHOAMI}",
    }.get(shell, f"eval \"$(gp idp login aws --format {format})\" && {WHOAMI}")
    assert re.fullmatch(SESSION, identity(aws.run([shell, "-c", script])))


def test_json_is_for_programs(aws: Gp, python: Callable[..., str]) -> None:
    done = aws("idp", "login", "aws", "--format", "json")
    found = json.loads(done.stdout)
    assert found["AccountId"] == "123456789012"
    assert found["Region"] == "eu-west-1"
    assert re.fullmatch(SESSION, found["AssumedRoleArn"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["Expiration"])


# Many at once.


@pytest.mark.parametrize("round", range(3))
def test_many_logins_at_once_lose_nothing(aws: Gp, round: int) -> None:
    folder = home_of(aws) / ".aws"
    folder.mkdir()
    names = [f"p{number}" for number in range(64)]
    # Every second profile exists already.
    before = "# top\n\n" + "".join(f"# about {name}\n[{name}]\nregion = r-{name}\n\n" for name in names[::2])
    (folder / "credentials").write_text(before)
    (folder / "credentials").chmod(0o600)
    gp = program_of(aws)
    started = [
        subprocess.Popen(
            [gp, "idp", "login", "aws", "-p", name, "--role-session-name", f"s-{name}", "--timeout", "60s"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=aws.environment,
        )
        for name in names
    ]
    assert {process.communicate(timeout=LIMIT * 3)[0] for process in started} == {b""}
    assert {process.returncode for process in started} == {0}
    profiles = botocore.configloader.raw_config_parse(folder / "credentials")
    assert sorted(profiles) == sorted(names)
    assert len({profile["aws_access_key_id"] for profile in profiles.values()}) == 64
    for name, profile in profiles.items():
        assert profile.get("region") == (f"r-{name}" if name in names[::2] else None)
    text = (folder / "credentials").read_text()
    kept = [line for line in text.splitlines() if line.startswith("#")]
    assert kept == ["# top"] + [f"# about {name}" for name in names[::2]]
    assert sorted(path.name for path in folder.iterdir()) == ["credentials"]
    assert stat.S_IMODE(os.stat(folder / "credentials").st_mode) & 0o700 == 0o600


# What other processes can see.


def test_no_command_line_holds_a_secret(aws: Gp, tmp_path: pathlib.Path) -> None:
    script = tmp_path / "logins.sh"
    script.write_text(
        "set -e\ngp idp login aws\ngp idp login aws -p b --credential-process\n"
        "gp idp login aws --format process > process.json\ngp idp exec aws -- true\n"
        "gp idp exec aws --serve -- true\n"
    )
    trace = tmp_path / "trace"
    done = aws.run(
        ["strace", "-f", "-qq", "-s", "1000000", "-e", "trace=execve", "-o", str(trace), "bash", str(script)],
        cwd=str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    seen = trace.read_text()
    assert seen.count("execve(") >= 8
    arguments = [re.search(r'execve\("[^"]*", (\[.*\]), 0x', line) for line in seen.splitlines() if "execve(" in line]
    words = "\n".join(found.group(1) for found in arguments if found)
    assert "login" in words
    profile = configparser.RawConfigParser()
    profile.read(home_of(aws) / ".aws/credentials")
    answer = json.loads((tmp_path / "process.json").read_text())
    secrets = [profile["default"][f"aws_{name}"] for name in ("secret_access_key", "session_token")]
    for secret in [*secrets, answer["SecretAccessKey"], answer["SessionToken"], "eyJ"]:
        assert secret not in words


def test_ps_shows_no_secret_during_a_login(aws: Gp) -> None:
    """As above, but as another process sees it while the requests are in progress."""
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        seen.add((entry / "cmdline").read_bytes())
                    except OSError:
                        continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(5):
            assert aws("idp", "login", "aws").returncode == 0
            time.sleep(0.01)
    finally:
        done.set()
        watcher.join()
    logins = [line for line in seen if b"login\0aws" in line]
    assert logins
    assert not [line for line in seen if b"eyJ" in line]
    text = (home_of(aws) / ".aws/credentials").read_bytes()
    secrets = re.findall(rb"(?:secret_access_key|session_token) = (\S+)", text)
    assert len(secrets) == 2
    assert not [line for line in seen for secret in secrets if secret in line]
