"""What GraphQL shows of artifacts. A method is a field, a parameter an argument."""
from state import Refusal

#  Said for an artifact whose maker said nothing of a TTL: the SDK takes no null here.
INHERITED_TTL = -1


def page(nodes, after=None, first=None):
    """A connection; the cursor is the number of nodes before it."""
    start = int(after or 0)
    end = len(nodes) if first is None else min(len(nodes), start + first)
    edges = [{"node": node, "cursor": str(start + i + 1)} for i, node in enumerate(nodes[start:end])]
    return {"totalCount": len(nodes), "edges": edges,
            "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end) if end > start else None}}


class ArtifactView:
    def __init__(self, world, artifact):
        self.world, self.artifact = world, artifact
        self.id, self.state, self.digest = artifact.id, artifact.state, artifact.digest
        self.versionIndex, self.description, self.metadata = artifact.version, artifact.description, artifact.metadata
        self.historyStep, self.createdAt, self.updatedAt = artifact.history_step, artifact.created, artifact.created
        self.ttlDurationSeconds = INHERITED_TTL if artifact.ttl is None else artifact.ttl
        self.ttlIsInherited = self.ttlDurationSeconds == INHERITED_TTL
        self.tags = [{"id": f"tag-{name}", "name": name} for name in artifact.tags]
        self.size = sum(entry.get("size", 0) for entry in artifact.contents.values())
        self.fileCount = len(artifact.contents)
        self.commitHash = artifact.id

    def artifactSequence(self, _info):
        return CollectionView(self.world, self.artifact.collection)

    def artifactType(self, _info):
        collection = self.artifact.collection
        return TypeView(self.world, collection.project, collection.type)

    def aliases(self, _info):
        return aliases_of(self.world, self.artifact)

    def currentManifest(self, _info):
        manifest = self.artifact.manifests.get("FULL")
        return manifest and manifest_view(self.world, manifest, None)

    def files(self, _info, names=None, after=None, first=None):
        return file_page(self.world, self.artifact, names, after, first)

    def filesByManifestEntries(self, _info, storageLayout, manifestVersion, entries=(), storageRegion=None):
        """In the order of the entries, which must be those of the manifest."""
        if (storageLayout, manifestVersion, storageRegion or "") != ("V2", "1", ""):
            raise Refusal("manifest", f"no layout {storageLayout}, version {manifestVersion}, region {storageRegion}")
        for entry in entries:
            held = self.artifact.contents.get(entry["name"])
            if not held or held["digest"] != entry.get("digest"):
                raise Refusal("entry", f"{entry['name']} is not in the manifest with this digest")
        return file_page(self.world, self.artifact, [entry["name"] for entry in entries])

    def artifactMemberships(self, _info):
        return page([MembershipView(self.world, self.artifact.collection, self.artifact)])

    def usedBy(self, _info):
        return page([self.world.run_view(run) for run in self.artifact.used_by])

    def createdBy(self, _info):
        return self.world.run_view(self.artifact.run) if self.artifact.run else self.world.user_view()


class CollectionView:
    __typename = "ArtifactSequence"

    def __init__(self, world, collection):
        self.world, self.collection = world, collection
        self.id, self.name, self.description = collection.id, collection.name, None

    def project(self, _info):
        return self.world.project_view(self.collection.project)

    def defaultArtifactType(self, _info):
        return TypeView(self.world, self.collection.project, self.collection.type)

    def latestArtifact(self, _info):
        versions = self.collection.versions
        return ArtifactView(self.world, self.world.state.artifacts[versions[-1]]) if versions else None

    def aliases(self, _info, after=None, first=None):
        nodes = [{"id": f"{self.id}:{alias}", "alias": alias, "artifactCollection": self}
                 for alias in self.collection.aliases]
        return page(nodes, after, first)

    def artifactMembership(self, _info, aliasName):
        artifact = self.world.state.find_alias(self.collection, aliasName)
        return artifact and MembershipView(self.world, self.collection, artifact)

    def artifacts(self, _info, after=None, first=None, order=None, filters=None):
        """Newest first."""
        ids = reversed(self.collection.versions)
        shown = page([ArtifactView(self.world, self.world.state.artifacts[i]) for i in ids], after, first)
        for edge in shown["edges"]:
            edge["version"] = f"v{edge['node'].versionIndex}"
        return shown


class MembershipView:
    def __init__(self, world, collection, artifact):
        self.world, self.collection, self.member = world, collection, artifact
        self.id, self.versionIndex = f"{collection.id}:{artifact.id}", artifact.version

    def aliases(self, _info):
        return aliases_of(self.world, self.member)

    def artifactCollection(self, _info):
        return CollectionView(self.world, self.collection)

    def artifact(self, _info):
        return ArtifactView(self.world, self.member)

    def files(self, _info, names=None, after=None, first=None):
        return file_page(self.world, self.member, names, after, first)


class TypeView:
    def __init__(self, world, project, name):
        self.world, self.project, self.id, self.name = world, project, f"type-{name}", name

    def artifactCollection(self, _info, name):
        collection = self.world.state.find_version(self.project, name)[0]
        return CollectionView(self.world, collection) if collection and collection.type == self.name else None


def aliases_of(world, artifact):
    collection = CollectionView(world, artifact.collection)
    return [{"id": f"{collection.id}:{alias}", "alias": alias, "artifactCollection": collection}
            for alias, held in artifact.collection.aliases.items() if held == artifact.id]


def file_page(world, artifact, names, after=None, first=None):
    """The files of a committed artifact; references have none."""
    held = {name: entry for name, entry in sorted(artifact.contents.items()) if "ref" not in entry}
    wanted = [name for name in names if name in held] if names is not None else list(held)
    return page([stored_file(world, artifact, name, held[name]) for name in wanted], after, first)


def stored_file(world, artifact, name, entry):
    key = artifact.files[name].key
    url = world.url("GET", key)
    return {"__typename": "File", "id": f"{artifact.id}:{name}", "name": name, "displayName": name,
            "storagePath": key, "directUrl": url, "url": url, "sizeBytes": entry["size"],
            "digest": entry["digest"], "md5": entry["digest"], "updatedAt": artifact.created}


def manifest_view(world, manifest, upload_url, upload_headers=()):
    file = {"id": f"file-{manifest.id}", "name": manifest.name, "uploadUrl": upload_url,
            "uploadHeaders": list(upload_headers),
            "directUrl": world.url("GET", manifest.key) if manifest.key else None}
    return {"id": manifest.id, "digest": manifest.digest, "file": file}
