"""power.py - a power cut: of a folder only what was synced is left.

libstep.so keeps what programs sync below the folder (synced.h): of a file the bytes of its
last fdatasync, of a folder the names of its last fsync. What was not synced is lost, all
of it, which is the worst that a disk that does not lie may do.
"""
import os
import shutil
import tempfile


class Power:
    def __init__(self, root):
        """What is in the folder root now is synced."""
        self.root = root
        self.kept = tempfile.mkdtemp(prefix="artel-synced-", dir=os.path.dirname(root))
        self.env = {"STEP_SYNCED": self.kept}
        self.save()

    def save(self):
        for folder, _, _ in os.walk(self.root):
            with os.scandir(folder) as entries, open(self.file_of_names(os.stat(folder).st_ino), "w",
                                                     encoding="utf-8") as names:
                for entry in entries:
                    names.write(f"{entry.inode()} {'d' if entry.is_dir() else 'f'} {entry.name}\n")
                    if not entry.is_dir():
                        shutil.copyfile(entry.path, f"{self.kept}/{entry.inode()}")

    def file_of_names(self, inode):
        return f"{self.kept}/{inode}.names"

    def names(self, inode):
        """The (inode, kind, name) in a folder; one that was never synced is empty."""
        if not os.path.exists(self.file_of_names(inode)):
            return []
        with open(self.file_of_names(inode), encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(" ", 2) for line in file]
        return [(int(inode), kind, name) for inode, kind, name in lines if name not in (".", "..")]

    def cut(self):
        """Leave in the folder what was synced; that is on the disk now."""
        above = {os.stat(f"{folder}/{name}").st_ino: os.stat(folder).st_ino
                 for folder, names, _ in os.walk(self.root) for name in names}
        left = tempfile.mkdtemp(prefix="artel-box-", dir=os.path.dirname(self.root))
        self.restore(os.stat(self.root).st_ino, left, above)
        shutil.rmtree(self.root)
        os.rename(left, self.root)
        self.remove()
        os.mkdir(self.kept)
        self.save()

    def restore(self, folder, to, above):
        """above: in which folder a folder was when the power went."""
        for inode, kind, name in self.names(folder):
            if kind == "f":
                self.restore_file(inode, f"{to}/{name}")
            elif not self.has_moved(inode, folder, above):
                os.mkdir(f"{to}/{name}", 0o700)
                self.restore(inode, f"{to}/{name}", above)

    def has_moved(self, inode, folder, above):
        """A rename is in both folders or in none: where the new one is synced, the old one is, too."""
        now = above.get(inode, folder)
        return now != folder and any(inode == moved for moved, _, _ in self.names(now))

    def restore_file(self, inode, to):
        """A file of which only the name was synced is empty."""
        kept = f"{self.kept}/{inode}"
        shutil.copyfile(kept if os.path.exists(kept) else os.devnull, to)
        os.chmod(to, 0o600)

    def remove(self):
        shutil.rmtree(self.kept, ignore_errors=True)
