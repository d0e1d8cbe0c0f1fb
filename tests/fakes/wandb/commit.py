"""What must be true of an artifact before its version is visible: files, manifest, digest."""
import hashlib
import json

import strict
from state import Refusal

POLICY = {"version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": {"storageLayout": "V2"}}
#  What W&B's own client leaves in the file, and a reader ignores.
LEAKED = {"skip_cache", "local_path"}
ENTRY = {"digest", "size", "birthArtifactID", "ref", "extra"}


def check_complete(world, artifact):
    """The contents of the manifest, or a Refusal."""
    manifest = artifact.manifests.get("FULL")
    if not manifest or not manifest.digest:
        raise Refusal("order", "commitArtifact before the manifest was final")
    if not world.objects.exists(manifest.key):
        raise Refusal("missing", "the manifest was not uploaded")
    if world.objects.md5(manifest.key) != manifest.digest:
        raise Refusal("digest", "the manifest has another MD5 than was said")
    contents = read_manifest(world.objects.read(manifest.key))
    for path, entry in contents.items():
        check_entry(world, artifact, path, entry)
    check_files(world, artifact, contents)
    if manifest_digest(contents) != artifact.digest:
        raise Refusal("digest", f"the digest of the manifest is {manifest_digest(contents)}, not {artifact.digest}")
    return contents


def read_manifest(raw):
    try:
        manifest = json.loads(raw, parse_constant=strict.no_constant)
    except ValueError as bad:
        raise Refusal("manifest", f"the manifest is no JSON: {bad}") from bad
    head = {key: value for key, value in manifest.items() if key != "contents"}
    if head != POLICY or not isinstance(manifest.get("contents"), dict):
        raise Refusal("manifest", f"the head of the manifest is {head}")
    return manifest["contents"]


def check_entry(world, artifact, path, entry):
    if not strict.is_path(path):
        raise Refusal("path", f"bad path {path!r} in the manifest")
    if unknown := set(entry) - ENTRY - LEAKED:
        raise Refusal("manifest", f"{path} has {', '.join(sorted(unknown))}")
    if leaked := set(entry) & LEAKED:
        world.record.warn("leak", "manifest", f"entries have {', '.join(sorted(leaked))}")
    if not isinstance(entry.get("digest"), str) or not entry["digest"]:
        raise Refusal("digest", f"{path} has no digest")
    if "size" in entry and (type(entry["size"]) is not int or entry["size"] < 0):
        raise Refusal("size", f"{path} has the size {entry['size']!r}")
    if "ref" in entry:
        check_reference(path, entry)
    else:
        check_file(world, artifact, path, entry)


def check_reference(path, entry):
    if "birthArtifactID" in entry:
        raise Refusal("manifest", f"the reference {path} has a birthArtifactID")
    if not isinstance(entry["ref"], str) or ":" not in entry["ref"]:
        raise Refusal("manifest", f"{path} refers to {entry['ref']!r}")
    if entry["ref"].startswith("wandb-client-artifact:"):
        raise Refusal("manifest", f"{path} refers to a client id")


def check_file(world, artifact, path, entry):
    file = artifact.files.get(path)
    if not file:
        raise Refusal("missing", f"{path} is in the manifest, but in no createArtifactFiles")
    if entry["digest"] != file.md5:
        raise Refusal("digest", f"{path} has the digest {entry['digest']}, but was announced with {file.md5}")
    if str(entry.get("birthArtifactID")) != file.birth:
        raise Refusal("birth", f"{path} has the birthArtifactID {entry.get('birthArtifactID')}, not {file.birth}")
    if not world.objects.exists(file.key):
        raise Refusal("missing", f"{path} was not uploaded")
    if entry.get("size", 0) != world.objects.size(file.key):
        raise Refusal("size", f"{path} has {world.objects.size(file.key)} bytes, not {entry.get('size', 0)}")
    large = entry.get("size", 0) >= world.state.multipart_from
    if large and file.wanted and not file.parts and not world.state.single_put:
        raise Refusal("parts", f"{path} has {entry['size']} bytes and came in one PUT")
    if file.wanted and world.state.verify_bytes and world.objects.md5(file.key) != file.md5:
        raise Refusal("digest", f"the bytes of {path} have another MD5")


def check_files(world, artifact, contents):
    if left := set(artifact.files) - set(contents):
        raise Refusal("manifest", f"{sorted(left)[0]} was announced, but is not in the manifest")


def manifest_digest(contents):
    text = "".join(f"{path}:{contents[path]['digest']}\n" for path in sorted(contents))
    return hashlib.md5(b"wandb-artifact-manifest-v1\n" + text.encode()).hexdigest()
