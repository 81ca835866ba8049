"""Which characters a column's character set holds, and how many bytes a text takes in it."""

# MariaDB's name of a character set, and Python's; its latin1 is Windows' 1252.
_CODECS = {
    "latin1": "cp1252",
    "latin2": "iso8859_2",
    "latin5": "iso8859_9",
    "latin7": "iso8859_13",
    "greek": "iso8859_7",
    "hebrew": "iso8859_8",
    "koi8r": "koi8_r",
    "ascii": "ascii",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "sjis": "shift_jis",
    "gbk": "gbk",
    "big5": "big5",
}
# What Windows' 1252 leaves open, MariaDB takes as it is.
_OPEN = dict.fromkeys(map(ord, "\x81\x8d\x8f\x90\x9d"), "?")
_OF_THREE_BYTES = frozenset({"utf8", "utf8mb3", "ucs2"})
_LAST_OF_THREE_BYTES = "\uffff"


def stranger_to(charset: str | None, text: str) -> str | None:
    """The first character of a text that the set does not hold, None where it holds all."""
    if charset is None or text.isascii():
        return None
    if charset in _OF_THREE_BYTES:
        return next((one for one in text if one > _LAST_OF_THREE_BYTES), None)
    codec = _CODECS.get(charset)
    if codec is None:
        return None
    try:
        text.translate(_OPEN).encode(codec)
    except UnicodeEncodeError as error:
        return text[error.start]
    return None


def bytes_of(charset: str | None, text: str) -> int:
    """How long a text is that the set holds, in bytes."""
    codec = _CODECS.get(charset or "")
    return len(text.translate(_OPEN).encode(codec) if codec else text.encode())
