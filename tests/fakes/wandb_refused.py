"""What a refusal is: a status, and one error of a kind in the list, which is then forgotten."""
from cases import equal


def refused(client, kind, reply, status=200):
    """The reply says no, and the list of errors has it under its kind."""
    found = [error["kind"] for error in client.fake.errors()]
    equal(([kind], status), (found, reply.status), f"the refusal {reply.body[:300]!r}")
    client.fake.control("DELETE", "errors")


def taken(reply):
    """The reply, which says yes."""
    equal((200, None), (reply.status, reply.json().get("errors")), f"the answer {reply.body[:300]!r}")
    return reply.json()
