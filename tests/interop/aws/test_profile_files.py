"""Compares the reader and editor of profile files with botocore, over generated and mutated files.

For each file: both accept it or both refuse it, and profiles and values are equal. After an edit, botocore reads the new
values, and all other values are unchanged. Another test checks, for every other source of credentials in a profile,
whether botocore prefers it to the written one.
"""

import configparser
import os
import pathlib
import random
import subprocess
from collections.abc import Iterator

import botocore.credentials
import botocore.session
import pytest
from botocore.configloader import build_profile_map, load_config, raw_config_parse
from botocore.exceptions import ConfigParseError

KEYS = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token", "region",
        "s3", "credential_process", "x_security_token_expires", "output", "role_arn"]
# The number of files for each seed.
FILES = 300
NAMES = ["default", "dev", "prod-1", "a.b", "x"]
# Text that parsers often read differently: kinds of white space and line ends, marks, brackets, case folding.
ODD = ["\ufeff", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", "\u3000", "\u200b", "\0", "[", "]",
       "[]", "=", ":", "#", ";", " #", " ;", "'", '"', "\\", "%", "%(x)s", "$HOME", "\n", "\r\n", "\n\n", "\n ", " ",
       "\t", "\n[", "]\n", "[DEFAULT]\n", "\n[DEFAULT]\n", "profile ", "\u212a", "\u0130", "\u03a3", "ß", "é", "x",
       "= =", "\n= v\n", "\n  = v\n", "[a]", "\n\n  more\n", "k = v\n", "\nregion\n", "🦀", "\n[default]\n"]


def section(r, name, kind):
    inner = name
    if kind == "config" and name != "default":
        inner = r.choice(["profile %s"] * 8 + ['profile "%s"', "profile '%s'", "profile  %s", "profile\t%s",
                          "profile %s ", " profile %s", "profiles %s", "profile %s extra", 'profile "%s', "profile\\ %s",
                          'profile "%s\\\\x"', "profile ''%s", "%s", "sso-session %s", "services %s"]) % name
    elif r.random() < 0.08:
        inner = r.choice([" %s", "%s ", "profile %s", "%s]", "%s [x", "DEFAULT", "Default"]).replace("%s", name)
    return "[" + inner + "]" + r.choice([""] * 9 + ["  ; note", " # [x]", "]", " = 1"])


def value(r):
    return r.choice([
        lambda: "".join(r.choices("ABCabc0189/+=", k=r.randint(1, 16))),
        lambda: r.choice(["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "eu-west-1", "v # w", "v ; w", "v;w", "'q'", '"q"',
                          "%(region)s", "a = b", "a: b", "[x]", "", "# c", "é ü"]),
    ])()


def generate(r):
    kind = r.choice(["credentials", "config"])
    head, body = r.choice([("", "")] * 6 + [("", "  "), ("  ", "  "), ("  ", "\t \t"), ("  ", ""), ("\u3000", "\xa0 ")])
    lines = []

    def filler():
        for _ in range(r.choice([0, 0, 0, 1, 2])):
            lines.append(r.choice(["", "", "   ", "# c", "; c", "  # c = d", "#[x]", "# aws_access_key_id = AKIAX", "\t;"]))

    names = r.sample(NAMES, r.randint(0, len(NAMES)))
    if r.random() < 0.1:
        names.insert(r.randrange(len(names) + 1), "DEFAULT")
    if r.random() < 0.03 and names:
        names.append(r.choice(names))
    for name in names:
        filler()
        lines.append(head + ("[DEFAULT]" if name == "DEFAULT" else section(r, name, kind)))
        keys = r.sample(KEYS, r.randint(0, 6))
        if r.random() < 0.02 and keys:
            keys.append(r.choice(keys).upper())
        for key in keys:
            filler()
            spelled = r.choice([key] * 4 + [key.upper(), key.title()])
            separator = r.choice([" = "] * 4 + ["=", ": ", ":", "\t=  ", " ="])
            shape = r.random()
            if shape < 0.12:
                lines.append(f"{body}{spelled}{separator}")
                for _ in range(r.randint(0, 3)):
                    lines.append(r.choice([body + "  " + r.choice(["x = 1", "y=2", "max_bandwidth = 3", "x  =", "= 1"])] * 6
                                          + ["", "  # c", body + "  x", body + "  x: 1"]))
            else:
                lines.append(f"{body}{spelled}{separator}{value(r)}")
                if shape < 0.22:
                    for _ in range(r.randint(1, 3)):
                        lines.append(r.choice([body + "  " + value(r), body + "\t" + value(r), "", "# c", body + " [x]"]))
        filler()
    end = r.choice(["\n"] * 4 + ["\r\n"] * 3 + ["\r", None])
    text = "".join(line + (end or r.choice(["\n", "\r\n", "\r"])) for line in lines)
    if r.random() < 0.3:
        text = text.rstrip("\r\n")
    return kind, text


