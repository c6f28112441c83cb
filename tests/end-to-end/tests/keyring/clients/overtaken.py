"""A lookup that was long on its way, overtaken by a refresh: says which versions are handed out."""

import threading

from tokens import Keyring

refreshed = threading.Event()
looking = threading.Event()


class SlowLookup(Keyring):
    def _ask(self, method, path, body=None):
        if method == "GET":
            looking.set()
            refreshed.wait(30)
        return {
            "access_token": "token",
            "version": 1 if method == "GET" else 2,
            "expires_at": "2100-01-01T00:00:00Z",
            "marketplace": "temu",
            "app": "us",
            "api": {"app_key": "key"},
        }


keyring = SlowLookup("http://keyring", "us-east-1", None)
late = []
lookup = threading.Thread(target=lambda: late.append(keyring.token("temu/us/1").version))
lookup.start()
looking.wait(30)
second = keyring.token("temu/us/1", rejected_version=1).version
refreshed.set()
lookup.join()
print(second, late[0], keyring.token("temu/us/1").version)
