"""Misbehaviour, as a test orders it: POST /_fake/faults with a list of rules.

    {"at": "graphql" | "file_stream" | "objects" | "artifacts",   where it strikes
     "operation": "CommitArtifact", "method": "PUT", "path": "part of the path",   which requests (all optional)
     "skip": 0, "times": 1,                      it spares the first, then strikes so often
     "do": what it does}

    answer    answers at once, with `status`, `headers` and `body` (text or JSON), and does no work
    late      does the work, and answers after `seconds`
    lost      does the work, and hangs up without an answer
    torn      does the work, and resets in the middle of the answer
    cut       takes half of the request's body, and resets
    expired   the next signed URLs that are given have expired ("at": "objects", and the method)

Examples: a rate limit {"at": "file_stream", "do": "answer", "status": 429, "headers": {"Retry-After": "0.1"}};
an error with HTTP 200 {"do": "answer", "status": 200, "body": {"errors": [{"message": "busy"}]}}; errors that are
strings {"body": {"errors": ["busy"]}}, or {"body": {"error": "busy"}}; a conflict at commit
{"at": "graphql", "operation": "CommitArtifact", "do": "answer", "status": 409}. What was struck is counted in
`struck`, so that a test can see that its fault happened.
"""
import threading

PLACES = ("graphql", "file_stream", "objects", "artifacts")
DEEDS = ("answer", "late", "lost", "torn", "cut", "expired")
FIELDS = {"at", "operation", "method", "path", "skip", "times", "do", "status", "headers", "body", "seconds", "struck"}


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []

    def order(self, rules):
        for rule in rules:
            if rule.get("at") not in PLACES or rule.get("do") not in DEEDS or set(rule) - FIELDS:
                raise ValueError(f"no such rule: {rule}")
        with self.lock:
            self.rules += [{"skip": 0, "times": 1, **rule, "struck": 0} for rule in rules]

    def clear(self):
        with self.lock:
            self.rules = []

    def aims_at(self, place):
        return any(rule["at"] == place and rule["do"] != "expired" for rule in self.rules)

    def take(self, at, method, path, operation=None):
        """The rule that strikes this request, or None."""
        def meets(rule):
            return (rule["at"] == at and rule["do"] != "expired" and rule.get("method", method) == method
                    and rule.get("path", "") in path and rule.get("operation", operation) == operation)
        return self.strike(meets)

    def take_expired(self, method):
        return self.strike(lambda rule: rule["do"] == "expired" and rule.get("method", method) == method) is not None

    def strike(self, meets):
        with self.lock:
            for rule in self.rules:
                if not meets(rule) or rule["times"] == rule["struck"]:
                    continue
                if rule["skip"] > 0:
                    rule["skip"] -= 1
                    continue
                rule["struck"] += 1
                return rule
        return None
