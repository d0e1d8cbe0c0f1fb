"""What the server holds: plain records, and nothing that checks, speaks or stores.

One State is one server. Whoever reads or changes it holds `state.lock`; the bytes of
objects are on disk (objects.py) and are named here by their keys. dump.py shows all of it.
"""
import base64
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone


class Refusal(Exception):
    """The client did what the protocol forbids. `kind` is one word that tests match."""

    def __init__(self, kind, text, status=200):
        super().__init__(text)
        self.kind, self.text, self.status = kind, text, status


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Project:
    id: str
    number: str
    entity: str
    name: str


@dataclass
class RunFile:
    name: str
    key: str                          # of its object
    reported: bool = False            # in the "uploaded" of the stream, or by markRunFilesUploaded


@dataclass
class Run:
    id: str
    project: Project
    name: str
    display_name: str = None
    description: str = None
    config: str = "{}"
    summary: str = "{}"
    tags: list = field(default_factory=list)
    notes: str = None
    group: str = None
    job_type: str = None
    sweep: str = None
    host: str = None
    program: str = None
    repo: str = None
    commit: str = None
    state: str = "running"            # running, finished, failed
    exit_code: int = None
    stopped: bool = False             # somebody pressed Stop
    preempting: bool = False
    ended: dict = None                # the post that ended it
    opened: int = 1                   # times a client began to write it
    created: str = field(default_factory=now)
    posts: int = 0
    heartbeats: int = 0
    heard: float = field(default_factory=time.monotonic)
    streams: dict = field(default_factory=lambda: {
        "wandb-history.jsonl": [], "wandb-events.jsonl": [], "output.log": []})
    files: dict = field(default_factory=dict)
    uses: list = field(default_factory=list)      # [artifact id, used as]
    alerts: list = field(default_factory=list)

    @property
    def path(self):
        return f"{self.project.entity}/{self.project.name}/{self.name}"


@dataclass
class FileSpec:
    """One file of an artifact that is being made, or was."""
    name: str
    md5: str                          # base64
    key: str                          # of its object
    birth: str                        # the artifact its content came with
    wanted: bool                      # an upload URL was given
    upload_id: str = None
    parts: list = field(default_factory=list)     # [part number, hex MD5]


@dataclass
class Manifest:
    id: str
    artifact: str
    type: str
    name: str
    digest: str = ""                  # base64 MD5 of the JSON file
    key: str = None


@dataclass
class Artifact:
    id: str
    collection: "Collection"
    digest: str
    client_id: str = None
    sequence_client_id: str = None
    description: str = None
    metadata: str = None
    tags: list = field(default_factory=list)
    wanted_aliases: list = field(default_factory=list)
    ttl: int = None
    history_step: int = None
    run: str = None                   # id of the run that made it
    state: str = "PENDING"
    version: int = None
    files: dict = field(default_factory=dict)     # name → FileSpec
    manifests: dict = field(default_factory=dict)  # type → Manifest
    base: str = None
    created: str = field(default_factory=now)
    used_by: list = field(default_factory=list)   # ids of runs
    contents: dict = field(default_factory=dict)  # of the manifest, once committed


@dataclass
class Collection:
    id: str
    project: Project
    name: str
    type: str
    versions: list = field(default_factory=list)  # artifact ids, by version
    aliases: dict = field(default_factory=dict)   # alias → artifact id
    held: dict = field(default_factory=dict)      # base64 MD5 → FileSpec of what some version has

    @property
    def path(self):
        return f"{self.project.entity}/{self.project.name}/{self.name}"


class State:
    def __init__(self, entity, key):
        self.lock = threading.RLock()
        self.entity, self.key = entity, key
        self.features = {"ARTIFACT_TAGS", "CLIENT_IDS", "PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP",
                         "ARTIFACT_COLLECTION_MEMBERSHIP_FILES", "ARTIFACT_V2_DOWNLOAD_HANDLER_SUPPORTS_ARTIFACT_ID",
                         "USE_ARTIFACT_WITH_ENTITY_AND_PROJECT_INFORMATION"}
        self.multipart_from = 2 << 30             # a smaller file must come in one PUT
        self.verify_bytes = True                  # at commit, which a bench may not want to pay for
        self.projects, self.runs, self.collections, self.artifacts = {}, {}, {}, {}
        self.clients = {}                         # client id → artifact id
        self.numbers = 0
        self.dialect = set()                      # dialect.py
        self.single_put = False                   # large files too shall come in one PUT
        self.stream_headers = {}                  # of each answer of a stream, say RateLimit-Remaining
        self.crashed_after_s = None               # a run of which nothing was heard for so long has crashed

    def new_id(self, kind):
        self.numbers += 1
        if "numbers" in self.dialect:
            return str(self.numbers)
        return base64.b64encode(f"{kind}:{self.numbers}".encode()).decode()

    def project(self, entity, name):
        return self.projects.get((entity, name))

    def require_project(self, entity, name):
        if entity != self.entity:
            raise Refusal("entity", f"entity {entity} not found", 404)
        if (entity, name) not in self.projects:
            number = self.new_id("ProjectInternalId")
            self.projects[entity, name] = Project(self.new_id("Project"), number, entity, name)
        return self.projects[entity, name]

    def run(self, entity, project, name):
        """The run, which must exist."""
        run = self.runs.get(f"{entity}/{project}/{name}")
        if not run:
            raise Refusal("run", f"run {entity}/{project}/{name} not found", 404)
        return run

    def run_by_id(self, run_id):
        return next((run for run in self.runs.values() if run.id == run_id), None)

    def artifact(self, artifact_id):
        """The artifact, which must exist."""
        artifact = self.artifacts.get(artifact_id)
        if not artifact:
            raise Refusal("artifact", f"artifact {artifact_id} not found")
        return artifact

    def find_version(self, project, name):
        """(collection, artifact) of NAME:ALIAS in a project; None for what is not there."""
        collection = self.collections.get(f"{project.entity}/{project.name}/{name.partition(':')[0]}")
        if not collection:
            return None, None
        return collection, self.find_alias(collection, name.partition(":")[2] or "latest")

    def find_alias(self, collection, alias):
        if alias in collection.aliases:
            return self.artifacts[collection.aliases[alias]]
        alive = [self.artifacts[v] for v in collection.versions if self.artifacts[v].state == "COMMITTED"]
        return next((a for a in alive if alias in (f"v{a.version}", a.digest)), None)
