#!/usr/bin/env python3
"""A server that does with each request what its url says.

    scripted.py [--tls]

Prints "PORT OTHER TLS CERTIFICATE" (two of http, one of https with a certificate of its own
making; TLS is 0 without --tls or openssl), and ends when its input does. The target of a request
is /NAME?do=STEP,STEP...: the first request for it gets the first step, and so on; the last one stays.

    200, 404, ...       that status, with an account of the request
    after:S             429 with Retry-After: S; date:S the same as a date S seconds ahead
    pause:S             200 after S seconds
    reset               half of the body is read, then the connection is reset
    drop                the whole body is read, then the connection is closed
    early               403 before the body is read
    cut                 200, but the answer ends in its middle
    stall               neither the body is read nor anything answered
    to:URL              302 to there ("%s" for this server, "%o" for the other port)
    round               302 to itself
    huge:N              200 and N bytes
    endless:STATUS      that status, and an answer that never ends
    timeout             S3's 400 RequestTimeout
    told                200 with ETag and RateLimit headers

An account has the request's line and headers, and "body SIZE CRC32". GET /_seen has a line for each
request that came, and "connections N". A request that is chunked, expects 100, or has a header that
nobody would have signed gets a 400 and a line "wrong".
"""
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zlib
from email.utils import formatdate

SIGNED = {"host", "user-agent", "accept", "content-length", "authorization"}
lock = threading.Lock()
counts, seen, ports = {}, [], {}
connections = 0


class Gone(Exception):
    pass


class Exchange:
    """One request on a connection."""

    def __init__(self, sock, file):
        self.sock, self.file = sock, file
        self.line = file.readline().decode().strip()
        if not self.line:
            raise Gone
        self.headers = []
        while (line := file.readline().decode().strip()):
            self.headers.append(line)
        self.fields = {k.lower(): v.strip() for k, _, v in (h.partition(":") for h in self.headers)}
        self.target = self.line.split(" ")[1]

    def wrong(self):
        other = [k for k in self.fields if k not in SIGNED and not k.startswith("x-")
                 and (k, self.fields[k]) != ("content-type", "application/json")]
        if self.line.startswith(("PUT", "POST")) and "content-length" not in self.fields:
            other.append("no content-length")
        return other

    def body(self, size=None):
        self.size = int(self.fields.get("content-length", 0))
        data = self.file.read(self.size if size is None else size)
        return data

    def account(self):
        data = self.body()
        return "\n".join([self.line, *self.headers, f"body {len(data)} {zlib.crc32(data):08x}", ""]).encode()

    def answer(self, status, data=b"", headers=(), claim=None):
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(data) if claim is None else claim}", *headers, "", ""]
        self.sock.sendall("\r\n".join(lines).encode() + data)

    # ---- steps

    def after(self, seconds):
        self.answer(429, self.account(), [f"Retry-After: {seconds}"])

    def date(self, seconds):
        self.answer(503, self.account(), ["Retry-After: " + formatdate(time.time() + float(seconds), usegmt=True)])

    def pause(self, seconds):
        account = self.account()
        time.sleep(float(seconds))
        self.answer(200, account)

    def reset(self, _):
        self.body(int(self.fields.get("content-length", 0)) // 2)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def drop(self, _):
        self.body()
        raise Gone

    def early(self, _):
        self.answer(403)
        while self.sock.recv(65536):    # as a server does that wants its answer to be read
            pass
        raise Gone

    def cut(self, _):
        self.answer(200, self.account(), claim=100000)
        raise Gone

    def stall(self, _):
        while not closed(self.sock):
            time.sleep(0.01)
        raise Gone

    def to(self, url):
        self.account()
        url = url.replace("%s", f"http://127.0.0.1:{ports['here']}").replace("%o", f"http://127.0.0.1:{ports['other']}")
        self.answer(302, b"elsewhere", [f"Location: {url}"])

    def round(self, _):
        self.to(self.target)

    def huge(self, size):
        self.account()
        self.answer(200, b"x" * int(size))

    def endless(self, status):
        self.account()
        self.answer(int(status), claim=1 << 60)
        while True:
            self.sock.sendall(b"x" * 4096)

    def timeout(self, _):
        self.account()
        self.answer(400, b"<Error><Code>RequestTimeout</Code></Error>")

    def told(self, _):
        self.answer(200, self.account(), ['ETag: "an etag"', "RateLimit-Remaining: 7.5", "RateLimit-Reset: 3"])

    # ---- what is done

    def step(self):
        query = urllib.parse.urlsplit(self.target).query
        steps = dict(p.partition("=")[::2] for p in query.split("&")).get("do", "200").split(",")
        with lock:
            n = counts[self.target] = counts.get(self.target, 0) + 1
        return urllib.parse.unquote(steps[min(n, len(steps)) - 1])

    def serve(self):
        if self.target == "/_seen":
            with lock:
                return self.answer(200, "\n".join([*seen, f"connections {connections}", ""]).encode())
        wrong = self.wrong()
        with lock:
            seen.append(self.line + (f" wrong {wrong}" if wrong else ""))
        if wrong:
            self.answer(400, self.account())
            raise Gone
        name, _, argument = self.step().partition(":")
        if name.isdigit():
            return self.answer(int(name), self.account())
        return getattr(self, name)(argument)


def closed(sock):
    """Whether the client has gone; what it sent else is left where it is."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return info[0] != 1         # TCP_ESTABLISHED


def talk(sock, context):
    global connections
    with lock:
        connections += 1
    try:
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, sock.makefile("rb") as file:
            while True:
                Exchange(sock, file).serve()
    except (Gone, OSError, ValueError, IndexError):
        sock.close()


def listen(context=None):
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=talk, args=(sock, context), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def certify(folder):
    """A context with a certificate for 127.0.0.1 that nobody knows, or None."""
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    if not shutil.which("openssl") or subprocess.run(words, capture_output=True, check=False).returncode:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
    return context


def main():
    folder = tempfile.mkdtemp(prefix="scripted-")
    try:
        ports["here"], ports["other"] = listen(), listen()
        context = certify(folder) if "--tls" in sys.argv else None
        print(ports["here"], ports["other"], listen(context) if context else 0, f"{folder}/certificate.pem", flush=True)
        sys.stdin.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


main()
