"""Making an artifact: create, manifest, files, manifest again, commit; and what comes after.

The order is checked at each step, the content at commit: an artifact is visible only with
every file there, a manifest that names them, and a digest that is the manifest's.
"""
import re

import strict
from artifact_views import ArtifactView, manifest_view
from commit import check_complete
from state import Artifact, Collection, FileSpec, Manifest, Refusal

NAME = re.compile(r"[a-zA-Z0-9_\-.]{1,128}")
TYPE = re.compile(r"[^/:]{1,128}")
CLIENT_ID = re.compile("[a-z0-9]{128}")
TAG = re.compile(r"[-\w]+( +[-\w]+)*")
PART_LIMIT = 10000


def create_artifact(world, input):
    check_artifact(input)
    state = world.state
    known = state.artifacts.get(state.clients.get(input.get("clientID")))
    if known and known.digest != input["digest"]:
        raise Refusal("client-id", "Invalid Client ID digest")
    if known:
        return {"artifact": ArtifactView(world, known)}
    collection = require_collection(world, input)
    held = find_digest(world, collection, input["digest"])
    if held and input.get("enableDigestDeduplication"):
        move_aliases(held, aliases_in(input))
        return {"artifact": ArtifactView(world, held)}
    artifact = make_artifact(world, collection, input)
    return {"artifact": ArtifactView(world, artifact)}


def check_artifact(input):
    names = input.get("artifactCollectionNames") or [input.get("artifactCollectionName")]
    if len(names) != 1 or not names[0] or not NAME.fullmatch(names[0]):
        raise Refusal("name", f"bad collection name {names}")
    if not TYPE.fullmatch(input["artifactTypeName"]):
        raise Refusal("type", f"bad artifact type {input['artifactTypeName']!r}")
    if not strict.is_hex_md5(input["digest"]):
        raise Refusal("digest", f"{input['digest']!r} is no manifest digest")
    for name in ("clientID", "sequenceClientID"):
        if input.get(name) is not None and not CLIENT_ID.fullmatch(input[name]):
            raise Refusal("client-id", f"{name} is not 128 of [a-z0-9]")
    for alias in input.get("aliases") or []:
        check_alias(alias["alias"])
        if alias["artifactCollectionName"] != names[0]:
            raise Refusal("alias", f"alias {alias['alias']} is of {alias['artifactCollectionName']}")
    for tag in input.get("tags") or []:
        if not TAG.fullmatch(tag["tagName"]) or len(tag["tagName"]) > 128:
            raise Refusal("tag", f"bad tag {tag['tagName']!r}")
    check_metadata(input.get("metadata"))
    if (input.get("historyStep") or 0) < 0 or input.get("storageRegion") not in (None, ""):
        raise Refusal("field", "historyStep is negative, or there is no such storageRegion")


def check_alias(alias):
    if not 0 < len(alias) <= 128 or re.search("[/:]", alias) or re.fullmatch(r"v\d+", alias):
        raise Refusal("alias", f"bad alias {alias!r}")


def check_metadata(text):
    if text is not None and (not strict.is_strict_object(text)):
        raise Refusal("metadata", "metadata is no JSON object, or holds NaN or an infinity")


def aliases_in(input):
    return [alias["alias"] for alias in input.get("aliases") or []]


def require_collection(world, input):
    """The collection, made with the first artifact of its name; its type never changes."""
    state = world.state
    project = state.project(input["entityName"], input["projectName"])
    if not project:
        raise Refusal("project", f"project {input['entityName']}/{input['projectName']} not found", 404)
    name = (input.get("artifactCollectionNames") or [input.get("artifactCollectionName")])[0]
    path = f"{project.entity}/{project.name}/{name}"
    if path not in state.collections:
        state.collections[path] = Collection(state.new_id("ArtifactSequence"), project, name, input["artifactTypeName"])
    collection = state.collections[path]
    if collection.type != input["artifactTypeName"]:
        raise Refusal("type", f"{name} has the type {collection.type}, not {input['artifactTypeName']}")
    return collection


