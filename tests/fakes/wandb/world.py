"""The parts of one fake server, and what they need of each other."""
import hashlib
import threading

from dialect import url_in
from faults import Faults
from objects import Objects
from run_views import ProjectView, RunView, UserView
from signing import LIFETIME_S, Signer
from state import State
from strict import Record


class World:
    def __init__(self, entity, key, folder, secret):
        self.state = State(entity, key)
        self.record, self.faults = Record(), Faults()
        self.signer = Signer(secret, None)        # its base is set once the store listens
        self.nginx = None                         # the process that serves the objects, if not we
        self.own_store = None                     # base of our own store, if nginx serves the other
        self.objects = Objects(folder, self.signer)
        self.ending = threading.Event()           # the server ends: nobody is late any more

    def reset(self):
        """Ids go on, so no key of an object comes again."""
        numbers = self.state.numbers
        self.state = State(self.state.entity, self.state.key)
        self.state.numbers = numbers
        self.record, self.faults = Record(), Faults()
        self.signer.lifetime_s = LIFETIME_S

    def url(self, method, key, headers=()):
        """A signed URL; expired if a fault says so, and to our own store if one is to strike there."""
        expired = self.faults.take_expired(method)
        signer = self.signer
        if self.own_store and self.faults.aims_at("objects"):
            signer = Signer(signer.secret, self.own_store)
        return url_in(self.state.dialect, signer.url(method, key, headers, expired), signer.base)

    def requests(self):
        """What came here, and to nginx."""
        said = self.nginx.requests() if self.nginx else []
        return self.record.requests + [{"at": "objects", "operation": None, "headers": None, **r} for r in said]

    def run_file_key(self, run, name):
        return f"runs/{run.path}/{hashlib.sha256(name.encode()).hexdigest()}"

    def run_view(self, run_id):
        return RunView(self, self.state.run_by_id(run_id))

    def project_view(self, project):
        return ProjectView(self, project)

    def user_view(self):
        return UserView(self.state)
