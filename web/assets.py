"""Sheets and scripts: addressed by what is in them, kept by browsers for as long as that, and packed once."""

import gzip
import hashlib
import re
from functools import cache
from importlib import resources

from flask import Response, request, url_for

# What a sheet says to whoever reads it in the repository; no sheet has these signs in a string.
_COMMENT = re.compile(rb"/\*.*?\*/\s*", re.DOTALL)
# And a script: only whole lines, which no string of ours spans.
_REMARK = re.compile(rb"^[ \t]*//[^\n]*\n", re.MULTILINE)


def address(name: str) -> str:
    """Return the address of a sheet or script, which is another one as soon as what is in it is."""
    return url_for("web.static", filename=name, v=_fingerprint(name))


def headers(response: Response) -> None:
    """Say how long a browser may keep this file, and pack it where the browser takes that.

    What is served is small and kept in memory: no file stays open for a browser that goes away meanwhile.
    """
    lasting = "v" in request.args
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
    # Sheets and scripts only: they hold no secret, so how well they pack tells nothing.
    name = (request.view_args or {}).get("filename", "")
    if response.status_code != 200:
        return
    packs = name.endswith((".css", ".js"))
    if packs:
        response.vary.add("Accept-Encoding")
    packed = packs and bool(request.accept_encodings["gzip"])
    response.close()
    response.direct_passthrough = False
    response.set_data(_packed(name) if packed else _read(name))
    if packed:
        response.headers["Content-Encoding"] = "gzip"
        response.headers.pop("ETag", None)


@cache
def _read(name: str) -> bytes:
    return resources.files("web").joinpath("static", name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    source = _read(name)
    spared = _COMMENT if name.endswith(".css") else _REMARK
    return gzip.compress(spared.sub(b"", source), mtime=0)


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256(_read(name)).hexdigest()[:12]
