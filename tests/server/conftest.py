"""A real Jupyter server with the extension as the wheel enables it, its own folders, a user and a password."""

from __future__ import annotations

import http.client
import http.cookies
import json
import os
import queue
import secrets
import socket
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "kernel_side/circuitboard/server/config/circuitboard.json"
PATIENCE_S = 300

# Refuses to let anyone read kernels who asks with ?as=guest, and lets all else pass.
GUARD = """
from jupyter_server.auth import Authorizer

class Guard(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        guest = handler.get_query_argument("as", "") == "guest"
        return not (guest and (action, resource) == ("read", "kernels"))
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running server. `token` is its own, `runtime` where its kernels' connection files lie."""

    port: int
    token: str
    runtime: Path
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def with_token(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    def ask(self, verb: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(verb, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            found = Answer(answer.status, dict(answer.getheaders()), answer.read())
            found.headers["Set-Cookie"] = "\n".join(answer.headers.get_all("Set-Cookie") or [])
            return found
        finally:
            connection.close()

    def log_in(self) -> dict[str, str]:
        """A browser's cookies after it came with the token once: its headers from then on."""
        answer = self.ask("GET", f"/login?token={self.token}&next=/api")
        jar = http.cookies.SimpleCookie()
        for line in answer.headers["Set-Cookie"].splitlines():
            jar.load(line)
        return {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())}

    def start_kernel(self) -> str:
        answer = self.ask("POST", "/api/kernels", self.with_token | {"Content-Type": "application/json"}, b"{}")
        assert answer.status == 201, answer.body
        return answer.json["id"]

    def client(self, kernel: str):
        """Speak to a kernel past the server, over its connection file."""
        from jupyter_client import BlockingKernelClient

        found = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{kernel}.json"))
        found.load_connection_file()
        found.start_channels()
        # Not `wait_for_ready`: it takes a kernel whose heart misses a beat of one second for dead, as a busy machine's may.
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers(found):
            assert time.monotonic() < deadline, f"kernel {kernel} answers nothing"
        return found

    def _answers(self, client) -> bool:
        """Whether a kernel answers and its news arrive."""
        client.kernel_info()
        try:
            client.get_shell_msg(timeout=1)
            client.get_iopub_msg(timeout=1)
        except queue.Empty:
            return False
        return True

    def boards(self) -> dict[str, Any]:
        answer = self.ask("GET", BOARDS, self.with_token)
        assert answer.status == 200, answer.body
        return answer.json


BOARDS = "/circuitboard/api/boards"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "guard.py").write_text(GUARD)
    config, runtime, log = folder / "config", folder / "runtime", folder / "server.log"
    (config / "jupyter_server_config.d").mkdir(parents=True)
    (config / "jupyter_server_config.d/circuitboard.json").write_text(CONFIG.read_text())
    token = secrets.token_hex(8)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_NO_CONFIG": "",
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "kernel_side"), str(ROOT)]),
    }
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", "--ip=127.0.0.1", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}", "--ServerApp.authorizer_class=guard.Guard",
    ]  # fmt: skip
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env) as process:
        running = Server(port, token, runtime, log)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                try:
                    running.ask("GET", f"/api?token={urllib.parse.quote(token)}")
                    break
                except OSError:
                    time.sleep(0.1)
            yield running
        finally:
            process.terminate()
            process.wait(30)
