"""The listener of the server itself: GraphQL, streams, downloads through it, and the control endpoint.

Who asks must show the key, as HTTP Basic with the user `api`; the control endpoint is for
the test and wants none.
"""
import base64
import re
from urllib.parse import unquote, urlsplit

import control
import file_stream
import queries
from http_side import Answer, Handler
from signing import PREFIX
from state import Refusal

STREAM = re.compile("/files/([^/]+)/([^/]+)/([^/]+)/file_stream")
#  region / entity / project / collection / [artifact /] birth / hexadecimal MD5 / name
STORED = re.compile("/artifactsV2/default/([^/]+)/([^/]+)/([^/]+)/(?:([^/]+)/)?([^/]+)/([0-9a-f]{32})/(.+)")


class Moves:
    """Objects in and out, for whoever has the signed URL."""

    def move(self):
        objects = self.world.objects
        if self.command == "PUT":
            return Answer(200, headers={"ETag": objects.put(self)})
        if self.command != "GET":
            raise Refusal("path", f"no {self.command} in the object store", 405)
        path, first, last, size = objects.get(self)
        if (first, last) == (0, size - 1):
            return Answer(200, file=(path, first, last, size))
        return Answer(206, file=(path, first, last, size), headers={"Content-Range": f"bytes {first}-{last}/{size}"})


class ServerHandler(Moves, Handler):
    foreign = False                   # credentials may come here, also with objects

    def place(self):
        for place, start in (("graphql", "/graphql"), ("file_stream", "/files/"), ("artifacts", "/artifacts"),
                             ("objects", PREFIX), ("control", "/_fake/")):
            if self.path.startswith(start):
                return place
        return None

    def respond(self):
        path = urlsplit(self.path).path
        if path.startswith("/_fake/"):
            body = self.json_body() if self.command == "POST" else None
            return Answer.json(200, control.answer(self.world, self.command, path[len("/_fake/"):], body))
        if path == "/graphql" and self.command == "POST":
            return self.graphql()
        if (stream := STREAM.fullmatch(path)) and self.command == "POST":
            return self.struck(lambda: self.file_stream(*map(unquote, stream.groups())))
        if (stored := STORED.fullmatch(path)) and self.command == "GET":
            return self.struck(lambda: self.stored(*map(lambda part: part and unquote(part), stored.groups())))
        if path.startswith(PREFIX) and "relative" in self.world.state.dialect:
            return self.struck(self.move)
        raise Refusal("path", f"no {self.command} {path}", 404)

    def knows_key(self):
        good = base64.b64encode(f"api:{self.world.state.key}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {good}"

    def require_key(self):
        if not self.knows_key():
            raise Refusal("credentials", "the key is missing or not known", 401)

    def graphql(self):
        body = self.json_body()
        self.operation = queries.operation_name(body)
        return self.struck(lambda: Answer.json(*queries.answer(self.world, body, self.knows_key())), self.operation)

    def file_stream(self, entity, project, run):
        self.require_key()
        if self.left > file_stream.POST_LIMIT:
            raise Refusal("limit", f"a post of {self.left} bytes", 413)
        body = self.json_body()
        with self.world.state.lock:
            answer = file_stream.post(self.world, entity, project, run, body)
            return Answer.json(200, answer, self.world.state.stream_headers)

    def stored(self, entity, project, collection, artifact, birth, md5, _name):
        """Sends on to the store, whose origin gets no credentials."""
        self.require_key()
        key = f"artifacts/{birth}/{md5}"
        if f"{entity}/{project}/{collection}" not in self.world.state.collections or not self.world.objects.exists(key):
            raise Refusal("missing", f"no {key} in {entity}/{project}/{collection}", 404)
        if artifact:
            self.world.state.artifact(artifact)
        return Answer(302, headers={"Location": self.world.url("GET", key)})


class StoreHandler(Moves, Handler):
    foreign = True

    def place(self):
        return "objects"

    def respond(self):
        if "X-Refused" in self.headers:
            why, status, method = self.headers["X-Refused"].split()
            raise Refusal(why, f"nginx refused {method} {self.path}", int(status))
        return self.struck(self.move)
