"""What GraphQL shows of users, projects and runs. A method is a field, a parameter an argument."""
import fnmatch
import json
import re

from artifact_views import ArtifactView, CollectionView, MembershipView, TypeView, page
from state import Refusal

FILE_LISTS = {"logLineCount": "output.log", "historyLineCount": "wandb-history.jsonl",
              "eventsLineCount": "wandb-events.jsonl"}


class UserView:
    __typename = "User"

    def __init__(self, state):
        self.id = "VXNlcjox"
        self.entity = self.username = self.name = state.entity
        self.email = f"{state.entity}@example.invalid"
        self.flags = "{}"
        self.teams = {"edges": [{"node": {"id": "RW50aXR5OjE=", "name": state.entity}}]}


class ServerInfoView:
    def __init__(self, state):
        self.cliVersionInfo = {"max_cli_version": "9.9.9", "min_cli_version": "0.1.0"}
        self.latestLocalVersionInfo = None
        self.features = [{"name": name, "isEnabled": True} for name in sorted(state.features)]


class ProjectView:
    def __init__(self, world, project):
        self.world, self.project = world, project
        self.id, self.internalId, self.name = project.id, project.number, project.name
        self.entity = {"id": "RW50aXR5OjE=", "name": project.entity, "organization": None}

    def run(self, _info, name):
        run = self.world.state.runs.get(f"{self.project.entity}/{self.project.name}/{name}")
        return run and RunView(self.world, run)

    def bucket(self, info, name, missingOk=False):
        run = self.run(info, name)
        if not run and not missingOk:
            raise Refusal("run", f"run {name} not found")
        return run

    def artifact(self, _info, name):
        _, artifact = self.world.state.find_version(self.project, name)
        return artifact and ArtifactView(self.world, artifact)

    def artifactType(self, _info, name):
        known = {c.type for c in self.world.state.collections.values() if c.project is self.project}
        return TypeView(self.world, self.project, name) if name in known else None

    def artifactCollection(self, _info, name):
        collection = self.world.state.find_version(self.project, name)[0]
        return collection and CollectionView(self.world, collection)

    def artifactCollectionMembership(self, _info, name):
        collection, artifact = self.world.state.find_version(self.project, name)
        return artifact and MembershipView(self.world, collection, artifact)


class RunView:
    __typename = "Run"

    def __init__(self, world, run):
        self.world, self.run = world, run
        self.id, self.name, self.displayName = run.id, run.name, run.display_name
        self.description, self.notes, self.tags = run.description, run.notes, run.tags
        self.group, self.jobType, self.sweepName = run.group, run.job_type, run.sweep
        self.config, self.summaryMetrics = run.config, run.summary
        self.state, self.stopped, self.commit = run.state, run.stopped, run.commit
        self.projectId, self.readOnly, self.user = 1, False, UserView(world.state)
        self.createdAt = self.heartbeatAt = run.created
        self.systemMetrics, self.historyKeys = "{}", None
        for name, file in FILE_LISTS.items():
            setattr(self, name, len(run.streams[file]))
        self.historyTail = json.dumps(run.streams["wandb-history.jsonl"][-1:])
        self.eventsTail = json.dumps(run.streams["wandb-events.jsonl"][-1:])

    def project(self, _info):
        return ProjectView(self.world, self.run.project)

    def wandbConfig(self, _info, keys=None):
        """What the client keeps under `_wandb` in its config, or the asked part of it."""
        held = json.loads(self.run.config).get("_wandb", {}).get("value", {})
        return json.dumps(held if keys is None else {k: held[k] for k in keys if k in held})

    def fileCount(self, _info):
        return sum(self.world.objects.exists(file.key) for file in self.run.files.values())

    def files(self, _info, names=None, pattern=None, after=None, first=None):
        """All, if no names are given. `pattern` is one of SQL's LIKE."""
        like = fnmatch.translate((pattern or "%").replace("%", "*").replace("_", "?"))
        files = [f for f in self.run.files.values() if not names or f.name in names]
        nodes = [RunFileView(self.world, f) for f in files
                 if (names or self.world.objects.exists(f.key)) and re.match(like, f.name)]
        return {**page(nodes, after, first), "uploadHeaders": []}

    def inputArtifacts(self, _info, after=None, first=None):
        ids = dict.fromkeys(artifact for artifact, _ in self.run.uses)
        return self.artifacts([self.world.state.artifacts[i] for i in ids], after, first)

    def outputArtifacts(self, _info, after=None, first=None):
        made = [a for a in self.world.state.artifacts.values() if a.run == self.run.id and a.state == "COMMITTED"]
        return self.artifacts(made, after, first)

    def artifacts(self, artifacts, after, first):
        return page([ArtifactView(self.world, a) for a in artifacts], after, first)


class RunFileView:
    def __init__(self, world, file):
        self.world, self.file, self.name = world, file, file.name
        self.id, self.mimetype = f"file-{file.key}", "application/octet-stream"
        there = world.objects.exists(file.key)
        self.sizeBytes = world.objects.size(file.key) if there else 0
        self.updatedAt = None

    def md5(self, _info):
        return self.world.objects.md5(self.file.key) if self.world.objects.exists(self.file.key) else None

    def url(self, _info, upload=False):
        return self.world.url("PUT" if upload else "GET", self.file.key)

    def directUrl(self, _info):
        return self.world.url("GET", self.file.key)
