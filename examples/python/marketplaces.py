"""One signed call at each marketplace, with a token from the keyring and the app's secret."""

import hashlib
import hmac
import json
import re
import threading
import time
from urllib.parse import urlencode

import urllib3

HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=30), retries=False)


class TokenRejected(Exception):
    """The marketplace does not take the token."""


class CallFailed(Exception):
    """The call failed, and not for the token."""


class SignRejected(CallFailed):
    """The call is not signed as the marketplace expects: with the app's secret of before, perhaps."""


class AppSecrets:
    """What calls are signed with: read from Secrets Manager once for each app, and kept in memory."""

    def __init__(self, client, prefix):
        self._client, self._prefix = client, prefix
        self._locks, self._secrets = {}, {}

    def of(self, token, rejected=None):
        """The secret of the token's app; read again if the one in memory is the rejected one."""
        # Who needs the same waits for one reading, and nobody for another app's.
        with self._locks.setdefault(token.app_key, threading.Lock()):
            if self._secrets.get(token.app_key) in (None, rejected):
                name = f"{self._prefix}/apps/{token.marketplace}/{token.app}"
                secret = json.loads(self._client.get_secret_value(SecretId=name)["SecretString"])
                if secret["app_key"] != token.app_key:
                    raise CallFailed(f"{name} is the secret of another app key than the token's")
                self._secrets[token.app_key] = secret["app_secret"]
            return self._secrets[token.app_key]


def look(token, secrets):
    """What a token opens, in a few words."""
    if token.base_url is None:
        app = f"{token.marketplace}/{token.app}"
        raise CallFailed(f"the keyring does not know the app {app} any more: there is no api.base_url")
    look_at = {"tiktok-shop": shops_at_tiktok_shop, "temu": mall_at_temu}[token.marketplace]
    app_secret = secrets.of(token)
    try:
        return look_at(token, app_secret)
    except SignRejected:
        # Once: the secret may have been changed since it was read.
        return look_at(token, secrets.of(token, rejected=app_secret))


def shops_at_tiktok_shop(token, app_secret):
    path = "/authorization/202309/shops"
    query = {"app_key": token.app_key, "timestamp": str(int(time.time()))}
    query["sign"] = sign_for_tiktok_shop(app_secret, path, query)
    headers = {token.token_header: token.access_token, "content-type": "application/json"}
    response = HTTP.request("GET", f"{token.base_url}{path}?{urlencode(query)}", headers=headers)
    answer = read(response)
    code, message = answer.get("code"), str(answer.get("message", ""))
    # 36009004 is said of many things; of the token in several spellings.
    names_token = "access token" in re.sub("[-_]", " ", message.lower())
    if code in (105001, 105002) or (code == 36009004 and names_token):
        raise TokenRejected
    if code != 0:
        failed = SignRejected if code == 106001 else CallFailed
        raise failed(f"TikTok Shop answered {code}, request {answer.get('request_id')}")
    return "shops " + " ".join(shop["id"] for shop in answer["data"]["shops"])


def sign_for_tiktok_shop(app_secret, path, query, body=""):
    parameters = "".join(key + query[key] for key in sorted(query) if key not in ("sign", "access_token"))
    text = f"{app_secret}{path}{parameters}{body}{app_secret}"
    return hmac.new(app_secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def mall_at_temu(token, app_secret):
    call = {
        "type": "bg.open.accesstoken.info.get",
        "app_key": token.app_key,
        "access_token": token.access_token,
        "timestamp": int(time.time()),
        "data_type": "JSON",
    }
    call["sign"] = sign_for_temu(app_secret, call)
    headers = {"content-type": "application/json"}
    answer = read(HTTP.request("POST", token.base_url, headers=headers, body=compact(call)))
    code = answer.get("errorCode")
    # Unknown, expired or replaced, not authorized any more.
    if code in (3000030, 3000031, 3000034, 5000000):
        raise TokenRejected
    if not answer.get("success"):
        failed = SignRejected if code == 3000001 else CallFailed
        raise failed(f"Temu answered {code}, request {answer.get('requestId')}")
    return f"mall {answer['result']['mallId']}"


def sign_for_temu(app_secret, call):
    text = "".join(
        key + (call[key] if isinstance(call[key], str) else compact(call[key])) for key in sorted(call) if key != "sign"
    )
    return hashlib.md5(f"{app_secret}{text}{app_secret}".encode()).hexdigest().upper()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read(response):
    # A marketplace in trouble says nothing of the token.
    if response.status == 429 or response.status >= 500:
        raise CallFailed(f"the marketplace answered with HTTP {response.status}")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CallFailed(f"the marketplace answered with HTTP {response.status}")
    return answer
