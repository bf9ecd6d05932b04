"""Says what a file is by its first bytes; what a phone called it is never believed. Pure."""

from typing import NamedTuple

# Bytes: what a text or a note may carry.
LARGEST = 5 * 1024 * 1024


class Kind(NamedTuple):
    """A type of file: its media type, the ending of its name, and whether a page may show it as a picture."""

    type: str
    ending: str
    picture: bool = False


# Whatever is not known for sure is bytes to download: HTML, SVG and scripts among them.
UNKNOWN = Kind("application/octet-stream", "bin")
_STARTS = (
    (b"\xff\xd8\xff", Kind("image/jpeg", "jpg", True)),
    (b"\x89PNG\r\n\x1a\n", Kind("image/png", "png", True)),
    (b"GIF87a", Kind("image/gif", "gif", True)),
    (b"GIF89a", Kind("image/gif", "gif", True)),
    (b"%PDF-", Kind("application/pdf", "pdf")),
    (b"OggS", Kind("audio/ogg", "ogg")),
    (b"ID3", Kind("audio/mpeg", "mp3")),
    (b"#!AMR", Kind("audio/amr", "amr")),
    (b"\x1aE\xdf\xa3", Kind("video/webm", "webm")),
    (b"BEGIN:VCARD", Kind("text/vcard", "vcf")),
)
_RIFF = {b"WEBP": Kind("image/webp", "webp", True), b"WAVE": Kind("audio/wav", "wav")}
# ISO base media files say their brand behind "ftyp".
_BRANDS = {
    b"M4A ": Kind("audio/mp4", "m4a"),
    b"heic": Kind("image/heic", "heic"),
    b"mif1": Kind("image/heic", "heic"),
}
_MOVIE = Kind("video/mp4", "mp4")
_3GP = Kind("video/3gpp", "3gp")
KINDS = {
    kind.type: kind
    for kind in (*(kind for _, kind in _STARTS), *_RIFF.values(), *_BRANDS.values(), _MOVIE, _3GP, UNKNOWN)
}


def kind_of(content: bytes) -> Kind:
    """Return what `content` is, UNKNOWN unless its first bytes say so."""
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    if content.startswith(b"RIFF"):
        return _RIFF.get(content[8:12], UNKNOWN)
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return _BRANDS.get(brand, _3GP if brand.startswith(b"3g") else _MOVIE)
    return UNKNOWN


def kind_named(media_type: str | None) -> Kind:
    """Return the kind that was found out before, by the media type it was kept with."""
    return KINDS.get(media_type or "", UNKNOWN)
