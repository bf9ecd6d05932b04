"""What stands nowhere in our code and templates, whoever writes the next line: it is read here, not run."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("config", "messaging", "intake_links", "reminders", "caseload", "interchange", "records", "portal")
DOORS = ("api", "web", "webhooks", "service")
FILES = [path for room in (*ROOMS, *DOORS) for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
TEMPLATES = [path for room in (*ROOMS, *DOORS) for path in sorted((ROOT / room).rglob("*.html"))]
SCRIPTS = [path for room in (*ROOMS, *DOORS) for path in sorted((ROOT / room).rglob("*.js"))]
# Drawn as HTML although it comes as words: a picture for an app and our own help, made by us, and a field's own marks.
SAFE = {"_write.html", "factor.html", "help.html"}
MARKUP = {"intake_links/rendering.py", "portal/pages.py", "web/caseload/registry_rows.py"}
# SQL and patterns put together: of our own names and phrases, or of what was escaped (re.escape).
SQL = {
    "config/db/sets.py", "reminders/patient_locks.py", "reminders/planned_rows.py", "service/backup/postgresql.py",
    "service/database_roles.py",
}  # fmt: skip
PATTERNS = {
    "config/devices.py", "intake_links/addresses.py", "interchange/hl7/er7.py", "interchange/polling/asking.py",
    "messaging/inbox/routing/policy_file.py", "messaging/inbox/routing/written_hours.py", "messaging/phone.py",
    "messaging/reading/folding.py", "messaging/reading/likeness/words.py", "messaging/reading/phrases.py",
    "messaging/reading/reactions.py", "messaging/reading/rulebook.py", "messaging/reading/substance_use.py",
    "messaging/wording/clinic_words.py", "messaging/wording/text_templates.py", "reminders/imports/dates.py",
    "reminders/rules/problems.py", "reminders/shredding/copies.py", "web/inbox/presence.py", "webhooks/fields.py",
}  # fmt: skip
# Whose turn it is, how long to wait, which texts a sample holds: nothing that must not be guessed.
CHANCE = {
    "messaging/delivery/turns.py", "messaging/event_webhooks/delivering.py", "messaging/second_reading/sampling.py",
    "service/cli/walk/quarter_seed.py",
}  # fmt: skip

# Where what must not be guessed is compared, and how often; what stands under a keyed hash is looked up, not compared.
TIMED = {
    "api/cursors.py": 1, "api/once.py": 1, "config/devices.py": 1, "intake_links/binding.py": 1,
    "intake_links/links.py": 1, "interchange/polling/events.py": 1, "service/backup/envelope.py": 1,
    "service/backup/key_ring.py": 1, "web/account/factors.py": 1, "web/account/sso_claims.py": 1,
    "web/account/sso_pages.py": 1, "web/account/step_up.py": 1, "webhooks/signatures.py": 2,
}  # fmt: skip


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in our code: its file, what is called, and the call."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield name(path), ast.unparse(node.func), node


CALLS = list(calls())


def constant(node: ast.AST) -> bool:
    """Whether an argument is written out, or a name for what is, and not put together."""
    return not isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call)


def test_no_template_holds_code_or_an_address_of_others() -> None:
    assert len(TEMPLATES) > 150
    code = r"<script(?![^>]*\ssrc=)|<style|\son[a-z]+\s*=|\sstyle\s*=|javascript:|<(?:iframe|object|embed|applet)\b"
    foreign = r"(?:src|href|action)=\"(?:https?:)?//"
    said = re.compile(f"{code}|{foreign}", re.I)
    plain = {name(path): re.sub(r"\{%.*?%\}", "", path.read_text("utf-8"), flags=re.S) for path in TEMPLATES}
    assert {file: said.findall(words) for file, words in plain.items() if said.search(words)} == {}


def test_templates_escape_but_for_what_we_made_ourselves() -> None:
    text = {path.name: path.read_text("utf-8") for path in TEMPLATES}
    assert {each for each, words in text.items() if re.search(r"\|\s*safe\b", words)} <= SAFE
    assert [each for each, words in text.items() if "autoescape" in words] == []
    assert {file for file, called, _ in CALLS if called.split(".")[-1] == "Markup"} <= MARKUP
    off = [(file, word) for file, _, call in CALLS for word in call.keywords if word.arg == "autoescape"]
    assert [file for file, word in off if ast.unparse(word.value) != "True"] == []


def test_no_template_is_made_from_input() -> None:
    made = {"render_template_string", "from_string", "Template", "jinja2.Template"}
    assert [file for file, called, _ in CALLS if called.split(".")[-1] in made and "string." not in called] == []


def test_sql_and_patterns_are_written_out() -> None:
    sql = {file for file, called, call in CALLS if called in ("text", "sa.text") and not constant(call.args[0])}
    assert sql <= SQL
    made = [call for call in CALLS if re.fullmatch(r"re\.(compile|search|match|fullmatch|sub|split|findall)", call[1])]
    assert len(made) > 100
    assert {file for file, _, call in made if not all(map(constant, call.args[:1]))} <= PATTERNS


def test_no_shell_is_asked_and_no_code_made() -> None:
    never = {"eval", "exec", "os.system", "os.popen", "pickle.loads", "marshal.loads", "yaml.load", "__import__"}
    assert [(file, called) for file, called, _ in CALLS if called in never] == []
    begun = [call for call in CALLS if re.search(r"\b(subprocess\.\w+|Popen)$", call[1])]
    assert len(begun) > 4
    assert [file for file, _, call in begun if any(word.arg == "shell" for word in call.keywords)] == []


def test_no_xml_is_parsed() -> None:
    imports = re.compile(r"^\s*(import|from) (xml|lxml|defusedxml|ldap3?|bs4)\b", re.M)
    assert [name(path) for path in FILES if imports.search(path.read_text("utf-8"))] == []


def test_chance_decides_nothing_that_must_not_be_guessed() -> None:
    chance = re.compile(r"^\s*(import|from) random\b", re.M)
    assert {name(path) for path in FILES if chance.search(path.read_text("utf-8"))} <= CHANCE


def test_no_machine_is_led_on_to_another_address() -> None:
    led = {file for file, called, _ in CALLS if called.split(".")[-1] == "redirect"}
    assert {file for file in led if file.startswith(("api/", "webhooks/"))} == set()


def test_scripts_leave_passwords_and_prototypes_alone() -> None:
    never = re.compile(
        r"__proto__|\.prototype\b|[\"']paste[\"']|onpaste|(window|parent|opener|top|frames)\.postMessage"
    )
    assert len(SCRIPTS) > 10
    assert [name(path) for path in SCRIPTS if never.search(path.read_text("utf-8"))] == []
    fields = [
        field for path in TEMPLATES for field in re.findall(r"<input[^>]*password[^>]*>", path.read_text("utf-8"))
    ]
    assert len(fields) > 3
    assert [field for field in fields if 'name="secret"' not in field and 'autocomplete="off"' in field] == []


def test_scripts_keep_places_and_choices_in_a_browser_and_no_words() -> None:
    kept = {key for path in SCRIPTS for key in re.findall(r"[sS]torage\.setItem\(([^,]*),", path.read_text("utf-8"))}
    assert kept == {'"row"', '"place"', '"wt_alerted"', '"wt_heard"', '"wt_sound"', '"wt_tell"'}
    bare = re.compile(r"(local|session)Storage\.(?!setItem|getItem|removeItem)|Storage\[|indexedDB|caches\.")
    assert [name(path) for path in SCRIPTS if bare.search(path.read_text("utf-8"))] == []


def test_signatures_and_digests_are_compared_in_constant_time() -> None:
    timed = Counter(file for file, called, _ in CALLS if called.split(".")[-1] == "compare_digest")
    assert timed == TIMED
    for file in ("webhooks/signatures.py", "webhooks/senders.py"):
        nodes = ast.walk(ast.parse((ROOT / file).read_text("utf-8")))
        compared = [ast.unparse(node) for node in nodes if isinstance(node, ast.Compare)]
        assert [
            each for each in compared if re.search(r"(==|!=| in ).*(signature|presented|expected|candidate)", each)
        ] == []


def test_what_is_left_open_fails_a_test() -> None:
    with pytest.raises(ResourceWarning):
        warnings.warn("left open", ResourceWarning, stacklevel=1)