def find_digest(world, collection, digest):
    held = [world.state.artifacts[v] for v in collection.versions]
    return next((a for a in held if a.digest == digest and a.state == "COMMITTED"), None)


def make_artifact(world, collection, input):
    state = world.state
    artifact = Artifact(state.new_id("Artifact"), collection, input["digest"],
                        client_id=input.get("clientID"), sequence_client_id=input.get("sequenceClientID"),
                        description=input.get("description"), metadata=input.get("metadata"),
                        tags=[tag["tagName"] for tag in input.get("tags") or []], wanted_aliases=aliases_in(input),
                        ttl=input.get("ttlDurationSeconds"), history_step=input.get("historyStep"))
    if input.get("runName") is not None:
        artifact.run = state.run(input["entityName"], input["projectName"], input["runName"]).id
    state.artifacts[artifact.id] = artifact
    if artifact.client_id:
        state.clients[artifact.client_id] = artifact.id
    return artifact


def pending(world, artifact_id):
    """The artifact, which must not be committed yet."""
    artifact = world.state.artifact(artifact_id)
    if artifact.state != "PENDING":
        raise Refusal("order", f"artifact {artifact_id} is {artifact.state}")
    return artifact


def create_manifest(world, input):
    """First with the digest "", then, when every file has its URL, with the real one."""
    artifact = pending(world, input["artifactID"])
    kind = input.get("type") or "FULL"
    if kind != "FULL" or input["name"] != "wandb_manifest.json":
        raise Refusal("unsupported", f"manifest {input['name']} of type {kind}")
    world.state.run(input["entityName"], input["projectName"], input["runName"])
    if input.get("baseArtifactID") is not None:
        artifact.base = world.state.artifact(input["baseArtifactID"]).id
    manifest = artifact.manifests.get(kind)
    if not manifest:
        if input["digest"]:
            raise Refusal("order", "the first createArtifactManifest has a digest")
        manifest = Manifest(world.state.new_id("ArtifactManifest"), artifact.id, kind, input["name"])
        artifact.manifests[kind] = manifest
    return {"artifactManifest": offer_manifest(world, manifest, input["digest"])}


def update_manifest(world, input):
    raise Refusal("unsupported", f"manifest {input['artifactManifestID']}: only FULL manifests are held")


def offer_manifest(world, manifest, digest):
    if not digest:                    # who begins again may announce files again
        manifest.digest = ""
        return manifest_view(world, manifest, None)
    raw = strict.md5_from_base64(digest)
    if not raw:
        raise Refusal("digest", f"{digest!r} is no base64 of an MD5")
    manifest.digest, manifest.key = digest, f"manifests/{manifest.id}/{raw.hex()}"
    headers = [f"Content-MD5:{digest}", "Content-Type:application/json"]
    return manifest_view(world, manifest, world.url("PUT", manifest.key, headers), headers)


def create_files(world, input):
    """Answers in the order of the specs: a URL each, or none for what is there."""
    if input.get("storageLayout") != "V2":
        raise Refusal("layout", f"storage layout {input.get('storageLayout')}")
    if not input["artifactFiles"]:
        raise Refusal("order", "a batch without files")
    return {"files": {"totalCount": len(input["artifactFiles"]),
                      "pageInfo": {"hasNextPage": False, "endCursor": None},
                      "edges": [{"node": offer_file(world, spec)} for spec in input["artifactFiles"]]}}


