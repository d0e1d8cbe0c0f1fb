"""Signed URLs of the object store.

A URL names a key and holds until when and for which method and headers it is good:
    /objects/KEY?expires=UNIX-TIME&md5=SIGNATURE
The signature is an MD5 over these and a secret in the form that nginx's secure_link
computes too, so either store can check it without asking the other. A header that is
sent but not signed, or signed but not sent, does not verify.
"""
import base64
import hashlib
import time
from urllib.parse import quote

SIGNED = ("content-md5", "content-type", "x-amz-meta-md5")
PREFIX = "/objects/"
LIFETIME_S = 3600


def signature(secret, expires, method, path, headers):
    values = "|".join(headers.get(name, "") for name in SIGNED)
    text = f"{expires}|{method}|{path}|{values}|{secret}"
    return base64.urlsafe_b64encode(hashlib.md5(text.encode()).digest()).decode().rstrip("=")


class Signer:
    def __init__(self, secret, base):
        self.secret, self.base = secret, base
        self.lifetime_s = LIFETIME_S

    def url(self, method, key, headers=(), expired=False):
        """A URL for one method; `headers` is the list of "Name:Value" that is given with it."""
        expires = int(time.time()) + (-60 if expired else self.lifetime_s)
        pairs = {name.lower(): value for name, _, value in (h.partition(":") for h in headers)}
        md5 = signature(self.secret, expires, method, PREFIX + key, pairs)
        return f"{self.base}{PREFIX}{quote(key)}?expires={expires}&md5={md5}"

    def verify(self, method, path, expires, md5, headers):
        """None, or what is wrong: "expired" or "signature"."""
        if md5 != signature(self.secret, expires, method, path, headers):
            return "signature"
        return "expired" if not expires.isdigit() or int(expires) < time.time() else None
