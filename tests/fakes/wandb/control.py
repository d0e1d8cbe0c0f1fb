"""/_fake/…: what a test asks of the server and orders from it. No credentials; JSON in and out.

    GET /_fake/state       all that is held (dump.py)
    GET /_fake/errors      what was refused that no right client sends; DELETE forgets it
    GET /_fake/warnings    habits that are taken, but that ours must not have; DELETE forgets them
    GET /_fake/requests    every request so far: at, method, path, operation, status, headers; DELETE forgets them
    GET /_fake/faults      the rules of faults.py and how often each struck; POST adds a list; DELETE clears
    POST /_fake/settings   {"features": […], "dialect": […], "url_lifetime_s": N, and those of PLAIN, said in state.py}
    POST /_fake/reset      forgets everything: a server as it was at the start, but for ids and the bytes of objects
    POST /_fake/stop       {"run": "ENTITY/PROJECT/RUN"}: somebody presses Stop
"""
import dialect
from dump import dump
from state import Refusal

PLAIN = {"multipart_from", "single_put", "verify_bytes", "stream_headers", "crashed_after_s"}


def answer(world, method, what, body):
    """The JSON answer."""
    act = ACTS.get((method, what))
    if not act:
        raise Refusal("control", f"no {method} /_fake/{what}", 404)
    with world.state.lock:
        return act(world, body)


def settings(world, body):
    for name, value in body.items():
        if name == "features":
            world.state.features = set(value)
        elif name == "url_lifetime_s":
            world.signer.lifetime_s = value
        elif name == "dialect" and set(value) <= dialect.WORDS:
            world.state.dialect = set(value)
        elif name in PLAIN:
            setattr(world.state, name, value)
        else:
            raise Refusal("control", f"no setting {name}", 400)
    return {}


def stop(world, body):
    world.state.runs[body["run"]].stopped = True
    return {}


def forget(world, name):
    getattr(world.record, name).clear()
    if world.nginx and name == "requests":
        world.nginx.forget()
    return {}


ACTS = {
    ("GET", "state"): lambda world, _: dump(world),
    ("GET", "faults"): lambda world, _: world.faults.rules,
    ("POST", "faults"): lambda world, rules: world.faults.order(rules) or {},
    ("DELETE", "faults"): lambda world, _: world.faults.clear() or {},
    ("POST", "reset"): lambda world, _: world.reset() or {},
    ("POST", "settings"): settings,
    ("POST", "stop"): stop,
    ("GET", "errors"): lambda world, _: world.record.errors,
    ("GET", "warnings"): lambda world, _: world.record.warnings,
    ("GET", "requests"): lambda world, _: world.requests(),
    ("DELETE", "errors"): lambda world, _: forget(world, "errors"),
    ("DELETE", "warnings"): lambda world, _: forget(world, "warnings"),
    ("DELETE", "requests"): lambda world, _: forget(world, "requests"),
}
