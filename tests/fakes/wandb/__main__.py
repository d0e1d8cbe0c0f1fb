"""A fake W&B server, for tests.

    python tests/fakes/wandb --folder DIR [--key KEY] [--entity NAME] [--nginx]

listens on ports of 127.0.0.1, prints one line {"url", "store", "entity", "key"}, and serves until its
standard input ends, so it cannot outlive the test that started it. It needs graphql-core
(tests/fakes/requirements.txt). With --nginx objects are served by nginx.

    schema.graphql          what may be asked; the rest is refused
    queries.py              GraphQL: check against the schema, execute
    run_views.py, artifact_views.py              what is shown
    run_mutations.py, artifact_mutations.py, commit.py      what is done, and in which order
    file_stream.py          rows, summary, console, end of a run
    objects.py, signing.py, nginx.py             the object store behind signed URLs
    http_side.py, server.py HTTP, credentials, paths
    faults.py               misbehaviour, as ordered
    state.py, dump.py       what is held, and all of it as JSON
    control.py              the endpoint for the test: state, errors, faults, settings
    strict.py               the list of errors; shared rules
"""
import argparse
import json
import os
import secrets
import sys

from http_side import Listener
from nginx import Nginx
from server import ServerHandler, StoreHandler
from world import World


def arguments():
    parser = argparse.ArgumentParser(prog="tests/fakes/wandb")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--entity", default="quarry")
    parser.add_argument("--key", default="0123456789" * 4)
    parser.add_argument("--nginx", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    world = World(options.entity, options.key, os.path.join(options.folder, "objects"), secrets.token_hex(16))
    own = Listener(type("Store", (StoreHandler,), {"world": world}))
    server = Listener(type("Server", (ServerHandler,), {"world": world}))
    world.signer.base = own.base
    if options.nginx:
        world.nginx = Nginx(world.objects.folder, world.signer.secret, own.base)
        world.own_store, world.signer.base = own.base, world.nginx.base
    print(json.dumps({"url": server.base, "store": world.signer.base, "entity": options.entity, "key": options.key}),
          flush=True)
    sys.stdin.read()
    world.ending.set()
    if world.nginx:
        world.nginx.stop()


main()
