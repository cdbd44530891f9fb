"""Fixtures for Azure (a folder `azure` would hide the SDK of that name): a TLS proxy for the local workspace's Entra, because
its SDKs use only https."""

import datetime
import http.client
import http.server
import ipaddress
import json
import pathlib
import ssl
import threading
import urllib.parse
from collections.abc import Iterator

import pytest
from conftest import LIMIT, Gp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# The replies of a cloud's resource manager that `az` requests.
ARM = {
    "/metadata/endpoints": lambda url: {
        "name": "Loop",
        "portal": url,
        "authentication": {"loginEndpoint": url, "audiences": [url], "tenant": "common", "identityProvider": "AAD"},
        "graph": url,
        "suffixes": {},
        "resourceManager": url,
        "microsoftGraphResourceId": url,
    },
    "/subscriptions": lambda url: {"value": []},
}


class Front(http.server.ThreadingHTTPServer):
    """Forwards requests to the local workspace, and records their client assertions."""

    daemon_threads = True

    def __init__(self, target: str, folder: pathlib.Path) -> None:
        super().__init__(("127.0.0.1", 0), ForwardingHandler)
        self.target = urllib.parse.urlsplit(target).netloc
        self.assertions: list[str] = []
        self.ca = folder / "ca.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(folder))
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server_port}/"


class ForwardingHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = urllib.parse.urlsplit(self.path).path
        if path in ARM:
            self.answer(200, "application/json", json.dumps(ARM[path](self.server.url.rstrip("/"))).encode())
            return
        self.server.assertions += urllib.parse.parse_qs(body.decode()).get("client_assertion", [])
        connection = http.client.HTTPConnection(self.server.target, timeout=LIMIT)
        # The discovery document uses the host and the protocol of the request.
        headers = dict(self.headers) | {"x-forwarded-proto": "https"}
        connection.request(self.command, self.path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        self.answer(reply.status, reply.getheader("content-type", "text/plain"), content)
        connection.close()

    do_POST = do_GET

    def answer(self, status: int, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


def certificate(folder: pathlib.Path) -> pathlib.Path:
    """A file with key and certificate for localhost; the authority's certificate is beside it, in `ca.pem`."""
    now = datetime.datetime.now(datetime.UTC)
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "interop authority")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])

    def build(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        day = datetime.timedelta(days=1)
        builder = builder.not_valid_before(now - day).not_valid_after(now + day)
        known = x509.SubjectKeyIdentifier.from_public_key(public)
        return builder.add_extension(known, critical=False)

    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    root = build(issuer, authority.public_key())
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    root = root.add_extension(usage, critical=True).sign(authority, hashes.SHA256())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    leaf = build(subject, key.public_key()).add_extension(x509.SubjectAlternativeName(names), critical=False)
    leaf = leaf.add_extension(by, critical=False).sign(authority, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(private + leaf.public_bytes(pem))
    return path


@pytest.fixture
def entra(workspace: Gp, tmp_path: pathlib.Path) -> Iterator[Front]:
    """The local workspace's Entra behind TLS."""
    folder = tmp_path / "tls"
    folder.mkdir()
    front = Front(workspace.environment["IDP_API_URL"], folder)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    yield front
    front.shutdown()
    front.server_close()
