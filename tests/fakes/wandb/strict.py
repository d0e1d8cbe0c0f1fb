"""What was refused, what was merely odd, and the rules that more than one operation has.

`errors` are requests that a right client never sends: a test asserts that there are none.
`warnings` are habits of W&B's own client that are taken but that ours must not have.
Both hold {"kind", "at", "text"}.
"""
import base64
import binascii
import json
import re


class Record:
    def __init__(self):
        self.errors, self.warnings, self.requests = [], [], []

    def error(self, kind, at, text):
        self.errors.append({"kind": kind, "at": at, "text": text})

    def warn(self, kind, at, text):
        note = {"kind": kind, "at": at, "text": text}
        if note not in self.warnings:
            self.warnings.append(note)


def md5_from_base64(text):
    """The 16 bytes of a base64 MD5, or None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == 16 and base64.b64encode(raw).decode() == text else None


def is_hex_md5(text):
    return re.fullmatch("[0-9a-f]{32}", text) is not None


def is_path(text):
    """A relative POSIX path, in the one form that an entry may have."""
    parts = text.split("/")
    return bool(text) and not any(part in ("", ".", "..") for part in parts) and "\0" not in text


def is_object(text):
    """Is this the JSON of an object?"""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def no_constant(word):
    raise ValueError(f"{word} is no JSON")


def is_strict_object(text):
    """The same, without NaN and infinities."""
    try:
        return isinstance(json.loads(text, parse_constant=no_constant), dict)
    except ValueError:
        return False


def base64_of_hex(text):
    return base64.b64encode(bytes.fromhex(text)).decode()
