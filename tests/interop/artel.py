"""artel.py - as much of artel.h as the tests need, through ctypes."""
import ctypes
import os

NEVER, ALLOW, MUST = range(3)
ACCEPTED, DURABLE, DELIVERED = 1, 2, 3
EFORKED = -10
WAIT_MS = 30000

lib = ctypes.CDLL(os.path.join(os.environ.get("ARTEL_LIB", "build/test/lib"), "libartel.so"))
lib.artel_error_name.restype = ctypes.c_char_p
lib.artel_open_error.restype = ctypes.c_char_p


class RunOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("project", ctypes.c_char_p), ("id", ctypes.c_char_p),
                ("name", ctypes.c_char_p), ("group", ctypes.c_char_p), ("job_type", ctypes.c_char_p),
                ("notes", ctypes.c_char_p), ("tags", ctypes.POINTER(ctypes.c_char_p)), ("resume", ctypes.c_int),
                ("hidden", ctypes.c_int)]


class Failed(Exception):
    pass


class Client:
    """artel_open, in the state directory of the environment."""

    def __init__(self):
        self.handle = ctypes.c_void_p()
        self.check(lib.artel_open(None, ctypes.byref(self.handle)), "artel_open")

    def check(self, rc, what):
        if rc != 0:
            text = ctypes.create_string_buffer(512)
            if self.handle:
                lib.artel_error(self.handle, text, len(text))
            raise Failed(f"{what}: {lib.artel_error_name(rc).decode()} {text.value.decode()} "
                         f"{lib.artel_open_error().decode()}")

    def start(self, run_id, resume=NEVER):
        return self._run(lib.artel_run_start, run_id, resume)

    def join(self, run_id, rank, world):
        return self._run(lib.artel_run_join, run_id, ALLOW, ctypes.c_uint32(rank), ctypes.c_uint32(world))

    def _run(self, function, run_id, resume, *args):
        options = RunOptions(size=ctypes.sizeof(RunOptions), id=run_id.encode(), resume=resume)
        handle = ctypes.c_void_p()
        self.check(function(self.handle, ctypes.byref(options), *args, ctypes.byref(handle)), run_id)
        return Run(self, handle)

    def sync(self):
        journals = ctypes.c_uint64()
        self.check(lib.artel_sync(self.handle, WAIT_MS, ctypes.byref(journals)), "artel_sync")
        return journals.value

    def close(self):
        self.check(lib.artel_close(ctypes.byref(self.handle), WAIT_MS), "artel_close")


class Run:
    def __init__(self, client, handle):
        self.client, self.handle = client, handle

    def try_log(self, step, value):
        return lib.artel_run_log(self.handle, b"v", ctypes.c_int64(step), ctypes.c_double(value))

    def log(self, step, value):
        self.client.check(self.try_log(step, value), "artel_run_log")

    def log_bytes(self, name, data):
        """An artifact, committed when this returns."""
        artifact, future = ctypes.c_void_p(), ctypes.c_void_p()
        check = self.client.check
        check(lib.artel_artifact_new(name.encode(), None, ctypes.byref(artifact)), "artel_artifact_new")
        check(lib.artel_artifact_add_bytes(artifact, b"data", data, ctypes.c_size_t(len(data))), "add_bytes")
        check(lib.artel_run_log_artifact(self.handle, artifact, ctypes.byref(future)), "artel_run_log_artifact")
        check(lib.artel_future_wait(future, WAIT_MS), "artel_future_wait")
        lib.artel_future_destroy(ctypes.byref(future))
        lib.artel_artifact_destroy(ctypes.byref(artifact))

    def flush(self, level):
        self.client.check(lib.artel_run_flush(self.handle, level, WAIT_MS), "artel_run_flush")

    def finish(self, code=0):
        self.client.check(lib.artel_run_finish(ctypes.byref(self.handle), code), "artel_run_finish")