def offer_file(world, spec):
    artifact = pending(world, spec["artifactID"])
    check_spec(artifact, spec)
    file = hold_file(world, artifact, spec)
    headers = [f"Content-MD5:{file.md5}", f"x-amz-meta-md5:{file.md5}"]
    if spec.get("mimetype"):
        headers.append(f"Content-Type:{spec['mimetype']}")
    #  Parts or not: the SDK takes a file without an uploadUrl for one that is there.
    url = world.url("PUT", file.key, headers) if file.wanted else None
    return {"id": f"{artifact.id}:{file.name}", "name": file.name, "displayName": file.name, "storagePath": file.key,
            "uploadUrl": url, "uploadHeaders": headers if file.wanted else [],
            "uploadMultipartUrls": offer_parts(world, file, spec.get("mimetype")),
            "artifact": ArtifactView(world, world.state.artifact(file.birth))}


def check_spec(artifact, spec):
    manifest = artifact.manifests.get("FULL")
    if not manifest:
        raise Refusal("order", "createArtifactFiles before createArtifactManifest")
    if manifest.digest:
        raise Refusal("order", "createArtifactFiles after the manifest was final")
    if spec.get("artifactManifestID") not in (None, manifest.id):
        raise Refusal("manifest", f"{spec['artifactManifestID']} is not the manifest of {artifact.id}")
    if not strict.is_path(spec["name"]):
        raise Refusal("path", f"bad path {spec['name']!r}")
    if not strict.md5_from_base64(spec["md5"]):
        raise Refusal("digest", f"md5 of {spec['name']} is no base64 of an MD5")
    numbers = [part["partNumber"] for part in spec.get("uploadPartsInput") or []]
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) > PART_LIMIT:
        raise Refusal("parts", f"parts of {spec['name']} are {numbers[:20]}")
    if not all(strict.is_hex_md5(part["hexMD5"]) for part in spec.get("uploadPartsInput") or []):
        raise Refusal("digest", f"a part of {spec['name']} has no hexadecimal MD5")


def hold_file(world, artifact, spec):
    """What is known of the file; its bytes are wanted unless a version has them."""
    held = artifact.collection.held.get(spec["md5"])
    if held and world.objects.exists(held.key):
        artifact.files[spec["name"]] = FileSpec(spec["name"], spec["md5"], held.key, held.birth, False)
        return artifact.files[spec["name"]]
    md5 = strict.md5_from_base64(spec["md5"]).hex()
    file = FileSpec(spec["name"], spec["md5"], f"artifacts/{artifact.id}/{md5}", artifact.id, True)
    if spec.get("uploadPartsInput"):
        file.upload_id = world.state.new_id("Upload")
        file.parts = [(part["partNumber"], part["hexMD5"]) for part in spec["uploadPartsInput"]]
    artifact.files[spec["name"]] = file
    return file


def part_key(file, number):
    return f"{file.key}.part{number}"


def offer_parts(world, file, mimetype):
    if not file.wanted or not file.parts or world.state.single_put:
        return None
    return {"uploadID": file.upload_id,
            "uploadUrlParts": [{"partNumber": number, "uploadUrl": part_url(world, file, number, md5, mimetype)}
                               for number, md5 in file.parts]}


def part_url(world, file, number, md5, mimetype):
    headers = [f"Content-MD5:{strict.base64_of_hex(md5)}", f"Content-Type:{mimetype or ''}"]
    return world.url("PUT", part_key(file, number), headers)


def complete_multipart(world, input):
    """Takes the ETags in the order of the parts, exactly as the store gave them."""
    specs = [f for a in world.state.artifacts.values() for f in a.files.values()]
    file = next((f for f in specs if f.upload_id == input["uploadID"]), None)
    if not file or file.key != input["storagePath"]:
        raise Refusal("parts", f"no upload {input['uploadID']} for {input['storagePath']}")
    wanted = [(number, f'"{strict.base64_of_hex(md5)}"') for number, md5 in file.parts]
    if [(part["partNumber"], part["hexMD5"]) for part in input["completedParts"]] != wanted:
        raise Refusal("parts", f"completedParts are not the ETags of the parts, in order: {input['completedParts'][:3]}")
    keys = [part_key(file, number) for number, _ in file.parts]
    if world.objects.exists(file.key):
        return {"digest": file.md5}
    if missing := [key for key in keys if not world.objects.exists(key)]:
        raise Refusal("parts", f"{missing[0]} was not uploaded")
    if sum(world.objects.size(key) for key in keys) < world.state.multipart_from:
        raise Refusal("parts", f"{file.name} is too small for parts")
    world.objects.join(file.key, keys)
    return {"digest": file.md5}


