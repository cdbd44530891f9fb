"""gcloud accepts the commands and sends the intended requests to a stand-in for Google, which records them."""

import http.server
import json
import pathlib
import shutil
import threading
from collections.abc import Iterator

import pytest
from conftest import Gp
from trust.conftest import claims, trust
from trust.test_shell import TARGETS

pytestmark = pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")


class Google(http.server.ThreadingHTTPServer):
    """Reports success for every change, and stores the provider."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict]] = []
        self.provider: dict | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    server: Google

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        self.server.asked.append((self.path, body))
        if "/providers?" in self.path:
            self.server.provider = body
        policy = "IamPolicy" in self.path
        self.answer(200, {"bindings": []} if policy else {"name": "x", "done": True, "response": {}})

    def do_GET(self) -> None:
        if "IamPolicy" in self.path:
            self.do_POST()
        elif self.server.provider is None:
            self.answer(404, {"error": {"code": 404, "message": "not found", "status": "NOT_FOUND"}})
        else:
            self.answer(200, self.server.provider)

    def answer(self, status: int, data: dict) -> None:
        reply = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_gcloud_sends_the_intended_requests(shop: Gp, google: Google, tmp_path: pathlib.Path) -> None:
    (tmp_path / "token").write_text("x")
    environment = shop.environment | {
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "config"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(tmp_path / "token"),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM": f"http://127.0.0.1:{google.server_port}/",
    }
    script = trust(shop, *TARGETS["gcp"], "--audience", "x")
    done = Gp(environment).run(["sh", "-eu"], input=script)
    assert done.returncode == 0, done.stderr
    pool, provider, _, binding = google.asked
    issuer = claims(shop, "x")["iss"]
    pools = "/v1/projects/123456789012/locations/global/workloadIdentityPools"
    assert pool[0].startswith(f"{pools}?") and "workloadIdentityPoolId=gitpod" in pool[0]
    assert provider[0].startswith(f"{pools}/gitpod/providers?")
    assert provider[1]["oidc"] == {"issuerUri": issuer, "allowedAudiences": ["x"]}
    assert provider[1]["attributeMapping"] == {
        "google.subject": "assertion.workspace_id",
        "attribute.provider": f'assertion.iss == "{issuer}" ? "gitpod" : ""',
    }
    assert provider[1]["attributeCondition"] == (
        'assertion.sub == "https://github.com/acme/shop" || assertion.sub.startsWith("https://github.com/acme/shop/")'
    )
    assert "ci@shop.iam.gserviceaccount.com:setIamPolicy" in binding[0]
    [bound] = binding[1]["policy"]["bindings"]
    assert bound["role"] == "roles/iam.workloadIdentityUser"
    assert bound["members"] == [f"principalSet://iam.googleapis.com{pools[3:]}/gitpod/attribute.provider/gitpod"]
    # Again: the script reads the provider, and only adds the binding, which exists already.
    google.asked.clear()
    done = Gp(environment).run(["sh", "-eu"], input=script)
    assert done.returncode == 0, done.stderr
    assert all("IamPolicy" in path for path, _ in google.asked)
    # Another provider with that name is left unchanged, and nobody gets access through it.
    google.provider["attributeCondition"] = "true"
    google.asked.clear()
    done = Gp(environment).run(["sh", "-eu"], input=script)
    assert (done.returncode, google.asked) == (1, [])
    assert "the provider gitpod has another attribute condition and was not changed" in done.stderr
    google.provider["oidc"]["issuerUri"] = "https://issuer.example"
    done = Gp(environment).run(["sh", "-eu"], input=script)
    assert (done.returncode, google.asked) == (1, [])
    assert "the provider gitpod trusts another issuer and was not changed" in done.stderr
