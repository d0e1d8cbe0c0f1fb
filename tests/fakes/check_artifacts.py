"""Artifacts: the order of their making, what a commit looks at, versions and aliases, and reading."""
import hashlib
import json

from cases import equal
from wandb_client import COMPLETE, FILES, manifest_of, md5, send
from wandb_refused import refused, taken

TWO = {"a.txt": b"hello", "dir/b c.bin": b"\0\1\2"}
CLIENT_ID = "0" * 128


def the_whole_way(c):
    """With the digests of the specification."""
    contents = {"a.txt": b"hello", "dir/b.bin": b"\0\1\2", "empty": b""}
    c.log("set", contents, aliases=[{"artifactCollectionName": "set", "alias": "latest"}], historyStep=3)
    held = c.fake.artifact(c.project, "set:v0")
    equal("90733320375ca0beaafda9848cf133ba", held["digest"], "the digest")
    equal({"digest": "1B2M2Y8AsgTpgAmY7PhCfg==", "size": 0, "sent": True, "birth": f"{held['collection']}:v0"},
          held["entries"]["empty"], "the empty file")
    equal((["latest"], 3, f"{c.fake.entity}/{c.project}/{c.run}"),
          (held["aliases"], held["history_step"], held["made_by"]), "the version")


def steps_have_an_order(c):
    artifact = c.create("set", c.entries(TWO)).json()["data"]["createArtifact"]["artifact"]["id"]
    refused(c, "order", c.files(artifact, TWO))
    refused(c, "order", c.announce(artifact, md5(b"")))
    refused(c, "order", c.commit(artifact))
    taken(c.announce(artifact))
    refused(c, "order", c.commit(artifact))
    refused(c, "artifact", c.files("nobody", TWO))
    births = c.upload(artifact, TWO)
    manifest = manifest_of(c.entries(TWO, births))
    taken(c.announce(artifact, md5(manifest)))
    refused(c, "order", c.files(artifact, TWO))
    refused(c, "missing", c.commit(artifact))
    taken(c.finish(artifact, manifest))
    taken(c.commit(artifact))
    refused(c, "order", c.announce(artifact))
    equal(["set:v0"], [name.split("/")[-1] for name in c.fake.state()["artifacts"]], "the versions")


def specs_have_rules(c):
    artifact = c.start("set", TWO)
    refused(c, "path", c.files(artifact, {"../a": b""}))
    refused(c, "path", c.files(artifact, {"/a": b""}))
    refused(c, "digest", c.files(artifact, TWO, md5="5d41402abc4b2a76b9719d911017c592"))
    refused(c, "manifest", c.files(artifact, TWO, artifactManifestID="other"))
    refused(c, "parts", c.files(artifact, TWO, uploadPartsInput=[{"partNumber": 2, "hexMD5": "0" * 32}]))
    refused(c, "layout", c.ask(FILES, artifactFiles=[{"artifactID": artifact, "name": "a", "md5": md5(b"")}],
                               storageLayout="V1"))


def names_have_rules(c):
    refused(c, "name", c.create("a b", {}))
    refused(c, "digest", c.create("set", {}, digest="x"))
    refused(c, "metadata", c.create("set", {}, metadata='{"a": NaN}'))
    refused(c, "metadata", c.create("set", {}, metadata="[1]"))
    refused(c, "client-id", c.create("set", {}, clientID="short"))
    refused(c, "alias", c.create("set", {}, aliases=[{"artifactCollectionName": "set", "alias": "v3"}]))
    refused(c, "alias", c.create("set", {}, aliases=[{"artifactCollectionName": "other", "alias": "x"}]))
    refused(c, "run", c.create("set", {}, runName="nobody"), 404)
    refused(c, "project", c.create("set", {}, projectName="nothing"), 404)
    taken(c.create("set", {}))
    refused(c, "type", c.create("set", {}, artifactTypeName="model"))


def changed(c, path, **entry):
    """What a commit says to a manifest with one entry changed."""
    artifact = c.start(f"set-{len(c.fake.state()['uncommitted'])}", TWO)
    entries = c.entries(TWO, c.upload(artifact, TWO))
    entries[path] = {k: v for k, v in {**entries[path], **entry}.items() if v is not None}
    return c.finish(artifact, manifest_of(entries))


def a_commit_looks_at_the_manifest(c):
    refused(c, "digest", changed(c, "a.txt", digest=md5(b"other")))
    refused(c, "size", changed(c, "a.txt", size=6))
    refused(c, "size", changed(c, "a.txt", size="5"))
    refused(c, "birth", changed(c, "a.txt", birthArtifactID=None))
    refused(c, "birth", changed(c, "a.txt", birthArtifactID="other"))
    refused(c, "manifest", changed(c, "a.txt", nothing=1))
    refused(c, "manifest", changed(c, "a.txt", ref="file:///a"))
    refused(c, "missing", missing_file(c))
    artifact = c.start("layout", TWO)
    refused(c, "manifest", c.finish(artifact, manifest_of(c.entries(TWO, c.upload(artifact, TWO)), layout="V1")))
    artifact = c.start("text", TWO)
    refused(c, "manifest", c.finish(artifact, b"no JSON"))
    artifact = c.start("digest", {"other": b""})
    refused(c, "digest", c.finish(artifact, manifest_of(c.entries(TWO, c.upload(artifact, TWO)))))
    artifact = c.start("left", TWO)
    births = c.upload(artifact, {**TWO, "more": b"more"})
    refused(c, "manifest", c.finish(artifact, manifest_of(c.entries(TWO, births))))
    equal({}, c.fake.state()["artifacts"], "what is visible")