def commit_artifact(world, input):
    """Makes the version and its aliases visible. What is committed stays so, however often it is asked."""
    artifact = world.state.artifact(input["artifactID"])
    if artifact.state == "COMMITTED":
        return {"artifact": ArtifactView(world, artifact)}
    pending(world, artifact.id)
    artifact.contents = check_complete(world, artifact)
    artifact.state, artifact.version = "COMMITTED", len(artifact.collection.versions)
    artifact.collection.versions.append(artifact.id)
    artifact.collection.held.update({file.md5: file for file in artifact.files.values()})
    move_aliases(artifact, artifact.wanted_aliases)
    return {"artifact": ArtifactView(world, artifact)}


def move_aliases(artifact, aliases):
    for alias in aliases:
        artifact.collection.aliases[alias] = artifact.id


def use_artifact(world, input):
    run = world.state.run(input["entityName"], input["projectName"], input["runName"])
    artifact = world.state.artifact(input["artifactID"])
    if artifact.state != "COMMITTED":
        raise Refusal("order", f"artifact {artifact.id} is {artifact.state}")
    project = artifact.collection.project
    for name, held in (("artifactEntityName", project.entity), ("artifactProjectName", project.name)):
        if input.get(name) not in (None, held):
            raise Refusal("artifact", f"{name} is {held}, not {input[name]}")
    use = [artifact.id, input.get("usedAs")]
    if use not in run.uses:
        run.uses.append(use)
    if run.id not in artifact.used_by:
        artifact.used_by.append(run.id)
    return {"artifact": ArtifactView(world, artifact)}


def update_artifact(world, input):
    artifact = world.state.artifact(input["artifactID"])
    check_metadata(input.get("metadata"))
    for name, target in {"description": "description", "metadata": "metadata", "ttlDurationSeconds": "ttl"}.items():
        if input.get(name) is not None:
            setattr(artifact, target, input[name])
    added = [tag["tagName"] for tag in input.get("tagsToAdd") or []]
    gone = [tag["tagName"] for tag in input.get("tagsToDelete") or []]
    artifact.tags = [tag for tag in dict.fromkeys(artifact.tags + added) if tag not in gone]
    return {"artifact": ArtifactView(world, artifact)}


def add_aliases(world, input):
    artifact, names = aliased(world, input)
    for name in names:
        check_alias(name)
    move_aliases(artifact, names)
    return {"success": True}


def delete_aliases(world, input):
    artifact, names = aliased(world, input)
    for name in names:
        if artifact.collection.aliases.get(name) != artifact.id:
            raise Refusal("alias", f"{artifact.id} has no alias {name}")
        del artifact.collection.aliases[name]
    return {"success": True}


def aliased(world, input):
    artifact = world.state.artifact(input["artifactID"])
    for alias in input["aliases"]:
        path = f"{alias['entityName']}/{alias['projectName']}/{alias['artifactCollectionName']}"
        if path != artifact.collection.path:
            raise Refusal("alias", f"{artifact.id} is not in {path}")
    return artifact, [alias["alias"] for alias in input["aliases"]]


def delete_artifact(world, input):
    artifact = world.state.artifact(input["artifactID"])
    aliases = artifact.collection.aliases
    held = [alias for alias, target in aliases.items() if target == artifact.id]
    if held and not input["deleteAliases"]:
        raise Refusal("alias", f"artifact {artifact.id} has the aliases {', '.join(held)}")
    for alias in held:
        del aliases[alias]
    artifact.state = "DELETED"
    return {"artifact": ArtifactView(world, artifact)}
