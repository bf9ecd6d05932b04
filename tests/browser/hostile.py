"""Words that would act if a page wrote them raw, put into every door by which words come to staff."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from werkzeug.exceptions import HTTPException

from tests.web import test_access_matrix as matrix
from tests.web.conftest import Browser

# Leaves an attribute and a cell, runs where anything runs, is there to be counted where nothing does.
WORDS = "=2'\"><img src=x onerror=pwned=1><x-pwned>"
ADDRESS = "javascript:pwned=1"
# They end what the walk walks by.
ENDING = ("signin.leave", "account.end", "account.end_others")
_TYPED = ("text", "search", "url", "tel")


@dataclass
class Form:
    """A form of a page as a browser sends it: what may be typed in holds `words`, the rest what it held."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms that post of one page, the addresses that it leads to, and what in it would act."""

    def __init__(self, path: str, page: str) -> None:
        super().__init__()
        self.path, self.forms, self.links, self.acting = path, list[Form](), list[str](), list[str]()
        self._inside: dict[str, Form] = {}
        self._open: Form | None = None
        self._named = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        acts = any(name.startswith("on") or value.startswith("javascript:") for name, value in facts.items())
        self.acting += [f"{tag} {facts}"] if acts or tag == "x-pwned" else []
        if tag == "a":
            self.links.append(facts.get("href", ""))
        elif tag == "form":
            self._open = Form(facts.get("action") or self.path)
            self._inside[facts.get("id", "")] = self._open
            if facts.get("method", "").lower() == "post":
                self.forms.append(self._open)
        elif (form := self._inside.get(facts.get("form", "?"), self._open)) is not None:
            self._take(form, tag, facts)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _take(self, form: Form, tag: str, facts: dict[str, str]) -> None:
        name, kind = facts.get("name", ""), facts.get("type", "text")
        if tag == "select":
            self._named = name
        elif tag == "option" and self._named and ("selected" in facts or not form.fields.get(self._named)):
            form.fields[self._named] = facts.get("value", "")
        elif name and (tag == "textarea" or (tag == "input" and kind in _TYPED)):
            form.typed.append(name)
            form.fields[name] = facts.get("value", "")
        elif name and tag in ("input", "button") and (kind not in ("checkbox", "radio") or name not in form.fields):
            form.fields[name] = facts.get("value", "on")


def sent(browser: Browser, form: Form, words: str = WORDS) -> int:
    """Send a form with `words` wherever something may be typed; the status of the answer."""
    # What the browser was signed in by is no door for words; a stored address is tried where one is asked for.
    hostile = {name: ADDRESS if "url" in name or "address" in name else words for name in form.typed}
    return browser.client.post(form.action, data=form.fields | hostile, follow_redirects=False).status_code


def walk(house: Any, browsers: list[Browser], ids: dict[str, Any]) -> tuple[set[str], list[str]]:
    """Open every page of staff and send every form on it, as each of `browsers`.

    Returns the endpoints of the forms that took the words, and what failed on our side.
    """
    taken, broken, seen = set[str](), list[str](), set[Any]()
    for browser in browsers:
        way = Way(house, ids)
        for path in way:
            page = browser.client.get(path)
            broken += [f"GET {path}"] if page.status_code >= 500 else []
            if page.mimetype != "text/html" or page.status_code != 200:
                continue
            forms = Forms(path, page.text)
            way.add(forms.links)
            for form in forms.forms:
                endpoint = endpoint_of(house, form.action, "POST")
                sort = (endpoint, *sorted(form.fields))
                if not form.typed or endpoint in ENDING or sort in seen:
                    continue
                status = sent(browser, form)
                broken += [f"POST {form.action}"] if status >= 500 else []
                if status < 400:
                    seen.add(sort)
                    taken.add(endpoint)
    return taken, broken


class Way:
    """The pages of staff that are read: each route with a row of ours, and what they lead to, some of each kind."""

    def __init__(self, house: Any, ids: dict[str, Any], most: int = 2) -> None:
        self.house, self.most = house, most
        self.paths = list(pages_of(house, ids))
        self.count = Counter(endpoint_of(house, path) for path in self.paths)

    def __iter__(self) -> Iterator[str]:
        yield from self.paths  # also what is added meanwhile

    def add(self, links: list[str]) -> None:
        """Go where these links lead, unless enough of the kind were seen."""
        for link in links:
            endpoint = endpoint_of(self.house, link)
            if endpoint not in ("", "web.static", *ENDING) and link not in self.paths:
                self.count[endpoint] += 1
                if self.count[endpoint] <= self.most + 1:
                    self.paths.append(link)


def pages_of(house: Any, ids: dict[str, Any]) -> Iterator[str]:
    """The address of each page of staff that is read, with rows of ours where it names one."""
    for rule in matrix.routes(house.app).values():
        if "GET" in rule.methods:
            yield matrix.address(house.app, rule, ids)


def endpoint_of(house: Any, address: str, method: str = "GET") -> str:
    """The endpoint that a path of ours leads to; "" for any other address."""
    try:
        return str(house.app.url_map.bind("").match(re.sub(r"[?#].*", "", address), method=method)[0])
    except HTTPException:
        return ""
