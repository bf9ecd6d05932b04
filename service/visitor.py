"""A plain browser: it keeps cookies, follows redirects and fills in the forms it finds, as a person would."""

import html.parser
import http.cookiejar
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from urllib.error import HTTPError


class NotThere(Exception):
    """The page has no such form, field or words."""


@dataclass
class Form:
    """A form of a page: where it goes, its method, its fields with their present values, its choices and buttons."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._select = self._textarea = ""
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get").lower()))
            self._open = True
        elif tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif self._open and tag == "button":
            self.forms[-1].buttons.append((attributes.get("name", ""), attributes.get("value", "")))
        elif self._open and attributes.get("name", "") and tag in ("input", "select", "textarea"):
            self._field(tag, attributes)
        elif self._open and tag == "option" and self._select:
            self._choice(self._select, attributes.get("value", ""), "selected" in attributes)

    def _field(self, tag: str, attributes: dict[str, str]) -> None:
        form, name = self.forms[-1], attributes["name"]
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            form.fields.setdefault(name, "")
        elif attributes.get("type") == "submit":
            form.buttons.append((name, attributes.get("value", "")))
        elif attributes.get("type") in ("radio", "checkbox"):
            self._choice(name, attributes.get("value", "on"), "checked" in attributes)
        else:
            form.fields[name] = attributes.get("value", "")

    def _choice(self, name: str, value: str, chosen: bool) -> None:
        self.forms[-1].choices.setdefault(name, []).append(value)
        if chosen:
            self.forms[-1].fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data
        elif data.strip():
            self.words.append(" ".join(data.split()))


class Page:
    """A page as it was answered: status, address after redirects, words, links and forms."""

    def __init__(self, status: int, url: str, source: str) -> None:
        self.status, self.url, self.source = status, url, source
        reader = _Reader()
        reader.feed(source)
        self.text, self.links, self.forms = " ".join(reader.words), reader.links, reader.forms

    def form(self, *, action: str = "", having: str = "") -> Form:
        """Return the first form whose action contains `action` and that has a field or choice `having`."""
        for form in self.forms:
            if action in form.action and (not having or having in form.fields or having in form.choices):
                return form
        raise NotThere(f"no form {action or having} on this page")


class Visitor:
    """One browser: its own cookies, no script; it waits for an answer for `seconds`.

    Raises OSError where nobody answers.
    """

    def __init__(self, base: str, seconds: float = 60) -> None:
        self.base, self.seconds = base, seconds
        # Within one's own network the server behind a proxy is asked by http, and its cookies are marked for https.
        kept = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(kept))
        # Straight and through no proxy: what is asked is our own.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def get(self, path: str) -> Page:
        """Open an address."""
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.base, path)))

    def submit(self, page: Page, form: Form, **filled: str) -> Page:
        """Fill in a form of `page` and send it, as pressing its first button would."""
        values = {**form.fields, **filled}
        for name, value in form.buttons[:1]:
            if name:
                values.setdefault(name, value)
        url = urllib.parse.urljoin(page.url, form.action)
        body = urllib.parse.urlencode(values)
        if form.method == "get":
            return self._open(urllib.request.Request(f"{url}?{body}"))
        return self._open(urllib.request.Request(url, data=body.encode(), headers={"Referer": page.url}))

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=self.seconds) as answer:
                return Page(answer.status, answer.url, answer.read().decode("utf-8", "replace"))
        except HTTPError as refused:
            with refused:
                return Page(refused.code, refused.url, refused.read().decode("utf-8", "replace"))
