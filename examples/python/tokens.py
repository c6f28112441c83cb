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
from botocore.exceptions import BotoCoreError

# A token is fetched anew this many seconds before it ends. One that lasts longer is asked for, so that what comes is
# kept, by a clock that is half a minute off as well.
MARGIN = 60
MIN_TTL = 90
# For so many seconds nobody is asked again about a connection that has no token to give.
REFUSED_FOR = 120
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
    base_url: str | None
    app_key: str
    token_header: str | None


class Refused(Exception):
    """The keyring has no token to give. `code` is one of docs/errors.md, or tells what went wrong on the way.

    The same is not asked again until `not_before`.
    """

    def __init__(self, code, detail, not_before=0.0):
        super().__init__(detail)
        self.code, self.not_before = code, not_before


class Keyring:
    """May be used by many threads; keep one for the whole process."""

    def __init__(self, url, region, credentials):
        self._url, self._region, self._credentials = url, region, credentials
        self._lock = threading.Lock()
        self._tokens = {}
        # For each connection, by the version that was to be replaced, None for a lookup.
        self._refusals = {}
        self._fetches = {}

    def token(self, connection, rejected_version=None):
        """The token of a connection; another one than the version that the marketplace has rejected, if there is one.

        Callers who need the same wait for one fetch.
        """
        wanted = (connection, rejected_version)
        with self._lock:
            known = self._tokens.get(connection)
            if is_good(known, rejected_version):
                return known
            self._raise_what_is_remembered(connection, rejected_version)
            fetch = self._fetches.get(wanted)
            mine = fetch is None
            if mine:
                fetch = self._fetches[wanted] = Future()
        if mine:
            self._fetch(wanted, fetch)
        return fetch.result()

    def _fetch(self, wanted, fetch):
        try:
            answer = self._asked(*wanted)
            with self._lock:
                token = self._keep(*wanted, read(answer))
        except BaseException as error:
            with self._lock:
                del self._fetches[wanted]
            fetch.set_exception(error)
        else:
            with self._lock:
                del self._fetches[wanted]
            fetch.set_result(token)

    def _asked(self, connection, rejected_version):
        try:
            if rejected_version is None:
                return self._ask("GET", f"/v1/connections/{connection}/token?min_ttl={MIN_TTL}")
            body = {"rejected_version": rejected_version}
            return self._ask("POST", f"/v1/connections/{connection}/refresh", body)
        except Refused as refused:
            with self._lock:
                self._refusals.setdefault(connection, {})[rejected_version] = refused
                if not is_good(self._tokens.get(connection), rejected_version):
                    self._tokens.pop(connection, None)
            raise

    def _keep(self, connection, rejected_version, token):
        known = self._tokens.get(connection)
        if is_good(known, rejected_version) and known.version > token.version:
            # Another answer has overtaken this one.
            return known
        # Perhaps the marketplace does not take this version, and there is no other one yet.
        self._raise_what_is_remembered(connection, token.version)
        self._refusals.pop(connection, None)
        self._tokens[connection] = token
        return token

    def _raise_what_is_remembered(self, connection, rejected_version):
        refused = self._refusals.get(connection, {}).get(rejected_version)
        if refused and refused.not_before > time.time():
            raise refused.with_traceback(None)

    def _ask(self, method, path, body=None):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._send(method, path, body)
            except urllib3.exceptions.HTTPError as error:
                refused, wait = Refused("no_answer", type(error).__name__), 2**attempt
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
        try:
            credentials = self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise Refused("not_signed", type(error).__name__) from None
        SigV4Auth(credentials, "execute-api", self._region).add_auth(request)
        return HTTP.request(method, url, headers=dict(request.headers), body=data)


def is_good(token, rejected_version):
    return token is not None and token.version != rejected_version and token.expires_at - MARGIN > time.time()


def read(answer):
    api = answer["api"]
    return Token(
        access_token=answer["access_token"],
        version=answer["version"],
        expires_at=datetime.fromisoformat(answer["expires_at"]).timestamp(),
        marketplace=answer["marketplace"],
        app=answer["app"],
        base_url=api.get("base_url"),
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
    seconds = REFUSED_FOR if response.status in (404, 409, 410) else retry_after(response) or 0
    return Refused(answer.get("code", f"http_{response.status}"), detail, time.time() + seconds)


def seconds_to_wait(response, attempt):
    """Until the next attempt; None if another one is of no use."""
    if response.status not in (429, 500, 502, 503, 504):
        return None
    told = retry_after(response)
    return 2**attempt if told is None else told


def retry_after(response):
    told = response.headers.get("retry-after", "")
    return int(told) if told.isdecimal() else None
