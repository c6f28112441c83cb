"""The sandbox as a process: `with Sandbox() as sandbox`. Its keyring can be asked with signed requests."""

import json
import os
import pathlib
import random
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/sandbox"

# Ports that the sandbox takes from its base port on.
PORTS = 12

# Below the ports that Linux gives to outgoing connections.
BASE_PORTS = range(20_000, 32_000, 20)

STARTS_WITHIN = 60


class Sandbox:
    """Nobody is connected at first. `vendor` is the demo application's address, `keyring` that of the pages for sellers and
    of the API."""

    def __enter__(self):
        base_port = free_base_port()
        command = [PROGRAM, "--no-walk", "--base-port", str(base_port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # A sandbox that hangs is ended, which ends the loop below.
        timer = threading.Timer(STARTS_WITHIN, self.process.kill)
        timer.start()
        self.exports, said = {}, []
        for line in self.process.stdout:
            said.append(line)
            if exported := re.match(r"export (\w+)=(\S+)", line):
                self.exports[exported[1]] = exported[2]
            elif self.exports and not line.strip():
                break
        else:
            self.process.wait()
            raise RuntimeError(f"the sandbox has not started; {PROGRAM} said:\n{''.join(said)}")
        timer.cancel()
        # It goes on to tell of sweeps: nobody reads that, but a full pipe would stop it.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.keyring = self.exports["KEYRING_URL"]
        self.vendor = f"http://127.0.0.1:{base_port + 1}"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def ask(self, path):
        """Status and JSON of a signed GET of the API."""
        request = AWSRequest("GET", self.keyring + path)
        key = Credentials(self.exports["AWS_ACCESS_KEY_ID"], self.exports["AWS_SECRET_ACCESS_KEY"])
        SigV4Auth(key, "execute-api", self.exports["AWS_REGION"]).add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers))) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def token(self, connection):
        """Status and response of a service's question for the token, as it stands."""
        return self.ask(f"/v1/connections/{connection}/token?min_ttl=0")


def free_base_port():
    # By chance, so that two runs at once do not want the same ones.
    for base_port in random.sample(BASE_PORTS, len(BASE_PORTS)):
        if all(is_free(port) for port in range(base_port, base_port + PORTS)):
            return base_port
    raise RuntimeError("no free ports for the sandbox")


def is_free(port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
