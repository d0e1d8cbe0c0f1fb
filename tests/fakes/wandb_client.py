"""The smallest client of the fake, which sends exactly what a test says, right or wrong."""
import base64
import hashlib
import http.client
import json
from urllib.parse import urlsplit

CREATE = """mutation CreateArtifact($entityName: String!, $projectName: String!, $artifactTypeName: String!,
    $artifactCollectionNames: [String!], $runName: String, $digest: String!, $aliases: [ArtifactAliasInput!],
    $metadata: JSONString, $clientID: ID, $historyStep: Int64) {
  createArtifact(input: {entityName: $entityName, projectName: $projectName, artifactTypeName: $artifactTypeName,
    artifactCollectionNames: $artifactCollectionNames, runName: $runName, digest: $digest, aliases: $aliases,
    metadata: $metadata, clientID: $clientID, historyStep: $historyStep, digestAlgorithm: MANIFEST_MD5,
    enableDigestDeduplication: true}) { artifact { id state artifactSequence { latestArtifact { id } } } } }"""
MANIFEST = """mutation CreateArtifactManifest($artifactID: ID!, $name: String!, $digest: String!, $entityName: String!,
    $projectName: String!, $runName: String!, $includeUpload: Boolean!) {
  createArtifactManifest(input: {artifactID: $artifactID, name: $name, digest: $digest, entityName: $entityName,
    projectName: $projectName, runName: $runName}) {
    artifactManifest { id file { id uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } } } }"""
FILES = """mutation CreateArtifactFiles($artifactFiles: [CreateArtifactFileSpecInput!]!, $storageLayout: ArtifactStorageLayout!) {
  createArtifactFiles(input: {artifactFiles: $artifactFiles, storageLayout: $storageLayout}) { files { edges { node {
    name storagePath uploadUrl uploadHeaders uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } }
    artifact { id } } } } } }"""
COMPLETE = """mutation CompleteMultipartUploadArtifact($completeMultipartAction: CompleteMultipartAction!,
    $completedParts: [UploadPartsInput!]!, $artifactID: ID!, $storagePath: String!, $uploadID: String!) {
  completeMultipartUploadArtifact(input: {completeMultipartAction: $completeMultipartAction, artifactID: $artifactID,
    completedParts: $completedParts, storagePath: $storagePath, uploadID: $uploadID}) { digest } }"""
COMMIT = "mutation CommitArtifact($artifactID: ID!) { commitArtifact(input: {artifactID: $artifactID}) { artifact { id digest } } }"
UPSERT = """mutation UpsertBucket($id: String, $name: String, $project: String, $entity: String, $config: JSONString,
    $summaryMetrics: JSONString, $tags: [String!]) {
  upsertBucket(input: {id: $id, name: $name, modelName: $project, entityName: $entity, config: $config,
    summaryMetrics: $summaryMetrics, tags: $tags}) { bucket { id name project { name entity { name } } } inserted } }"""
RUN_FILES = """mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
  createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
    runID uploadHeaders files { name uploadUrl } } }"""


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def manifest_digest(entries):
    text = "".join(f"{path}:{entry['digest']}\n" for path, entry in sorted(entries.items()))
    return hashlib.md5(b"wandb-artifact-manifest-v1\n" + text.encode()).hexdigest()


def manifest_of(entries, layout="V2"):
    return json.dumps({"version": 1, "storagePolicy": "wandb-storage-policy-v1",
                       "storagePolicyConfig": {"storageLayout": layout}, "contents": entries}).encode()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def send(url, method, body=b"", headers=()):
    """One request with these headers, and a Content-Length unless one is among them as None."""
    parts = urlsplit(url)
    given = {"Content-Length": str(len(body)), **dict(headers)}
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.putrequest(method, url[len(f"http://{parts.netloc}"):], skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


class Client:
    def __init__(self, fake):
        self.fake, self.project, self.run = fake, "box", "runner"
        basic = base64.b64encode(f"api:{fake.key}".encode()).decode()
        self.headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}

    def post(self, path, body, **headers):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return send(self.fake.url + path, "POST", text, {**self.headers, **headers})

    def ask(self, query, **variables):
        return self.post("/graphql", {"query": query, "variables": variables})

    def get(self, query, **variables):
        """The data of what must succeed."""
        reply = self.ask(query, **variables)
        answer = reply.json()
        if reply.status != 200 or answer.get("errors"):
            raise AssertionError(f"{reply.status} {answer}")
        return answer["data"]

    # ---- runs

    def upsert(self, **variables):
        return self.ask(UPSERT, **{"name": self.run, "project": self.project, "entity": self.fake.entity, **variables})

    def stream(self, body, run=None):
        return self.post(f"/files/{self.fake.entity}/{self.project}/{run or self.run}/file_stream", body)

    # ---- artifacts, a step each

    def place(self):
        return {"entityName": self.fake.entity, "projectName": self.project, "runName": self.run}

    def create(self, name, entries, **more):
        return self.ask(CREATE, **{**self.place(), "artifactTypeName": "data", "artifactCollectionNames": [name],
                                   "digest": manifest_digest(entries), **more})

    def announce(self, artifact, digest="", **more):
        return self.ask(MANIFEST, **{**self.place(), "artifactID": artifact, "name": "wandb_manifest.json",
                                     "digest": digest, "includeUpload": bool(digest), **more})

    def files(self, artifact, contents, **more):
        """Specs of {path: bytes}; `more` goes into each."""
        specs = [{"artifactID": artifact, "name": path, "md5": md5(data), **more} for path, data in contents.items()]
        return self.ask(FILES, artifactFiles=specs, storageLayout="V2")

    def put(self, offer, data, **more):
        headers = dict(header.split(":", 1) for header in offer["uploadHeaders"])
        return send(offer["uploadUrl"], "PUT", data, {**headers, **more})

    def commit(self, artifact):
        return self.ask(COMMIT, artifactID=artifact)

    def start(self, name, contents, **more):
        """An artifact with a first manifest: its id."""
        artifact = self.create(name, self.entries(contents), **more).json()["data"]["createArtifact"]["artifact"]
        self.announce(artifact["id"])
        return artifact["id"]

    def offers(self, artifact, contents, **more):
        edges = self.files(artifact, contents, **more).json()["data"]["createArtifactFiles"]["files"]["edges"]
        return [edge["node"] for edge in edges]

    def entries(self, contents, births=None):
        return {path: {"digest": md5(data), "size": len(data), **({"birthArtifactID": births[path]} if births else {})}
                for path, data in contents.items()}

    def upload(self, artifact, contents):
        """Sends the files; returns their births."""
        offers = self.offers(artifact, contents)
        for offer, data in zip(offers, contents.values()):
            if offer["uploadUrl"]:
                self.put(offer, data)
        return {path: offer["artifact"]["id"] for path, offer in zip(contents, offers)}

    def finish(self, artifact, manifest):
        """The last manifest and the commit."""
        offer = self.announce(artifact, md5(manifest)).json()["data"]["createArtifactManifest"]["artifactManifest"]
        self.put(offer["file"], manifest)
        return self.commit(artifact)

    def log(self, name, contents, **more):
        """The whole of it; returns the id."""
        artifact = self.start(name, contents, **more)
        births = self.upload(artifact, contents)
        reply = self.finish(artifact, manifest_of(self.entries(contents, births)))
        if "errors" in reply.json():
            raise AssertionError(reply.json())
        return artifact
