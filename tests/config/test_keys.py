"""Keys and sealing: what is bound to one place opens nowhere else."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import keys
from config.settings import Settings
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
WORDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=4).map(tuple)


def line(name: str, key: bytes | None = None) -> str:
    return f"{name}:{base64.b64encode(key or os.urandom(32)).decode()}"


@given(plain=st.binary(max_size=300), bound=WORDS)
def test_what_is_sealed_opens_where_it_belongs(plain: bytes, bound: tuple[str, ...]):
    assert keys.unseal(KEY, keys.seal(KEY, plain, *bound), *bound) == plain


@given(bound=WORDS, elsewhere=WORDS)
def test_a_sealed_value_moved_elsewhere_does_not_open(bound: tuple[str, ...], elsewhere: tuple[str, ...]):
    sealed = keys.seal(KEY, b"words", *bound)
    if bound != elsewhere:
        with pytest.raises(keys.WrongKey):
            keys.unseal(KEY, sealed, *elsewhere)


def test_where_one_name_ends_and_the_next_begins_matters():
    with pytest.raises(keys.WrongKey):
        keys.unseal(KEY, keys.seal(KEY, b"words", "t1", "message"), "t1message", "")


@given(position=st.integers(0, 32), flip=st.integers(1, 255))
def test_one_altered_byte_is_noticed(position: int, flip: int):
    sealed = bytearray(keys.seal(KEY, b"four", "patient"))
    assert len(sealed) == 33
    sealed[position] ^= flip
    with pytest.raises(keys.WrongKey):
        keys.unseal(KEY, bytes(sealed), "patient")


@pytest.mark.parametrize("length", [0, 1, 12, 28])
def test_a_value_too_short_to_be_sealed_is_a_wrong_key_and_nothing_worse(length: int):
    with pytest.raises(keys.WrongKey):
        keys.unseal(KEY, keys.seal(KEY, b"", "x")[:length], "x")


def test_the_same_words_are_sealed_differently_each_time():
    assert len({keys.seal(KEY, b"words", "x") for _ in range(1000)}) == 1000


def test_the_newest_master_key_seals_and_every_one_opens():
    old = keys.parse_ring(line("k1", KEY))
    master_id, wrapped = old.wrap(b"k" * 32, "data_key")
    both = keys.parse_ring(f"{line('k2')},{line('k1', KEY)}")
    assert both.newest == "k2"
    assert both.unwrap(master_id, wrapped, "data_key") == b"k" * 32
    with pytest.raises(keys.WrongKey, match="k1 is not in the ring"):
        keys.parse_ring(line("k2")).unwrap(master_id, wrapped, "data_key")


def test_a_new_master_key_in_front_leaves_the_house_secrets_alone():
    old = keys.parse_ring(line("k1", KEY))
    both = keys.parse_ring(f"{line('k2')},{line('k1', KEY)}")
    assert old.secret("tokens") == both.secret("tokens")
    assert old.secret("tokens") != old.secret("cookies")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no key"),
        (" , \n", "there is no key"),
        ("k1:not base64!", "k1 is not base64"),
        ("k1:" + base64.b64encode(b"short").decode(), "k1 must be 32 random bytes"),
        ("k1:" + base64.b64encode(b"a" * 32).decode(), "k1 must be 32 random bytes"),
        (line("", KEY), "must be 32 random bytes"),
        (f"{line('k1', KEY)},{line('k1', KEY)}", "k1 stands there twice"),
    ],
)
def test_a_bad_ring_is_refused_by_name(text: str, message: str):
    with pytest.raises(keys.BadMasterKeys, match=message):
        keys.parse_ring(text)


def test_a_refusal_does_not_repeat_the_key():
    wrong = base64.b64encode(b"x" * 31).decode()
    with pytest.raises(keys.BadMasterKeys) as refused:
        keys.parse_ring("k1:" + wrong)
    assert wrong not in str(refused.value)


def test_a_ring_may_stand_on_lines_of_its_own():
    assert keys.parse_ring(f"{line('k2')}\n{line('k1')}\n").ids() == ["k2", "k1"]


def test_the_same_value_has_the_same_index_only_in_the_same_clinic_and_kind():
    number = "+13035550142"

    def index_in(clinic_key: bytes, kind: str) -> bytes:
        return keys.blind_index(keys.index_key(clinic_key, kind), number)

    index = index_in(KEY, "number")
    assert len(index) == 16
    assert index == index_in(KEY, "number")
    assert index != index_in(bytes(reversed(KEY)), "number")
    assert index != index_in(KEY, "record")


def test_an_index_is_found_again_by_whoever_restores_the_database():
    # What stands in the databases of clinics: another way to work it out would lose every patient by number.
    of_kind = keys.index_key(bytes(range(32)), "number")
    assert keys.blind_index(of_kind, "+13035550142").hex() == "5829afbf2409bd86b91ca06f69f576ee"


def test_tokens_are_random_and_fit_into_a_url(house: Settings):
    tokens = {keys.new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(token) == 22 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
    assert len({keys.token_hash(token) for token in tokens}) == 1000


def test_any_text_at_all_has_a_token_hash(house: Settings):
    assert keys.token_hash("\ud800\x00") != keys.token_hash("")


def test_our_own_key_file_is_ours_alone_and_stays(house: Settings):
    ring = keys.ring()
    file = house.data_dir / "master.keys"
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.parse_ring(file.read_text()).secret("tokens") == ring.secret("tokens")


def test_a_key_file_that_others_can_read_is_refused(house: Settings):
    house.data_dir.mkdir(exist_ok=True)
    file = house.data_dir / "master.keys"
    file.write_text(line("k1"))
    file.chmod(0o640)
    with pytest.raises(keys.BadMasterKeys, match="0600"):
        keys.ring()


FIRST_START = """
import sys, time
from pathlib import Path
from config import keys
Path(sys.argv[1], "ready").with_suffix(sys.argv[2]).touch()
while not Path(sys.argv[1], "go").exists():
    time.sleep(0.001)
