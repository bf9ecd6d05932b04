"""A small identity provider over HTTP with RSA keys of its own: strict where a real one is, and it lies on demand."""

import base64
import hashlib
import hmac
import html
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from config import clock

CLIENT_ID, SECRET = "warmthread-alder", "a secret of nobody's: %+/ä"


@cache
def a_key(name: str) -> RSAKey:
    """One key for a name in a process: making one takes a second."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@dataclass
class Provider:
    """`person` is who signs in, `claims` what is said in the token instead, None for left out; `headers` likewise.

    `signs_by` is rsa | public (HS256 by the public key's own text) | nothing (alg "none"); `answers` what is added to
    the answer that comes back through the browser; `given` the codes and tokens that were taken.
    """

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    signs_by: str = "rsa"
    key: str = "first"
    published: list[str] = field(default_factory=lambda: ["first"])
    down: bool = False
    asked: list[str] = field(default_factory=list)
    wanted: dict[str, str] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def back_from(self, way: str, **changed: str) -> str:
        """Return where a browser that was sent to `way` is sent back to, once somebody has signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(way).query).items()} | changed
        assert asked["client_id"] == CLIENT_ID
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["scope"] == "openid email profile"
        assert min(len(asked[name]) for name in {"state", "nonce", "code_challenge"} - set(changed)) >= 43
        self.wanted, code = asked, secrets.token_urlsafe(16)
        self._codes[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]} | self.answers)

    def document(self) -> dict[str, Any]:
        """What it says of itself."""
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        facts = {name: f"{self.issuer}/{place}" for name, place in places.items()}
        return {"issuer": self.issuer, **facts, "end_session_endpoint": f"{self.issuer}/end"} | self.facts

    def token(self, code: str, verifier: str, redirect_uri: str, authorization: str) -> dict[str, Any]:
        """Give a token for a code, once, to the client that holds secret and verifier."""
        basic = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode("latin1")).decode()
        asked = self._codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if asked is None or authorization != f"Basic {basic}" or challenge != asked["code_challenge"]:
            return {"error": "invalid_grant"}
        if redirect_uri != asked["redirect_uri"]:
            return {"error": "invalid_grant"}
        self.given += [code, "an access token for nobody", self.id_token(asked["nonce"])]
        return {"access_token": self.given[-2], "token_type": "Bearer", "id_token": self.given[-1]}

    def id_token(self, nonce: str) -> str:
        """Sign what is said of `person`."""
        now = int(clock.now().timestamp())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 300, "auth_time": now}
        claims = {name: value for name, value in (usual | self.person | self.claims).items() if value is not None}
        key = a_key(self.key)
        if self.signs_by == "nothing":
            return _bare({"alg": "none", "typ": "JWT"}, claims) + "."
        if self.signs_by == "public":
            head = _bare({"alg": "HS256", "kid": self.key}, claims)
            mark = hmac.digest(key.as_pem(private=False), head.encode(), "sha256")
            return f"{head}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
        return jwt.encode({"alg": "RS256", "kid": self.key}, claims, key)

    def logout_token(self, said: dict[str, Any], head: dict[str, Any] | None = None) -> str:
        """Sign that somebody has been signed out; `said` and `head` change what is usual, None for left out."""
        now = int(clock.now().timestamp())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(16)}
        usual |= {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}
        claims = {name: value for name, value in (usual | said).items() if value is not None}
        headers = {"alg": "RS256", "kid": self.key, "typ": "logout+jwt"} | (head or {})
        return jwt.encode({name: value for name, value in headers.items() if value}, claims, a_key(self.key))

    def keys(self) -> dict[str, Any]:
        """The public halves, among one that nobody understands."""
        public = [a_key(name).as_dict(private=False) for name in self.published]
        return {"keys": [{"kty": "quantum", "kid": "odd"}, *public]}


def _bare(*parts: dict[str, Any]) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


class _Handler(BaseHTTPRequestHandler):
    """One request to the provider that its server holds."""

    provider: Provider

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.provider.asked.append(path)
        if self.provider.down:
            self._answer(503, "text/plain", b"later")
        elif path == "/authorize":
            to = html.escape(self.provider.back_from(self.path))
            field = f'<input type="hidden" name="to" value="{to}">'
            form = f'<form action="/yes">{field}<button>It is me</button></form>'
            self._answer(200, "text/html", f"<title>Provider</title>{form}".encode())
        elif path in ("/yes", "/end"):
            self.send_response(302)
            self.send_header("Location", (query.get("to") or query["post_logout_redirect_uri"])[0])
            self.end_headers()
        else:
            told = self.provider.keys() if path == "/keys" else self.provider.document()
            self._answer(200, "application/json", json.dumps(told).encode())

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        form = {name: values[0] for name, values in sent.items()}
        told = self.provider.token(
            form["code"], form["code_verifier"], form["redirect_uri"], self.headers["Authorization"] or ""
        )
        self._answer(400 if "error" in told else 200, "application/json", json.dumps(told).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers on this machine."""
    provider = Provider()

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
