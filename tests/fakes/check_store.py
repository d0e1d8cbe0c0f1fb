"""The object store: signed URLs, exactly the given headers, known lengths, digests, ranges."""
import base64

from cases import equal
from wandb_client import manifest_of, md5, send
from wandb_refused import refused

FILE = {"f": b"content"}


def offered(c, **more):
    return c.offers(c.start("set", FILE), FILE, **more)[0]


def headers_of(offer):
    return dict(header.split(":", 1) for header in offer["uploadHeaders"])


def exactly_these_headers(c):
    given, url = a_put_has_its_headers(c)
    refused(c, "header", send(url, "PUT", FILE["f"], {**given, "x-more": "1"}), 403)


def a_put_has_its_headers(c):
    """Those that were given with the URL, which are returned with it."""
    offer = offered(c, mimetype="text/plain")
    given, url = headers_of(offer), offer["uploadUrl"]
    equal({"Content-MD5", "x-amz-meta-md5", "Content-Type"}, set(given), "the headers that are given")
    for name in given:
        lacking = {other: value for other, value in given.items() if other != name}
        refused(c, "signature", send(url, "PUT", FILE["f"], lacking), 403)
        refused(c, "signature", send(url, "PUT", FILE["f"], {**given, name: given[name] + "x"}), 403)
    refused(c, "credentials", send(url, "PUT", FILE["f"], {**given, "Authorization": c.headers["Authorization"]}), 400)
    refused(c, "signature", send(url + "x", "PUT", FILE["f"], given), 403)
    refused(c, "signature", send(url, "GET", headers={**given, "Content-Length": None}), 403)
    refused(c, "length", send(url, "PUT", b"", {**given, "Content-Length": None}), 411)
    chunked = {**given, "Content-Length": None, "Transfer-Encoding": "chunked"}
    refused(c, "length", send(url, "PUT", b"7\r\ncontent\r\n0\r\n\r\n", chunked), 501)
    equal(True, send(url, "PUT", FILE["f"], given).status in (200, 201, 204), "a right PUT")
    return given, url


def no_header_but_the_given(c):
    offer = offered(c)
    refused(c, "signature", send(offer["uploadUrl"], "PUT", FILE["f"], {**headers_of(offer), "Content-Type": "a/b"}), 403)


def a_wrong_digest_is_refused(c):
    offer = offered(c)
    refused(c, "digest", c.put(offer, b"comtent"), 400)
    equal(200, c.put(offer, FILE["f"]).status, "the right bytes")


def a_wrong_digest_is_found_at_commit(c):
    """nginx takes what comes."""
    artifact = c.start("set", FILE)
    offer = c.offers(artifact, FILE)[0]
    equal(201, c.put(offer, b"comtent").status, "the wrong bytes")
    refused(c, "digest", c.finish(artifact, manifest_of(c.entries(FILE, {"f": artifact}))))


def an_expired_url_is_no_fault(c):
    c.fake.misbehave({"at": "objects", "do": "expired", "method": "PUT"})
    artifact = c.start("set", FILE)
    equal(403, c.put(c.offers(artifact, FILE)[0], FILE["f"]).status, "an expired URL")
    equal([], c.fake.errors(), "the list of errors")
    equal(True, c.put(c.offers(artifact, FILE)[0], FILE["f"]).status in (200, 201, 204), "a new URL")


def a_range_is_given(c):
    c.log("set", FILE)
    found = c.get("query F($id: String!) { project(name: $id) { artifact(name: \"set:v0\") { files { edges { node {"
                  " directUrl } } } } } }", id=c.project)
    url = found["project"]["artifact"]["files"]["edges"][0]["node"]["directUrl"]
    part = send(url, "GET", headers={"Range": "bytes=2-4", "Content-Length": None})
    equal((206, b"nte", "bytes 2-4/7"), (part.status, part.body, part.headers["Content-Range"]), "the range")
    whole = send(url, "GET", headers={"Content-Length": None})
    equal((200, b"content"), (whole.status, whole.body), "the whole")


def the_etag_is_of_the_store(c):
    tag = c.put(offered(c), FILE["f"]).headers["ETag"]
    equal(f'"{md5(FILE["f"])}"', tag, "the ETag")
    equal(16, len(base64.b64decode(tag.strip('"'))), "its length")


CASES = [
    ("a PUT has exactly the headers that were given, and a length", exactly_these_headers),
    ("a header that was not given is refused", no_header_but_the_given),
    ("a PUT of other bytes is refused", a_wrong_digest_is_refused),
    ("an expired URL is no fault of the client", an_expired_url_is_no_fault),
    ("a range is given", a_range_is_given),
    ("the ETag is the store's own", the_etag_is_of_the_store),
]
IN_NGINX = [
    ("a PUT has exactly the headers that were given, and a length", a_put_has_its_headers),
    ("other bytes are found at commit", a_wrong_digest_is_found_at_commit),
    ("an expired URL is no fault of the client", an_expired_url_is_no_fault),
    ("a range is given", a_range_is_given),
    ("the ETag is the store's own", the_etag_is_of_the_store),
]