def missing_file(c):
    """A commit before a file was sent."""
    artifact = c.start("missing", TWO)
    births = {path: offer["artifact"]["id"] for path, offer in zip(TWO, c.offers(artifact, TWO))}
    return c.finish(artifact, manifest_of(c.entries(TWO, births)))


def references_have_no_bytes(c):
    entries = {"r": {"digest": "http://127.0.0.1:9/x", "ref": "http://127.0.0.1:9/x"}}
    artifact = c.create("refs", entries).json()["data"]["createArtifact"]["artifact"]["id"]
    c.announce(artifact)
    taken(c.finish(artifact, manifest_of(entries)))
    entries = {"r": {"digest": "x", "ref": f"wandb-client-artifact://{CLIENT_ID}/a"}}
    artifact = c.create("refs", entries).json()["data"]["createArtifact"]["artifact"]["id"]
    c.announce(artifact)
    refused(c, "manifest", c.finish(artifact, manifest_of(entries)))


def the_same_comes_once(c):
    first = c.log("set", TWO, clientID=CLIENT_ID)
    again = c.create("set", c.entries(TWO), clientID=CLIENT_ID).json()["data"]["createArtifact"]["artifact"]
    equal((first, "COMMITTED"), (again["id"], again["state"]), "the same client id again")
    again = c.create("set", c.entries(TWO)).json()["data"]["createArtifact"]["artifact"]
    equal((first, "COMMITTED"), (again["id"], again["state"]), "the same content again")
    refused(c, "client-id", c.create("set", {}, clientID=CLIENT_ID))
    mapping = "query ClientIDMapping($clientID: ID!) { clientIDMapping(clientID: $clientID) { serverID } }"
    equal(first, c.get(mapping, clientID=CLIENT_ID)["clientIDMapping"]["serverID"], "the mapping")
    equal(None, c.get(mapping, clientID="1" * 128)["clientIDMapping"], "the mapping of nobody")


def bytes_come_once(c):
    first = c.log("set", TWO)
    second = c.start("set", {**TWO, "c": b"new"})
    offers = c.offers(second, {**TWO, "c": b"new"})
    equal([True, True, False], [offer["uploadUrl"] is None for offer in offers], "which are there")
    equal([first, first, second], [offer["artifact"]["id"] for offer in offers], "their births")


def aliases_move(c):
    alias = [{"artifactCollectionName": "set", "alias": "latest"}]
    c.log("set", TWO, aliases=alias)
    c.log("set", {"a": b"2"}, aliases=alias)
    equal(["latest"], c.fake.artifact(c.project, "set:v1")["aliases"], "aliases of v1")
    c.create("set", c.entries(TWO), aliases=alias)
    equal(["latest"], c.fake.artifact(c.project, "set:v0")["aliases"], "aliases of v0 once it came again")


def parts_make_a_file(c):
    c.fake.control("POST", "settings", {"multipart_from": 9})
    parts, whole = [b"first", b"second"], b"firstsecond"
    artifact = c.start("big", {"f": whole})
    hashes = [{"partNumber": i + 1, "hexMD5": hashlib.md5(part).hexdigest()} for i, part in enumerate(parts)]
    offer = c.offers(artifact, {"f": whole}, uploadPartsInput=hashes)[0]
    urls = offer["uploadMultipartUrls"]["uploadUrlParts"]
    tags = [send(url["uploadUrl"], "PUT", part, {"Content-MD5": md5(part)}).headers["ETag"]
            for url, part in zip(urls, parts)]
    done = [{"partNumber": i + 1, "hexMD5": tag} for i, tag in enumerate(tags)]
    names = {"completeMultipartAction": "Complete", "artifactID": artifact, "storagePath": offer["storagePath"],
             "uploadID": offer["uploadMultipartUrls"]["uploadID"]}
    refused(c, "parts", c.ask(COMPLETE, completedParts=done[::-1], **names))
    refused(c, "parts", c.ask(COMPLETE, completedParts=hashes, **names))
    refused(c, "parts", c.ask(COMPLETE, completedParts=done[:1], **names))
    c.fake.control("POST", "settings", {"multipart_from": 99})
    refused(c, "parts", c.ask(COMPLETE, completedParts=done, **names))
    c.fake.control("POST", "settings", {"multipart_from": 9})
    taken(c.ask(COMPLETE, completedParts=done, **names))
    taken(c.ask(COMPLETE, completedParts=done, **names))
    taken(c.finish(artifact, manifest_of(c.entries({"f": whole}, {"f": artifact}))))


