"""Every file of ours that imports cryptography stands in the list of its uses, and what is said of lengths is so."""

import re
from pathlib import Path

from argon2 import PasswordHasher

from config import keys
from web.account import factors, passwords, sso_claims

ROOT = Path(__file__).parents[2]
ROOMS = (
    "config", "messaging", "intake_links", "reminders", "caseload", "interchange", "records", "webhooks", "portal",
    "web", "api", "service",
)  # fmt: skip
IMPORT = re.compile(
    r"^\s*(?:import|from) (?:cryptography|hmac|hashlib|secrets|argon2|jwt|joserfc|authlib|pyotp|webauthn)\b",
    re.MULTILINE,
)
WEAK = re.compile(r"\bmd5\b|\bsha1\b|\bECB\b|\brandom\.(?:random|choice|randint|randbytes)\(", re.IGNORECASE)


def page() -> str:
    return (ROOT / "docs/cryptography.md").read_text(encoding="utf-8")


def importing() -> set[str]:
    """Our files that import something for it."""
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return {f"{file.relative_to(ROOT)}" for file in files if IMPORT.search(file.read_text(encoding="utf-8"))}


def test_the_list_of_uses_names_each_file_and_no_other() -> None:
    listed = set(re.findall(r"`([\w/]+\.py)`", page().partition("## The way")[0]))
    assert len(listed) > 30
    assert listed == importing()


def test_sha_1_is_used_for_the_carrier_and_a_list_of_breached_passwords_and_no_weaker_thing_anywhere() -> None:
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in importing()}
    assert {name for name, text in files.items() if WEAK.search(text)} == {
        "webhooks/signatures.py",
        "web/account/breached_passwords.py",
    }


def test_lengths_and_parameters_are_what_the_list_says(shipped_passwords: None) -> None:
    text = page()
    assert keys.KEY_BYTES * 8 == 256
    assert len(keys.blind_index(keys.new_key(), "x")) * 8 == 128
    assert len(keys.seal(keys.new_key(), b"")) == len(keys.VERSION) + 12 + 16
    hasher: PasswordHasher = passwords._HASHER
    memory, passes, lanes = hasher.memory_cost // 1024, hasher.time_cost, hasher.parallelism
    assert f"argon2id: {memory} MiB, {passes} passes, {lanes} lanes" in text
    assert f"hash {hasher.hash_len * 8} bits, salt {hasher.salt_len * 8}" in text
    assert factors.CODES == 10
    assert len(factors.LETTERS) ** (factors.GROUPS * factors.GROUP) == 2**80
    assert {name[:2] for name in sso_claims.ALGORITHMS} == {"RS", "PS", "ES"}