def mutate(r, text):
    for _ in range(r.choice([0, 0, 1, 1, 2, 4])):
        at = r.randint(0, len(text))
        how = r.random()
        if how < 0.6:
            text = text[:at] + r.choice(ODD) + text[at:]
        elif how < 0.8:
            text = text[:at] + text[at + r.randint(1, 8):]
        else:
            lines = text.splitlines(keepends=True)
            if lines:
                line = r.choice(lines)
                lines.insert(r.randint(0, len(lines)), r.choice(["", " ", "    "]) + line)
            text = "".join(lines)
    data = text.encode()
    if r.random() < 0.02:
        at = r.randint(0, len(data))
        data = data[:at] + r.choice([b"\xff", b"\xc3", b"\xed\xa0\x80"]) + data[at:]
    return data


def botocore_reads(kind, path):
    """The profiles with their values as text, or None if botocore refuses the file."""
    try:
        raw_config_parse(path)  # blocks are parsed here, as botocore does ...
        flat = raw_config_parse(path, parse_subsections=False)  # ... and kept as text here
        if kind == "credentials":
            return flat
        profiles = load_config(path)["profiles"]
    except ConfigParseError:
        return None
    # botocore decides which sections are profiles, so its own function maps the flat values.
    flat = build_profile_map(flat)["profiles"]
    assert list(flat) == list(profiles)
    return flat


# Settings that add another source of credentials to a profile.
SOURCES = {
    "role_arn": "role_arn = arn:aws:iam::123456789012:role/r\n",
    "web_identity_token_file": "web_identity_token_file = /nowhere\n",
    "sso_account_id": "sso_account_id = 123456789012\n",
    "sso_role_name": "sso_role_name = r\n",
    "login_session": "login_session = x\n",
    "credential_process": "credential_process = false\n",
    "aws_access_key_id": "aws_access_key_id = ASIAOLD\naws_secret_access_key = old\n",
    "aws_account_id": "aws_account_id = 123456789012\n",
    "source_profile": "source_profile = b\n",
    "sso_session": "sso_session = x\n",
    "region": "region = eu-west-1\n",
}


