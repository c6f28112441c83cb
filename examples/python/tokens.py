"""Tokens from Shop Keyring: signed requests, a copy in memory until shortly before each token ends."""

import json
import random
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

# A token is fetched anew this many seconds before it ends: as long as one is good for that is served (`min_ttl`).
MARGIN = 60
# How often a request is sent at most, and how many seconds are waited for the next time at most.
ATTEMPTS = 3
LONGEST_WAIT = 20
# The keyring answers within 20 seconds.
HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=30), retries=False)


@dataclass(frozen=True)
class Token:
    access_token: str = field(repr=False)
    version: int
    expires_at: float
    marketplace: str
    app: str
    base_url: str
    app_key: str
    token_header: str | None


class Refused(Exception):
    """The keyring has no token to give. `code` is one of docs/api.md; `status` is None if there was no answer."""

    def __init__(self, status, code, detail):
        super().__init__(detail)
        self.status, self.code = status, code


class Keyring:
    """May be used by many threads; keep one for the whole process."""

    def __init__(self, url, region, credentials):
        self._url, self._region, self._credentials = url, region, credentials
        self._lock = threading.Lock()
        self._tokens = {}
        self._fetches = {}

    def token(self, connection, rejected_version=None):
        """The token of a connection; another one than the version that the marketplace has rejected, if there is one.

        Callers who need the same wait for one fetch.
        """
        wanted = (connection, rejected_version)
        with self._lock:
            known = self._tokens.get(connection)
            if known and known.version != rejected_version and known.expires_at - MARGIN > time.time():
                return known
            fetch = self._fetches.get(wanted)
            mine = fetch is None
            if mine:
                fetch = self._fetches[wanted] = Future()
        if mine:
            self._fetch(wanted, fetch)
        return fetch.result()

    def _fetch(self, wanted, fetch):
        connection, rejected_version = wanted
        try:
            if rejected_version is None:
                answer = self._ask("GET", f"/v1/connections/{connection}/token")
            else:
                body = {"rejected_version": rejected_version}
                answer = self._ask("POST", f"/v1/connections/{connection}/refresh", body)
            token = read(answer)
        except BaseException as error:
            with self._lock:
                self._tokens.pop(connection, None)
                del self._fetches[wanted]
            fetch.set_exception(error)
        else:
            with self._lock:
                self._tokens[connection] = token
                del self._fetches[wanted]
            fetch.set_result(token)

    def _ask(self, method, path, body=None):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._send(method, path, body)
            except urllib3.exceptions.HTTPError as error:
                refused, wait = Refused(None, "no_answer", type(error).__name__), 2**attempt
            else:
                if response.status == 200:
                    return response.json()
                refused, wait = problem(response), seconds_to_wait(response, attempt)
            if wait is None or wait > LONGEST_WAIT or attempt == ATTEMPTS:
                raise refused
            # Not all at the same moment.
            time.sleep(wait + random.random())

    def _send(self, method, path, body):
        url, data = self._url + path, json.dumps(body) if body else None
        request = AWSRequest(method, url, headers={"content-type": "application/json"}, data=data)
        # Temporary credentials are renewed by botocore; their session token is signed along.
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
        return HTTP.request(method, url, headers=dict(request.headers), body=data)


def read(answer):
    api = answer["api"]
    return Token(
        access_token=answer["access_token"],
        version=answer["version"],
        expires_at=datetime.fromisoformat(answer["expires_at"]).timestamp(),
        marketplace=answer["marketplace"],
        app=answer["app"],
        base_url=api["base_url"],
        app_key=api["app_key"],
        token_header=api.get("token_header"),
    )


def problem(response):
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    # API Gateway's own refusals have a `message` alone.
    detail = answer.get("detail") or answer.get("message") or "no reason given"
    return Refused(response.status, answer.get("code", f"http_{response.status}"), detail)


def seconds_to_wait(response, attempt):
    """Until the next attempt; None if another one is of no use."""
    if response.status not in (429, 500, 502, 503, 504):
        return None
    told = response.headers.get("retry-after", "")
    return int(told) if told.isdigit() else 2**attempt
