"""GraphQL over HTTP: the body of POST /graphql, checked against schema.graphql and executed.

A document that does not fit the schema, or variables that do not fit the document, are
HTTP 400. What a resolver refuses is HTTP 200 with `errors`, or the Refusal's own status.
"""
import json
import os
from functools import lru_cache, partial

from graphql import GraphQLError, Undefined, build_schema, execute, parse, validate

import artifact_mutations as artifacts
import run_mutations as runs
from artifact_views import ArtifactView, CollectionView
from dialect import said
from run_views import ProjectView, ServerInfoView, UserView
from state import Refusal

MUTATIONS = {
    "upsertBucket": runs.upsert_bucket, "rewindRun": runs.rewind_run, "stopRun": runs.stop_run,
    "createRunFiles": runs.create_run_files, "markRunFilesUploaded": runs.mark_run_files_uploaded,
    "notifyScriptableRunAlert": runs.notify_alert,
    "createArtifact": artifacts.create_artifact, "createArtifactManifest": artifacts.create_manifest,
    "updateArtifactManifest": artifacts.update_manifest, "createArtifactFiles": artifacts.create_files,
    "completeMultipartUploadArtifact": artifacts.complete_multipart, "commitArtifact": artifacts.commit_artifact,
    "useArtifact": artifacts.use_artifact, "updateArtifact": artifacts.update_artifact,
    "addAliases": artifacts.add_aliases, "deleteAliases": artifacts.delete_aliases,
    "deleteArtifact": artifacts.delete_artifact,
}
#  What a stranger may ask.
PUBLIC = {"viewer", "serverInfo", "__typename"}


def json_string(value):
    if not isinstance(value, str):
        raise GraphQLError("a JSONString is a string")
    try:
        json.loads(value)
    except ValueError as bad:
        raise GraphQLError(f"a JSONString holds JSON: {bad}") from bad
    return value


def int64(value):
    if type(value) is not int or not -1 << 63 <= value < 1 << 63:
        raise GraphQLError("an Int64 is a JSON number without a fraction")
    return value


def load_schema():
    with open(os.path.join(os.path.dirname(__file__), "schema.graphql"), encoding="utf-8") as file:
        schema = build_schema(file.read())
    for name, check in (("JSONString", json_string), ("Int64", int64), ("Duration", int64)):
        schema.type_map[name].parse_value = check
    return schema


SCHEMA = load_schema()


@lru_cache(maxsize=256)
def document_of(text):
    """The document and what is wrong with it."""
    document = parse(text)
    return document, validate(SCHEMA, document)


class Root:
    """The fields of Query and Mutation."""

    def __init__(self, world, known):
        self.world, self.known = world, known
        for name, act in MUTATIONS.items():
            setattr(self, name, partial(self.mutate, act))

    def mutate(self, act, _info, input):
        return act(self.world, input)

    def viewer(self, _info):
        return UserView(self.world.state) if self.known else None

    def serverInfo(self, _info):
        return ServerInfoView(self.world.state)

    def entity(self, _info, name):
        return {"id": "RW50aXR5OjE=", "name": name, "organization": None} if name == self.world.state.entity else None

    def project(self, _info, name=None, entityName=None):
        state = self.world.state
        project = state.project(entityName or state.entity, name or "uncategorized")
        return project and ProjectView(self.world, project)

    model = project

    def artifact(self, _info, id):
        artifact = self.world.state.artifacts.get(id)
        return artifact and ArtifactView(self.world, artifact)

    def artifactCollection(self, _info, id):
        held = self.world.state.collections.values()
        return next((CollectionView(self.world, c) for c in held if c.id == id), None)

    def clientIDMapping(self, _info, clientID):
        server_id = self.world.state.clients.get(clientID)
        return server_id and {"serverID": server_id}


def operation_in(document, name):
    """The operation that is meant. The SDK's Python side sends the name ""."""
    operations = [d for d in document.definitions if d.kind == "operation_definition"]
    named = [d for d in operations if not name or d.name and d.name.value == name]
    if len(named) != 1:
        raise Refusal("operation", f"no single operation {name}", 400)
    return named[0]


def check_body(body):
    if not isinstance(body, dict) or set(body) - {"query", "variables", "operationName"}:
        raise Refusal("body", "the body is not {query, variables, operationName}", 400)
    if not isinstance(body.get("query"), str):
        raise Refusal("body", "query is no string", 400)
    if not isinstance(body.get("variables") or {}, dict):
        raise Refusal("body", "variables is no object", 400)


def operation_name(body):
    """The name of the operation, as far as it can be told before anything is checked."""
    try:
        return operation_in(document_of(body["query"])[0], body.get("operationName")).name.value
    except (GraphQLError, Refusal, AttributeError, KeyError, TypeError):
        return None


def answer(world, body, known):
    """(status, JSON answer) of a request; `known` says that its key is good."""
    check_body(body)
    try:
        document, faults = document_of(body["query"])
    except GraphQLError as bad:
        raise Refusal("schema", bad.message, 400) from bad
    if faults:
        raise Refusal("schema", "; ".join(fault.message for fault in faults), 400)
    operation = operation_in(document, body.get("operationName"))
    note_habits(world, operation, body.get("variables"))
    if not known and {field.name.value for field in operation.selection_set.selections} - PUBLIC:
        raise Refusal("credentials", "permission denied", 401)
    with world.state.lock:
        return run(world, document, body, known)


def note_habits(world, operation, variables):
    """The SDK's queries without variables have no `variables`, and its UseArtifact has one too many."""
    name = operation.name and operation.name.value
    if variables is None:
        world.record.warn("variables", name, "no variables object was sent")
    declared = {definition.variable.name.value for definition in operation.variable_definitions}
    if extra := set(variables or {}) - declared:
        world.record.warn("variables", name, f"undeclared variables: {', '.join(sorted(extra))}")


def run(world, document, body, known):
    result = execute(SCHEMA, document, Root(world, known), variable_values=body.get("variables") or {},
                     operation_name=body.get("operationName") or None)
    data = said(world.state.dialect, result.data)
    if not result.errors:
        return 200, {"data": data}
    status = 200
    for error in result.errors:
        cause = error.original_error
        if isinstance(cause, Refusal):
            status = max(status, cause.status)
            world.record.error(cause.kind, operation_name(body), cause.text)
        else:
            status = 400 if error.path is None else 500
            world.record.error("variables" if status == 400 else "fake", operation_name(body), error.message)
    return status, {"errors": [error.formatted for error in result.errors], "data": data}
