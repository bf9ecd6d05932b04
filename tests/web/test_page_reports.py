"""What browsers report of a page's policy: a directive is counted, and nothing else of it is kept anywhere."""

import json
from typing import Any

import pytest

from config import runtime, security_events, tallies
from service import page_reports
from service.serving import bulkheads
from tests.waiting import until

CANARY = "canary-token-of-a-link"


def sent(house: Any, body: Any, kind: str = "application/reports+json") -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status: int = house.browser().client.post(page_reports.PATH, data=data, content_type=kind).status_code
    return status


def report(directive: Any) -> dict[str, Any]:
    body = {"effectiveDirective": directive, "documentURL": f"https://clinic.example/i/{CANARY}", "sample": CANARY}
    return {"type": "csp-violation", "url": f"https://clinic.example/i/{CANARY}", "body": body}


def taken() -> float:
    return tallies.take().get("security|content_policy", 0)


def counted(times: int) -> None:
    """Wait until so many have been counted; what is being handed on comes back, as there is no queue here."""
    seen = [0.0]

    def all_of_them() -> bool:
        seen.append(taken())
        return sum(seen) >= times

    until(all_of_them, f"{times} reports to be counted")
    assert sum(seen) == times


def test_of_a_report_the_directive_is_counted_and_nothing_else_is_kept(
    house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tallies.take()
    assert sent(house, [report("script-src-elem"), report("img-src")]) == 204
    older = {"csp-report": {"violated-directive": "style-src", "document-uri": f"https://clinic.example/i/{CANARY}"}}
    assert sent(house, older, "application/csp-report") == 204
    counted(3)
    told = capsys.readouterr()
    lines = [line for line in (told.out + told.err).splitlines() if "security event" in line]
    assert len(lines) == 3
    for directive, line in zip(("script-src-elem", "img-src", "style-src"), lines, strict=True):
        assert directive in line
        assert CANARY not in line
        assert "127.0.0.1" not in line


def test_a_directive_that_nobody_knows_is_another_and_is_not_repeated(
    house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sent(house, [report(CANARY), report(None), report(7), {"body": CANARY}]) == 204
    told = capsys.readouterr()
    assert CANARY not in told.out + told.err
    assert page_reports.directives(json.dumps([report(CANARY)]).encode()) == ["other"]


def test_many_reports_large_ones_and_what_is_none_cost_nothing(house: Any) -> None:
    tallies.take()
    assert sent(house, [report("img-src")] * 50) == 204
    counted(page_reports.MOST)
    assert sent(house, b"x" * (page_reports.LARGEST_BODY + 1)) == 413
    assert sent(house, b"[" * 10_000) == 204
    assert sent(house, b"\xff\x00") == 204
    assert sent(house, [1, "a", None]) == 204
    assert sent(house, [report("img-src")], "text/plain") == 415
    assert house.browser().get(page_reports.PATH).status_code == 405
    assert taken() == 0
    assert bulkheads.name_of(page_reports.PATH) == "patients"
    assert "content_policy" in security_events.KINDS


def test_every_page_asks_for_reports_and_over_https_by_the_name_of_an_endpoint(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = house.browser().get("/signin")
    assert plain.headers["Content-Security-Policy"].endswith("; report-uri /reports/csp")
    assert "Reporting-Endpoints" not in plain.headers
    assert "report-uri" not in house.browser().get("/healthz").headers["Content-Security-Policy"]
    monkeypatch.setattr(
        runtime, "_settings", runtime.settings().model_copy(update={"public_url": "https://clinic.example/"})
    )
    for path in ("/signin", "/i/no-such-link", "/nowhere"):
        page = house.browser().get(path)
        assert page.headers["Reporting-Endpoints"] == 'csp="https://clinic.example/reports/csp"', path
        assert "; report-to csp; report-uri /reports/csp" in page.headers["Content-Security-Policy"], path


def test_no_other_site_may_take_in_what_we_answer(house: Any) -> None:
    for path in ("/signin", "/healthz", "/i/no-such-link"):
        assert house.browser().get(path).headers["Cross-Origin-Resource-Policy"] == "same-origin", path
