"""The cookie of a browser's session, sealed and not only signed: what is told once to a page may name a patient."""

import base64
import binascii
from typing import Any

from flask import Flask, Request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature

from config import keys, runtime

BOUND = ("cookie", "session")


class _Sealing:
    """Turns what a session holds into a cookie that nobody else can read or make, and back."""

    def __init__(self) -> None:
        self._key = keys.ring().secret("session cookie")
        self._json = TaggedJSONSerializer()

    def dumps(self, held: Any) -> str:
        sealed = keys.seal(self._key, self._json.dumps(held).encode(), *BOUND)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def loads(self, cookie: str, **_max_age: Any) -> Any:
        try:
            sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
            return self._json.loads(keys.unseal(self._key, sealed, *BOUND).decode())
        except (keys.WrongKey, binascii.Error, ValueError):
            raise BadSignature("the cookie does not open") from None


class SealedCookies(SecureCookieSessionInterface):
    """Flask's sessions in a cookie, with our seal in place of its signature; none at the doors of `machines`, which
    are the beginnings of addresses: who signs what they send is known by that, and no cookie is read there."""

    def __init__(self, machines: tuple[str, ...] = ()) -> None:
        self._machines = machines

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return what the cookie holds, None where a program or a carrier asks."""
        return None if request.path.startswith(self._machines) else super().open_session(app, request)

    def get_signing_serializer(self, _app: Flask) -> Any:
        """Return what seals and opens."""
        return runtime.once("sealed_cookies", _Sealing)
