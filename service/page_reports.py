"""The door at which browsers report what the content policy of a page forbade (Reporting API, W3C; CSP level 3).

A report names the page, and a page's address may hold an id or a link's token: of each report only the directive that
was broken is taken, and only if it is one we know. It is counted and logged as what an attack leaves; nothing else of
it is kept.
"""

import json
from typing import Any

from flask import Blueprint, Response, request

from config import client_address, runtime, security_events

PATH = "/reports/csp"
GROUP = "csp"
# A browser sends some hundred bytes for each; what is larger or more is not read.
LARGEST_BODY = 16 * 1024
MOST = 10
TYPES = ("application/reports+json", "application/csp-report")
DIRECTIVES = (
    "base-uri",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "worker-src",
)
OTHER = "other"
door = Blueprint("page_reports", __name__)


@door.post(PATH)
def take() -> tuple[str, int]:
    """Count what is reported; whoever sends something else learns nothing from the answer."""
    request.max_content_length = LARGEST_BODY
    if request.mimetype not in TYPES:
        return "", 415
    source = client_address.source(request.environ)
    for directive in directives(request.get_data()):
        security_events.note(
            "content_policy", source, route=request.endpoint or "none", status=204, directive=directive
        )
    return "", 204


def directives(body: bytes) -> list[str]:
    """Return the directives that a body of reports says were broken, of the first reports in it; pure."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return []
    reports = told if isinstance(told, list) else [told]
    return [_directive(report) for report in reports[:MOST] if isinstance(report, dict)]


def _directive(report: dict[str, Any]) -> str:
    inner = report.get("body", report.get("csp-report"))
    named = inner if isinstance(inner, dict) else {}
    said = named.get("effectiveDirective") or named.get("effective-directive") or named.get("violated-directive")
    return said if said in DIRECTIVES else OTHER


def ask_for_them(response: Response) -> Response:
    """Let the browser report what the policy of this page forbids. By name of an endpoint only over https, as the
    standard has it; else by address, which older browsers know too."""
    policy = response.headers.get("Content-Security-Policy")
    if response.mimetype != "text/html" or policy is None:
        return response
    settings = runtime.settings()
    if settings.secure:
        response.headers["Reporting-Endpoints"] = f'{GROUP}="{settings.public_url.rstrip("/")}{PATH}"'
        policy += f"; report-to {GROUP}"
    response.headers["Content-Security-Policy"] = f"{policy}; report-uri {PATH}"
    return response