print(keys.parse_ring(keys._own_file(Path(sys.argv[1], "data", "master.keys"))).secret("x").hex())
"""


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path):
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST_START, str(tmp_path), f".{number}"], cwd=ROOT, stdout=subprocess.PIPE
        )
        for number in range(3)
    ]
    until(lambda: len(list(tmp_path.glob("ready.*"))) == len(starting), "three processes")
    (tmp_path / "go").touch()
    printed = [process.communicate(timeout=PATIENCE)[0].strip() for process in starting]
    assert [process.returncode for process in starting] == [0] * len(starting)
    assert len(set(printed)) == 1


def test_what_was_sealed_derived_and_indexed_by_an_earlier_version_is_opened_and_found_by_this_one():
    # Written once and never anew: another form of what is bound, or another derivation, would close every database.
    sealed = bytes.fromhex("01a5c398b5d3c49aa3456944486553a1329b0fb8a3426da90263d204cf05e3526e")
    assert keys.unseal(KEY, sealed, "patient", "first_name", "0192", "Alder") == b"Maya"
    assert keys.derive(KEY, "tokens").hex() == "5447b100a0674b4d751a3bd6aa64bd8de08483bb47114e7d22dd9dc5f87bb14d"
    assert keys.blind_index(keys.index_key(KEY, "number"), "+13035550144").hex() == "29dce27cb16b1fcd000b931e9bb70415"


def test_a_key_of_too_few_different_bytes_is_refused():
    for different, taken in ((7, False), (8, True)):
        key = bytes(number % different for number in range(32))
        if taken:
            assert keys.parse_ring(line("k1", key)).key("k1") == key
        else:
            with pytest.raises(keys.BadMasterKeys, match="random"):
                keys.parse_ring(line("k1", key))
    with pytest.raises(keys.BadMasterKeys, match="random"):
        keys.parse_ring(line(""))


def test_the_secret_of_a_purpose_is_among_those_it_was_or_may_be():
    ring = keys.parse_ring(f"{line('new')},{line('old')}")
    assert ring.secret("tokens") in ring.secrets("tokens")
    assert len(set(ring.secrets("tokens"))) == 2
