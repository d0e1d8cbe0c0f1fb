"""wandb_cases.py - what the fake of W&B's server takes, refuses, and does wrong when it is told to.

Usage: wandb_cases.py, as tests/fakes/test_wandb.sh runs it. A case is a function of a Client
of an empty server.
"""
import check_artifacts
import check_dialects
import check_faults
import check_runs
import check_store
from cases import equal, run
from served import Wandb, skip_without_python
from wandb_client import Client


def on(fake, case):
    """The case on a server that was reset; a refusal that it does not look at is an error."""
    def one():
        fake.control("POST", "reset", {})
        client = Client(fake)
        client.upsert()
        case(client)
        equal([], fake.errors(), "the list of errors at the end")
    return one


def main():
    skip_without_python()
    with Wandb() as fake, Wandb("--nginx") as fast:
        listed = [*check_runs.CASES, *check_artifacts.CASES, *check_store.CASES, *check_dialects.CASES,
                  *check_faults.CASES]
        run([(f"fake wandb: {name}", on(fake, case)) for name, case in listed]
            + [(f"fake wandb, nginx: {name}", on(fast, case)) for name, case in check_store.IN_NGINX])


main()
