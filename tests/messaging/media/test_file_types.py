"""A file is what its first bytes say, and nothing that could run is ever taken for a picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.media import file_types

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("content", "type"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (PNG, "image/png"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftyp3gp5", "video/3gpp"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"", "application/octet-stream"),
    ],
)
def test_first_bytes_say_what_it_is(content: bytes, type: str) -> None:
    kind = file_types.kind_of(content)
    assert kind.type == type
    assert file_types.kind_named(type) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"\xef\xbb\xbf<html>",
        b"<?xml version='1.0'?><svg/>",
        b"%!PS-Adobe",
        b"MZ\x90\0",
    ],
)
def test_what_could_run_is_only_bytes(content: bytes) -> None:
    assert file_types.kind_of(content) == file_types.UNKNOWN


@given(st.binary(max_size=40))
def test_only_four_kinds_are_ever_shown(content: bytes) -> None:
    kind = file_types.kind_of(content)
    assert not kind.picture or kind.type in {"image/jpeg", "image/png", "image/gif", "image/webp"}
