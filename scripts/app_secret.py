"""Writes what an app is known by at its marketplace into its secret in Secrets Manager, without it ever being in a
command line, a file or the shell's history.

Run by `make app-secret STACK=shop-keyring APP=tiktok-shop/us`. Asks for the app key, the app secret and, at TikTok Shop,
the service id; from a pipe it reads them in this order, a line each.
"""

import argparse
import getpass
import json
import re
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

APPS = ["tiktok-shop/us", "tiktok-shop/global", "temu/us", "temu/eu", "temu/global", "temu/product"]


class Refused(Exception):
    """What is wrong, and what to do."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", help="the stack's name")
    parser.add_argument("app", choices=APPS, help="marketplace and app")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--rotate", action="store_true", help="a new app secret; the present one stays beside it")
    change.add_argument("--forget-previous", action="store_true", help="the rotation is over: take the previous one away")
    return parser.parse_args()


def ask(what, hidden=False):
    if not sys.stdin.isatty():
        answer = sys.stdin.readline()
    else:
        answer = getpass.getpass(f"{what} (not shown): ") if hidden else input(f"{what}: ")
    answer = answer.strip()
    if not re.fullmatch(r"[!-~]+", answer):
        raise Refused(f"The {what} is empty, or has spaces in it. Nothing was written.")
    return answer


def whole(app):
    credentials = {"app_key": ask("app key"), "app_secret": ask("app secret", hidden=True)}
    if app.startswith("tiktok-shop/"):
        credentials["service_id"] = ask("service id")
    return credentials


def rotated(present):
    secret = ask("new app secret", hidden=True)
    if secret == present["app_secret"]:
        raise Refused("This is the app secret that is there already. Nothing was written.")
    return {**present, "app_secret": secret, "previous_app_secret": present["app_secret"]}


def without_previous(present):
    if "previous_app_secret" not in present:
        raise Refused("There is no previous app secret. Nothing was written.")
    return {name: value for name, value in present.items() if name != "previous_app_secret"}


def present(secrets, name):
    try:
        return json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    except secrets.exceptions.ResourceNotFoundException:
        raise Refused(f"The secret {name} is empty: write it without --rotate first.") from None


def write(options):
    secrets = boto3.client("secretsmanager")
    name = f"{options.stack}/apps/{options.app}"
    try:
        secrets.describe_secret(SecretId=name)
    except secrets.exceptions.ResourceNotFoundException:
        raise Refused(
            f"There is no secret {name} in this account and Region. Set the app up in the stack's parameters and deploy."
        ) from None
    if options.rotate:
        credentials = rotated(present(secrets, name))
    elif options.forget_previous:
        credentials = without_previous(present(secrets, name))
    else:
        credentials = whole(options.app)
    written = secrets.put_secret_value(SecretId=name, SecretString=json.dumps(credentials))
    print(f"Written: {name}, version {written['VersionId']}. The functions take it up within five minutes.")


def main():
    try:
        write(arguments())
    except Refused as refused:
        sys.exit(f"app-secret: {refused}")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"app-secret: {error}")


if __name__ == "__main__":
    main()
