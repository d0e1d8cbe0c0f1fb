"""HTTP/1.1 for both listeners: one request, its body, its answer, and the faults that strike it.

A handler says what it answers with (`respond`); what goes wrong on the wire is all here.
"""
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from state import Refusal

SLAB = 1 << 20
#  Kinds that a right client meets too.
INNOCENT = {"expired"}


class Answer:
    """A status, headers, and a body: bytes, or a range of a file."""

    def __init__(self, status, body=b"", headers=(), file=None):
        self.status, self.body, self.headers, self.file = status, body, dict(headers), file

    @classmethod
    def json(cls, status, value, headers=()):
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **dict(headers)})

    def length(self):
        return self.file[2] - self.file[1] + 1 if self.file else len(self.body)

    def slabs(self):
        if not self.file:
            yield self.body
            return
        path, first, last, _ = self.file
        left = last - first + 1
        with open(path, "rb") as file:
            file.seek(first)
            while left > 0:
                slab = file.read(min(SLAB, left))
                left -= len(slab)
                yield slab


class Hangup(Exception):
    """The connection ends here, without another word."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "fake", ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    world = None                      # set by a subclass, as is `places`

    def log_message(self, *_):
        pass

    def serve(self):
        self.left = int(self.headers.get("Content-Length") or 0)
        self.operation = None
        try:
            answer = self.answer_or_refuse()
            self.drain()
            self.note(answer.status)
            self.send(answer)
        except (Hangup, ConnectionError, TimeoutError):
            self.note(None)
            self.hang_up()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def answer_or_refuse(self):
        try:
            return self.respond()
        except Refusal as bad:
            if bad.kind not in INNOCENT:
                self.world.record.error(bad.kind, f"{self.command} {self.path.partition('?')[0]}", bad.text)
            return Answer.json(bad.status, {"errors": [{"message": bad.text}]})

    # ---- the request

    def body_slabs(self):
        while self.left > 0:
            slab = self.rfile.read(min(SLAB, self.left))
            if not slab:
                raise ConnectionError("the body ended early")
            self.left -= len(slab)
            yield slab

    def drain(self):
        """Takes what is left of the body, so that the connection can go on."""
        for _ in self.body_slabs():
            pass

    def json_body(self):
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != "application/json":
            raise Refusal("header", f"Content-Type is {kind!r}", 415)
        if self.headers.get("Content-Encoding"):
            raise Refusal("header", "Content-Encoding was not offered", 415)
        try:
            return json.loads(b"".join(self.body_slabs()))
        except ValueError as bad:
            raise Refusal("body", f"the body is no JSON: {bad}", 400) from bad

    # ---- the answer

    def send(self, answer, upto=None):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(answer.length()))
        self.end_headers()
        if self.command != "HEAD":
            for slab in answer.slabs():
                self.wfile.write(slab if upto is None else slab[:upto])
                if upto is not None:
                    break
        self.wfile.flush()

    def note(self, status):
        self.world.record.requests.append({
            "at": self.place(), "method": self.command, "path": self.path, "operation": self.operation,
            "status": status, "headers": {name.lower(): value for name, value in self.headers.items()}})

    # ---- misbehaviour

    def struck(self, work, operation=None):
        """What `work` answers, unless a fault strikes before, or after."""
        rule = self.world.faults.take(self.place(), self.command, self.path, operation)
        if not rule:
            return work()
        if rule["do"] == "answer":
            body = rule.get("body", "")
            text = body if isinstance(body, str) else json.dumps(body)
            return Answer(rule.get("status", 500), text.encode(), rule.get("headers", {}))
        if rule["do"] == "cut":
            self.rfile.read(self.left // 2)
            self.reset()
            raise Hangup
        answer = work()
        if rule["do"] == "late":
            self.world.ending.wait(rule["seconds"])
        if rule["do"] == "torn":
            self.send(answer, max(1, min(answer.length(), SLAB) // 2))
            self.reset()
        if rule["do"] in ("lost", "torn"):
            raise Hangup
        return answer

    def reset(self):
        """Makes the close of this connection an RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hang_up(self):
        self.close_connection = True
        self.connection.close()


class Listener(ThreadingHTTPServer):
    """On a port of 127.0.0.1, in threads that end with the program."""
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that went away is its own affair; the handler has said what matters."""
