"""The file a backup is: what was put in comes out, and nothing that was changed, cut off or put together does."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.backup import envelope

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
HEAD = envelope.Head(datetime(2026, 7, 1, 3, 0, tzinfo=UTC), "sqlite", "0055", "0.1.0", "b1", {"k1": "ab"})


def sealed(content: bytes, monkeypatch: pytest.MonkeyPatch | None = None) -> bytes:
    out = io.BytesIO()
    assert envelope.write(out, HEAD, KEY, [content[at : at + 7] for at in range(0, len(content), 7)]) == len(content)
    return out.getvalue()


def opened(file: bytes, key: bytes | None = KEY) -> bytes:
    head, content = envelope.read(io.BytesIO(file), lambda name: key if name == "b1" else None)
    assert head == HEAD
    return b"".join(content)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "CHUNK", 16)


@given(st.binary(max_size=80))
def test_what_was_put_in_comes_out(content):
    assert opened(sealed(content)) == content


def test_no_byte_can_be_changed_without_being_noticed():
    file = sealed(b"I drink every night, and nobody knows it.")
    for place in range(len(file)):
        changed = bytearray(file)
        changed[place] ^= 1
        with pytest.raises((envelope.BadBackup, AssertionError)):
            opened(bytes(changed))


def test_it_cannot_be_cut_off_or_added_to_anywhere():
    file = sealed(bytes(64))
    for length in range(len(file)):
        with pytest.raises(envelope.BadBackup):
            opened(file[:length])
    with pytest.raises(envelope.BadBackup, match="cut off or altered"):
        opened(file + b"x")


def test_chunks_cannot_be_exchanged():
    file, chunk = sealed(bytes(64)), 16 + envelope.TAG
    begin = len(file) - 4 * chunk
    first, second = file[begin : begin + chunk], file[begin + chunk : begin + 2 * chunk]
    with pytest.raises(envelope.BadBackup):
        opened(file[:begin] + second + first + file[begin + 2 * chunk :])


def test_two_files_of_the_same_have_nothing_in_common():
    one, two = sealed(bytes(64)), sealed(bytes(64))
    begin = len(one) - 4 * (16 + envelope.TAG)
    assert not {one[at : at + 16] for at in range(begin, len(one), 16)} & {
        two[at : at + 16] for at in range(begin, len(two), 16)
    }


def test_another_key_of_the_same_name_and_a_missing_one_are_told_apart():
    with pytest.raises(envelope.BadBackup, match="holds another key named b1"):
        opened(sealed(b"x"), OTHER)
    with pytest.raises(envelope.BadBackup, match="is not in WARMTHREAD_BACKUP_KEYS"):
        opened(sealed(b"x"), None)


@pytest.mark.parametrize("file", [b"", b"SQLite format 3\0", envelope.MAGIC + b"\xff\xff\xff\xff"])
def test_what_is_no_backup_is_said(file):
    with pytest.raises(envelope.BadBackup):
        envelope.head_of(io.BytesIO(file))
