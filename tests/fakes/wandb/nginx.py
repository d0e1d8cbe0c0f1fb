"""The object store served by nginx: the same folder, the same URLs, at the speed of a real store.

nginx checks the signature over method, path, time and headers by itself (secure_link), so
nothing is asked of Python while bytes move. What it refuses is read from its log. It
inherits its socket, so no port is guessed and it takes connections from the start, and it
ends with us, however we end.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess

from signing import PREFIX, SIGNED

PR_SET_PDEATHSIG = 1
VALUES = "|".join("$http_" + name.replace("-", "_") for name in SIGNED)

CONFIG = """
daemon off;
{user}
worker_processes auto;
pid {home}/pid;
error_log {home}/error.log error;
events {{ worker_connections 512; }}
http {{
    log_format said escape=json
        '{{"status":$status,"method":"$request_method","path":"$uri","length":"$request_length"}}';
    access_log {home}/access.log said;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/unused;
    fastcgi_temp_path {home}/unused;
    uwsgi_temp_path {home}/unused;
    scgi_temp_path {home}/unused;
    client_max_body_size 0;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    etag off;
    map $http_content_md5 $made_etag {{ "" ""; default "\\"$http_content_md5\\""; }}
    map "$request_method:$http_content_length" $no_length {{ "PUT:" 1; default ""; }}
    server {{
        listen {address};
        location {prefix} {{
            root {root};
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires|$request_method|$uri|{values}|{secret}";
            set $why missing;
            set $said 404;
            if ($http_authorization) {{ set $why credentials; set $said 400; return 400; }}
            if ($http_cookie) {{ set $why credentials; set $said 400; return 400; }}
            if ($http_transfer_encoding) {{ set $why length; set $said 501; return 501; }}
            if ($no_length) {{ set $why length; set $said 411; return 411; }}
            if ($secure_link = "") {{ set $why signature; set $said 403; return 403; }}
            if ($secure_link = "0") {{ set $why expired; set $said 403; return 403; }}
            error_page 400 403 404 411 501 = @refused;
            dav_methods PUT;
            create_full_put_path on;
            add_header ETag $made_etag;
        }}
        location @refused {{
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Transfer-Encoding "";
            proxy_set_header Authorization "";
            proxy_set_header X-Refused "$why $said $request_method";
            proxy_pass {own};
        }}
        location / {{ return 404; }}
    }}
}}
"""


class Nginx:
    def __init__(self, objects_folder, secret, own):
        self.home = os.path.join(os.path.dirname(objects_folder), "nginx")
        self.forgotten = 0                        # lines of the log
        os.makedirs(self.home, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            #  nginx makes no inherited socket non-blocking, and a worker that loses a race would block in accept.
            listener.setblocking(False)
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            self.base = f"http://{address}"
            self.configure(objects_folder, secret, address, own)
            self.start(listener)

    def configure(self, objects_folder, secret, address, own):
        text = CONFIG.format(home=self.home, root=os.path.dirname(objects_folder), prefix=PREFIX, values=VALUES,
                             secret=secret, address=address, own=own, user="user root;" if os.getuid() == 0 else "")
        with open(f"{self.home}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, listener):
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if not program:
            raise FileNotFoundError("no nginx: tools/deps --all installs it")
        descriptor = listener.fileno()
        self.process = subprocess.Popen(
            [program, "-p", self.home, "-e", f"{self.home}/error.log", "-c", f"{self.home}/nginx.conf"],
            env={"NGINX": f"{descriptor};"}, pass_fds=[descriptor], preexec_fn=end_with_parent,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def requests(self):
        """What the log says, one dictionary a request: status, method, path, length."""
        return [json.loads(line) for line in self.log_lines()[self.forgotten:]]

    def forget(self):
        self.forgotten = len(self.log_lines())

    def log_lines(self):
        try:
            with open(f"{self.home}/access.log", encoding="utf-8") as file:
                return file.readlines()
        except FileNotFoundError:
            return []


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
