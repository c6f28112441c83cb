"""Calls a marketplace for connections of the keyring: their names come by standard input, those of one line are called
at the same time.

    echo tiktok-shop/us/7010736057180325637 | python call.py
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import botocore.session
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from tokens import Keyring, Refused
from marketplaces import AppSecrets, CallFailed, TokenRejected, look

WHAT_TO_DO = {
    "connection_not_found": "the seller connects through a connect session",
    "pending": "confirm the connect session",
    "reauthorization_required": "send the seller through a connect session",
    "disconnected": "forget the connection",
    "refresh_failed": "try again later",
    "check_failed": "try again later",
    "storage_unavailable": "try again later",
}


def call(keyring, secrets, connection):
    token = keyring.token(connection)
    try:
        seen = look(token, secrets)
    except TokenRejected:
        token = keyring.token(connection, rejected_version=token.version)
        seen = look(token, secrets)
    return f"{connection}: version {token.version}, {seen}"


def told(keyring, secrets, connection):
    """How the call went, in a line, and whether it went well."""
    try:
        return call(keyring, secrets, connection), True
    except Refused as refused:
        what_to_do = WHAT_TO_DO.get(refused.code, "see docs/errors.md")
        return f"{connection}: {refused.code}, {what_to_do} ({refused})", False
    except TokenRejected:
        return f"{connection}: token_rejected, and the keyring has no other one", False
    except (CallFailed, BotoCoreError, ClientError, urllib3.exceptions.HTTPError) as error:
        # An error's text may have the URL in it, and at other calls a URL may have secrets.
        reason = error if isinstance(error, CallFailed) else type(error).__name__
        return f"{connection}: call_failed, {reason}", False


def needed(name):
    return os.environ.get(name) or sys.exit(f"Set {name}")


def main():
    session = botocore.session.get_session()
    region = needed("AWS_REGION")
    credentials = session.get_credentials() or sys.exit("There are no AWS credentials")
    keyring = Keyring(needed("KEYRING_URL").rstrip("/"), region, credentials)
    client = session.create_client("secretsmanager", region_name=region)
    secrets = AppSecrets(client, os.environ.get("SECRET_PREFIX", "shop-keyring"))
    all_well = True
    with ThreadPoolExecutor(max_workers=32) as callers:
        for line in sys.stdin:
            for words, well in callers.map(lambda name: told(keyring, secrets, name), line.split()):
                print(words, flush=True)
                all_well = all_well and well
    sys.exit(0 if all_well else 1)


if __name__ == "__main__":
    main()
