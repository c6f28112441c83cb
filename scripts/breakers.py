"""Lists the circuit breakers of a stack, or resets one: the items `health/…` in the table of the connections.

Run by `make breakers STACK=shop-keyring`, and with ARGS="--reset lane/tiktok-shop/us" to reset one. A reset deletes the item, so
that the functions ask again at once; the counts of refusals (`evidence/…`) stay.

Needs secretsmanager:DescribeSecret and GetSecretValue for the secret `{stack}/apps`, with its key if it has one,
cloudformation:DescribeStacks, and on the table of the connections dynamodb:BatchGetItem, for --reset dynamodb:DeleteItem.
"""

import argparse
import re
import sys
import time

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from app_entry import hosts, problems
from app_registry import Refused
from app_secrets import Apps, connections_table

BATCH = 100
VAULT = "vault/secrets-manager"
NAME = re.compile(rf"host/[a-z0-9.:-]+|lane/(tiktok-shop|temu)/[a-z0-9-]{{1,32}}|{VAULT}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", help="the stack's name")
    parser.add_argument("--reset", metavar="BREAKER", help="one of those listed, such as lane/tiktok-shop/us")
    options = parser.parse_args()
    if not options.stack:
        parser.error("name the stack: make breakers STACK=shop-keyring")
    return options


def breakers_of(registry):
    """All breakers that the apps of a registry have to do with, as far as their entries can be used."""
    usable = {path: entry for path, entry in registry.items() if not problems(path, entry)}
    found = [f"host/{host}" for host in sorted({host for path, entry in usable.items() for host in hosts(path, entry)})]
    return found + [f"lane/{path}" for path in sorted(usable)] + [VAULT]


def states(table, breakers):
    """The states of those that have an item."""
    client, read = boto3.client("dynamodb"), TypeDeserializer().deserialize
    found = {}
    for begin in range(0, len(breakers), BATCH):
        wanted = {table: {"Keys": [{"connection": {"S": f"health/{name}"}} for name in breakers[begin : begin + BATCH]]}}
        while wanted:
            response = client.batch_get_item(RequestItems=wanted)
            for item in response["Responses"].get(table, []):
                name = item["connection"]["S"].removeprefix("health/")
                found[name] = read(item["state"])
            wanted = response.get("UnprocessedKeys")
    return found


def described(state, now):
    """What a state means, in words; `now` in Unix seconds."""
    if opened := state.get("open"):
        left = int(opened["until"]) - now
        why = "the marketplace has asked for a pause" if opened.get("asked") else "after failures"
        return f"open, {why}: the next try in {left} s" if left > 0 else f"open, {why}: the next try is due"
    if failures := state.get("failures"):
        return f"closed; the last {len(failures)} failed"
    return "closed"


def reset(table, breaker):
    key = {"connection": {"S": f"health/{breaker}"}}
    boto3.client("dynamodb").delete_item(TableName=table, Key=key)


def run(options):
    breakers = breakers_of(Apps(options.stack).read())
    table = connections_table(options.stack)
    if options.reset:
        # An app may have left the registry.
        if not NAME.fullmatch(options.reset):
            raise Refused(f"{options.reset} is no circuit breaker. Those of this stack are: {', '.join(breakers)}.")
        reset(table, options.reset)
        print(f"{options.reset} is closed. Runs of the schedule know it within five seconds.")
        return
    found, now = states(table, breakers), int(time.time())
    width = max(len(name) for name in breakers)
    for name in breakers:
        print(f"{name:{width}}  {described(found.get(name, {}), now)}")


def main():
    try:
        run(arguments())
    except Refused as refused:
        sys.exit(f"breakers: {refused}")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"breakers: {error}")


if __name__ == "__main__":
    main()