def large_files_come_in_parts(c):
    c.fake.control("POST", "settings", {"multipart_from": 3})
    artifact = c.start("big", TWO)
    births = c.upload(artifact, TWO)
    refused(c, "parts", c.finish(artifact, manifest_of(c.entries(TWO, births))))
    c.fake.control("POST", "settings", {"single_put": True})
    c.fake.control("DELETE", "errors")
    taken(c.commit(artifact))
    parts = [{"partNumber": 1, "hexMD5": hashlib.md5(b"x").hexdigest()}]
    offer = c.offers(c.start("other", {"f": b"x"}), {"f": b"x"}, uploadPartsInput=parts)[0]
    equal(None, offer["uploadMultipartUrls"], "the URLs of parts")
    equal(200, c.put(offer, b"x").status, "the one PUT")


READ = """query ArtifactByName($entity: String, $project: String, $name: String!, $after: String) {
  project(name: $project, entityName: $entity) {
    artifact(name: $name) { id digest versionIndex currentManifest { file { directUrl } }
      files(first: 1, after: $after) { pageInfo { hasNextPage endCursor } edges { node { name directUrl } } } }
    artifactCollectionMembership(name: $name) { versionIndex artifact { id } } } }"""


def what_was_logged_is_read(c):
    c.log("set", TWO)
    fetched, after, place = {}, None, {"entity": c.fake.entity, "project": c.project}
    while True:
        found = c.get(READ, name="set:v0", after=after, **place)["project"]["artifact"]
        for edge in found["files"]["edges"]:
            fetched[edge["node"]["name"]] = send(edge["node"]["directUrl"], "GET").body
        after = found["files"]["pageInfo"]["endCursor"]
        if not found["files"]["pageInfo"]["hasNextPage"]:
            break
    equal(TWO, fetched, "the files")
    manifest = json.loads(send(found["currentManifest"]["file"]["directUrl"], "GET").body)
    equal(set(TWO), set(manifest["contents"]), "the manifest")
    for name in ("set:v1", "none:v0", "set:none"):
        equal({"artifact": None, "artifactCollectionMembership": None}, c.get(READ, name=name, **place)["project"], name)
    found = c.get(READ, name=f"set:{found['digest']}", **place)["project"]
    equal(0, found["artifactCollectionMembership"]["versionIndex"], "the version of a digest")


def the_server_sends_on_to_the_store(c):
    artifact = c.log("set", TWO)
    path = f"/artifactsV2/default/{c.fake.entity}/{c.project}/set/{artifact}/{{}}/a.txt"
    reply = send(c.fake.url + path.format("5d41402abc4b2a76b9719d911017c592"), "GET", headers=c.headers)
    equal(302, reply.status, "the status")
    equal(b"hello", send(reply.headers["Location"], "GET").body, "the file")
    refused(c, "credentials", send(c.fake.url + path.format("5d41402abc4b2a76b9719d911017c592"), "GET"), 401)
    refused(c, "missing", send(c.fake.url + path.format("0" * 32), "GET", headers=c.headers), 404)


USE = """mutation UseArtifact($entityName: String!, $projectName: String!, $runName: String!, $artifactID: ID!) {
  useArtifact(input: {entityName: $entityName, projectName: $projectName, runName: $runName, artifactID: $artifactID}) {
    artifact { id } } }"""


def use_is_lineage(c):
    young = c.start("young", TWO)
    refused(c, "order", c.ask(USE, artifactID=young, **c.place()))
    artifact = c.log("set", TWO)
    taken(c.ask(USE, artifactID=artifact, **c.place()))
    taken(c.ask(USE, artifactID=artifact, **c.place()))
    path = f"{c.fake.entity}/{c.project}"
    equal([{"artifact": f"{path}/set:v0", "as": None}], c.fake.run(c.project, c.run)["used"], "what the run used")
    lineage = """query Lineage($id: ID!) { artifact(id: $id) { createdBy { ... on Run { name } }
      usedBy { edges { node { name } } } } }"""
    found = c.get(lineage, id=artifact)["artifact"]
    equal((c.run, [c.run]), (found["createdBy"]["name"], [e["node"]["name"] for e in found["usedBy"]["edges"]]), "it")


CASES = [
    ("an artifact goes the whole way", the_whole_way),
    ("the steps of an artifact have an order", steps_have_an_order),
    ("specs of files have rules", specs_have_rules),
    ("names, digests, metadata and aliases have rules", names_have_rules),
    ("a commit looks at the manifest and the files", a_commit_looks_at_the_manifest),
    ("references have no bytes and no client ids", references_have_no_bytes),
    ("the same client id or content makes no second version", the_same_comes_once),
    ("bytes that are there are not asked for", bytes_come_once),
    ("aliases move, also to what came again", aliases_move),
    ("parts make a file, by their ETags and in order", parts_make_a_file),
    ("large files come in parts, unless the server says otherwise", large_files_come_in_parts),
    ("what was logged is read by name, page by page", what_was_logged_is_read),
    ("the server sends on to the store, for a key", the_server_sends_on_to_the_store),
    ("use is lineage, once", use_is_lineage),
]