def test_rivals_are_those_that_botocore_prefers(check, folder, monkeypatch):
    """Compares the source that botocore's own chain chooses with the reported rivals."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_SHARED_CREDENTIALS_FILE": os.path.join(folder, "credentials"),
        "AWS_CONFIG_FILE": os.path.join(folder, "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "HOME": folder,
    }.items():
        monkeypatch.setenv(name, value)
    paths = {kind: os.path.join(folder, kind) for kind in ("credentials", "config")}
    headers = {"credentials": "[p]\n", "config": "[profile p]\n"}
    expected = {"keys": ("write", "credentials", "SharedCredentialProvider"),
                "process": ("process", "config", "ProcessProvider")}
    profile = to_hex("p")
    for source, (verb, target, provider) in expected.items():
        for key, setting in SOURCES.items():
            for place in ("credentials", "config"):
                for kind, path in paths.items():
                    with open(path, "w") as file:
                        file.write(headers[kind] + (setting if kind == place else "") if kind in (place, target) else "")
                status, *error = check.ask(verb, target, paths[target], profile, paths[target])
                assert status == "ok", error
                rivals = dict(rival.split(" ") for rival in check.ask("rivals", place, paths[place], profile, source)[1:])

                chain = botocore.credentials.create_credential_resolver(botocore.session.Session(profile="p"))
                taken = None
                for candidate in chain.providers:
                    try:
                        found = candidate.load()
                    except Exception as error:  # The chain chose this source; whether it can succeed does not matter here.
                        taken = error
                        break
                    if found is not None:
                        if type(candidate).__name__ == provider:
                            taken = (found.access_key, found.secret_key, found.token)
                        break
                is_ours = taken == ("ASIANEW", "new-secret", "new-token" if source == "keys" else None)
                # A setting that the new one replaced is not a rival.
                replaced = ["aws_access_key_id"] + ["credential_process"] * (source == "process")
                reported = None if place == target and key in replaced else rivals.get(key)
                if is_ours == (reported == "wins"):
                    pytest.fail(f"{source}, {key} in the {place} file: botocore takes {taken!r}, reported is {rivals}")
    # botocore would prefer the old `aws_security_token` to the new token, so it must be removed.
    with open(paths["credentials"], "w") as file:
        file.write("[p]\nAWS_SECURITY_TOKEN = old\n")
    check.ask("write", "credentials", paths["credentials"], profile, paths["credentials"])
    assert botocore.session.Session(profile="p").get_credentials().token == "new-token"


class Check:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *fields):
        self.process.stdin.write("\t".join(fields) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n").split("\t")
        if answer == [""]:
            pytest.fail("the program ended")
        return answer


def to_hex(text):
    return text.encode().hex()


def of_hex(text):
    return bytes.fromhex(text).decode()


def gp_reads(check, kind, path, keys):
    status, *names = check.ask("parse", kind, path)
    if status == "no":
        return None, names[0]
    profiles = {}
    for name in names:
        profiles[of_hex(name)] = found = {}
        for key in keys:
            status, *value = check.ask("get", kind, path, name, to_hex(key))
            if status == "ok":
                found[key] = of_hex(value[0])
    return profiles, None


@pytest.fixture
def check() -> Iterator[Check]:
    """The program that is tested: `profile_files.rs`."""
    running = Check(os.path.join(os.environ["EXAMPLES"], "profile_files"))
    yield running
    running.process.stdin.close()
    running.process.stdout.close()
    assert running.process.wait(30) == 0


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> str:
    return str(tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_botocore_reads_the_same_before_and_after_an_edit(check, folder, seed):
    r = random.Random(seed)
    counts = {"accepted": 0, "refused": 0, "edited": 0, "edit refused": 0}
    path, out = os.path.join(folder, "file"), os.path.join(folder, "out")
    for number in range(FILES):
        kind, text = generate(r)
        data = mutate(r, text)
        with open(path, "wb") as file:
            file.write(data)

        def differ(what, *details):
            pytest.fail("\n".join([f"file {number}, seed {seed}, {kind}: {what}", repr(data), *map(repr, details)]))

        theirs = botocore_reads(kind, path)
        keys = {key for profile in (theirs or {}).values() for key in profile}
        ours, error = gp_reads(check, kind, path, sorted(keys | set(KEYS)))
        if (theirs is None) != (ours is None):
            differ("one accepts, one refuses", theirs, ours, error)
        if theirs is None:
            counts["refused"] += 1
            continue
        counts["accepted"] += 1
        if theirs != ours:
            differ("values differ", theirs, ours)

        name = r.choice(NAMES)
        edits = {key: r.choice([None, "", "new-" + str(r.randint(0, 9)), "n/e+w=="]) for key in r.sample(KEYS, r.randint(1, 5))}
        asked = [to_hex(key if new is None else f"{key}={new}") for key, new in edits.items()]
        status, *error = check.ask("set", kind, path, to_hex(name), out, *asked)
        if status == "no":
            counts["edit refused"] += 1
            # Correct only if [DEFAULT] has a block that botocore would refuse once a profile inherits it.
            if "cannot be changed" in error[0] and not has_latent_block(path):
                differ("an edit was found to have side effects", name, edits, error)
            continue
        counts["edited"] += 1
        with open(out, "rb") as file:
            changed = file.read()
        inherited = raw_defaults(path)
        wanted = {profile: dict(values) for profile, values in theirs.items()}
        if name not in wanted and any(new is not None for new in edits.values()):
            wanted[name] = dict(inherited)
        for key, new in edits.items():
            if new is not None:
                wanted[name][key] = new
            elif name in wanted:
                wanted[name].pop(key, None)
                if key in inherited:
                    wanted[name][key] = inherited[key]
        after = botocore_reads(kind, out)
        if after != wanted:
            differ("after an edit, botocore reads something else", name, edits, changed, after, wanted)
        os.replace(out, path)
        if check.ask("set", kind, path, to_hex(name), out, *asked)[0] != "ok":
            differ("the same edit is refused the second time", name, edits, changed)
        with open(out, "rb") as file:
            if file.read() != changed:
                differ("the same edit changes more the second time", name, edits, changed)
    # If one outcome dominated, the test would compare little.
    assert min(counts[outcome] for outcome in ("accepted", "refused", "edited")) > FILES / 4, counts
    assert counts["edit refused"] > 0


def raw_defaults(path):
    parser = configparser.RawConfigParser()
    parser.read([path])
    return dict(parser.defaults())


def has_latent_block(path):
    return any(value.startswith("\n") and any("=" not in line for line in value.splitlines() if line.strip())
               for value in raw_defaults(path).values())
