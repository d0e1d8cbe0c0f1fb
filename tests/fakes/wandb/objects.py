"""The object store: bytes on disk under keys, taken and given only through signed URLs.

It is a listener of its own, so that its origin is not the server's: credentials sent here
are an error. A PUT has a known length, exactly the signed headers, and the content that
its Content-MD5 says. Its answer has an ETag that is not the MD5 in any usual form: who
completes a multipart upload has to send back what came. nginx.py serves the same folder
by the same rules, but for the digest, which is then checked at commit.
"""
import base64
import hashlib
import os
import re
import shutil
import uuid
from urllib.parse import parse_qs, unquote, urlsplit

import signing
from state import Refusal

#  What an HTTP client sends of its own accord; anything else must have been signed.
TRANSPORT = {"host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "range",
             "if-range", *signing.SIGNED}
#  Sent by the SDK's public API when it fetches a file of a run.
HABITS = {"use-admin-privileges"}
SLAB = 1 << 20


def etag_of(md5):
    """ETag of an object; nginx says the same."""
    return f'"{md5}"'


class Objects:
    def __init__(self, folder, signer):
        self.folder, self.signer = folder, signer
        self.known = {}                           # path, size, time → MD5
        os.makedirs(folder, exist_ok=True)

    def path(self, key):
        return os.path.join(self.folder, key)

    def exists(self, key):
        return key is not None and os.path.isfile(self.path(key))

    def size(self, key):
        return os.path.getsize(self.path(key))

    def read(self, key):
        with open(self.path(key), "rb") as file:
            return file.read()

    def md5(self, key):
        """Base64 MD5 of what is there, computed once for each content."""
        mark = self.mark(key)
        if mark not in self.known:
            digest = hashlib.md5()
            with open(self.path(key), "rb") as file:
                while slab := file.read(SLAB):
                    digest.update(slab)
            self.known[mark] = base64.b64encode(digest.digest()).decode()
        return self.known[mark]

    def mark(self, key):
        stat = os.stat(self.path(key))
        return key, stat.st_ino, stat.st_size, stat.st_mtime_ns

    def join(self, key, part_keys):
        """Makes one object of its parts, which go."""
        os.makedirs(os.path.dirname(self.path(key)), exist_ok=True)
        with open(self.path(key) + ".joined", "wb") as whole:
            for part in part_keys:
                with open(self.path(part), "rb") as file:
                    shutil.copyfileobj(file, whole, SLAB)
        os.rename(self.path(key) + ".joined", self.path(key))
        for part in part_keys:
            os.remove(self.path(part))

    def put(self, request):
        """Takes the body of a signed PUT; returns its ETag."""
        key, headers = self.check(request, "PUT")
        if "content-length" not in headers:
            raise Refusal("length", "a PUT needs a Content-Length", 411)
        draft = self.path(f"drafts/{uuid.uuid4().hex}")
        os.makedirs(os.path.dirname(draft), exist_ok=True)
        digest = hashlib.md5()
        with open(draft, "wb") as file:
            for slab in request.body_slabs():
                digest.update(slab)
                file.write(slab)
        md5 = base64.b64encode(digest.digest()).decode()
        if headers.get("content-md5", md5) != md5:
            os.remove(draft)
            raise Refusal("digest", f"BadDigest: {key} has the MD5 {md5}", 400)
        os.makedirs(os.path.dirname(self.path(key)), exist_ok=True)
        os.rename(draft, self.path(key))
        self.known[self.mark(key)] = md5
        return etag_of(md5)

    def get(self, request):
        """(path, first byte, last byte, size) of what a signed GET asks for."""
        key, headers = self.check(request, "GET")
        if not self.exists(key):
            raise Refusal("missing", f"NoSuchKey: {key}", 404)
        size = self.size(key)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if not wanted:
            return self.path(key), 0, size - 1, size
        first, last = int(wanted[1]), int(wanted[2] or size - 1)
        if first >= size:
            raise Refusal("range", f"{headers['range']} of {size} bytes", 416)
        return self.path(key), first, min(last, size - 1), size

    def check(self, request, method):
        """The key of a request whose URL and headers are right, and the headers in lower case."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        for name in ("authorization", "cookie", "proxy-authorization"):
            if name in headers and request.foreign:
                raise Refusal("credentials", f"{name} was sent to the object store", 400)
        if "transfer-encoding" in headers:
            raise Refusal("length", "NotImplemented: Transfer-Encoding", 501)
        if "expect" in headers:
            raise Refusal("header", "Expect was sent", 417)
        if extra := set(headers) - TRANSPORT - {"authorization"} - (HABITS if method == "GET" else set()):
            raise Refusal("header", f"not among the headers that were given: {', '.join(sorted(extra))}", 403)
        url = urlsplit(request.path)
        query, path = parse_qs(url.query), unquote(url.path)
        bad = self.signer.verify(method, path, query.get("expires", [""])[0], query.get("md5", [""])[0], headers)
        if bad:
            raise Refusal(bad, f"{bad}: {method} {url.path} with {dict(headers)}", 403)
        return path[len(signing.PREFIX):], headers
