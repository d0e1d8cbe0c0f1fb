"""The parts of one fake server, and what they need of each other."""
import hashlib
import threading

from faults import Faults
from objects import Objects
from run_views import ProjectView, RunView, UserView
from signing import Signer
from state import State
from strict import Record


class World:
    def __init__(self, entity, key, folder, secret):
        self.state, self.record, self.faults = State(entity, key), Record(), Faults()
        self.signer = Signer(secret, None)        # its base is set once the store listens
        self.own_store = None                     # base of our own store, if nginx serves the other
        self.objects = Objects(folder, self.signer)
        self.ending = threading.Event()           # the server ends: nobody is late any more

    def url(self, method, key, headers=()):
        """A signed URL; expired if a fault says so, and to our own store if one is to strike there."""
        expired = self.faults.take_expired(method)
        if self.own_store and self.faults.aims_at("objects"):
            return Signer(self.signer.secret, self.own_store).url(method, key, headers, expired)
        return self.signer.url(method, key, headers, expired)

    def run_file_key(self, run, name):
        return f"runs/{run.path}/{hashlib.sha256(name.encode()).hexdigest()}"

    def run_view(self, run_id):
        return RunView(self, self.state.run_by_id(run_id))

    def project_view(self, project):
        return ProjectView(self, project)

    def user_view(self):
        return UserView(self.state)
