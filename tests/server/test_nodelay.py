"""The server extension, in a real Jupyter server: kernel websockets send at once, and nothing else changes."""

import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

from circuitboard.server.nodelay import send_kernel_messages_at_once

CONFIG = Path(__file__).parents[2] / "kernel_side/circuitboard/server/config/circuitboard.json"

# Reports the option of each kernel websocket once it is open, from inside the server.
PROBE = """
import socket
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler as Handler

def _load_jupyter_server_extension(server):
    opened = Handler.open

    async def open_and_report(self, *args, **kwargs):
        await opened(self, *args, **kwargs)
        sock = self.ws_connection.stream.socket
        print("NODELAY", bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)), flush=True)

    Handler.open = open_and_report

def _jupyter_server_extension_points():
    return [{"module": "nodelay_probe"}]
"""


def reported_nodelay(folder: Path, *, enabled: bool) -> list[str]:
    """Start a server, open a kernel websocket, and return what the probe printed."""
    import websocket

    (folder / "nodelay_probe.py").write_text(PROBE)
    config = folder / "config"
    (config / "jupyter_server_config.d").mkdir(parents=True)
    shipped = json.loads(CONFIG.read_text())
    shipped["ServerApp"]["jpserver_extensions"]["circuitboard.server"] &= enabled
    shipped["ServerApp"]["jpserver_extensions"]["nodelay_probe"] = True
    (config / "jupyter_server_config.d/circuitboard.json").write_text(json.dumps(shipped))
    token = secrets.token_hex(8)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kernel_side = str(Path(__file__).parents[2] / "kernel_side")
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_NO_CONFIG": "",
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "PYTHONPATH": os.pathsep.join([str(folder), kernel_side]),
    }
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", "--ip=127.0.0.1", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    log = folder / "server.log"
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env) as server:
        try:
            base = f"127.0.0.1:{port}"
            deadline = time.monotonic() + 60
            while True:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                try:
                    urllib.request.urlopen(f"http://{base}/api?token={token}", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.1)
            start = urllib.request.Request(
                f"http://{base}/api/kernels",
                data=b"{}",
                headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(start, timeout=60) as answer:
                kernel = json.load(answer)["id"]
            channel = websocket.create_connection(
                f"ws://{base}/api/kernels/{kernel}/channels?token={token}&session_id=test", timeout=60
            )
            while "NODELAY" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            channel.close()
        finally:
            server.terminate()
            server.wait(30)
    return [line for line in log.read_text().splitlines() if line.startswith("NODELAY")]


@pytest.mark.timeout(120)
def test_a_kernel_websocket_of_a_real_server_has_tcp_nodelay(tmp_path):
    assert reported_nodelay(tmp_path, enabled=True) == ["NODELAY True"]


@pytest.mark.timeout(120)
def test_without_the_extension_a_kernel_websocket_waits(tmp_path):
    """The oracle: if this ever fails, jupyter_server sets the option itself and the extension can go."""
    assert reported_nodelay(tmp_path, enabled=False) == ["NODELAY False"]


class TestGuards:
    @pytest.fixture(autouse=True)
    def restore(self, monkeypatch):
        monkeypatch.setattr(KernelWebsocketHandler, "open", KernelWebsocketHandler.open)

    def test_setting_twice_wraps_once(self):
        log = logging.getLogger("circuitboard.test")
        assert send_kernel_messages_at_once(log)
        once = KernelWebsocketHandler.open
        assert send_kernel_messages_at_once(log)
        assert KernelWebsocketHandler.open is once

    def test_a_server_without_such_a_handler_is_only_warned(self, monkeypatch, caplog):
        monkeypatch.setitem(sys.modules, "jupyter_server.services.kernels.websocket", None)
        with caplog.at_level(logging.WARNING):
            assert not send_kernel_messages_at_once(logging.getLogger("circuitboard.test"))
        assert "TCP_NODELAY" in caplog.text

    def test_a_websocket_that_refuses_still_opens(self, monkeypatch, caplog):
        class Refusing:
            def set_nodelay(self, value):
                raise OSError("no such option")

        monkeypatch.setattr(KernelWebsocketHandler, "open", lambda handler, kernel_id: ("opened", kernel_id))
        with caplog.at_level(logging.WARNING):
            send_kernel_messages_at_once(logging.getLogger("circuitboard.test"))
            assert KernelWebsocketHandler.open(Refusing(), "k") == ("opened", "k")
        assert "no such option" in caplog.text
