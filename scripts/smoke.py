"""Looks whether a deployed stack works, with your own AWS credentials: make smoke STACK=shop-keyring. Changes nothing.

Needs, beside the stack's operator policy: cloudformation:DescribeStacks, logs:FilterLogEvents, and for the secrets
`{stack}/apps` and `{stack}/apps/*` secretsmanager:DescribeSecret; for the first of them also secretsmanager:GetSecretValue.
The last line, with the addresses that the marketplaces see, needs what fixed_addresses.py names, or says what is missing.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

import app_entry
import fixed_addresses
from app_registry import Refused
from app_secrets import Apps

# The sweep runs each minute; its log line takes some seconds to be found.
SWEEP_WITHIN = 180


class Wrong(Exception):
    """What a check has found, and what to do about it."""


def fetch(url, credentials=None, region=None):
    """Status, headers and body. Signed with IAM, if there are credentials to sign with."""
    request = AWSRequest("GET", url, headers={"host": urlsplit(url).netloc})
    if credentials:
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    # Where AWS itself is somewhere else, as in tests, so are its APIs.
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    target = endpoint.rstrip("/") + urlsplit(url).path if endpoint else url
    try:
        answer = urllib.request.urlopen(urllib.request.Request(target, headers=dict(request.headers)), timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read()


def outputs(stack):
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    if not described["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in described["StackStatus"]:
        raise Wrong(f"the stack is {described['StackStatus']}: see its events")
    return {it["OutputKey"]: it.get("OutputValue", "") for it in described["Outputs"]}


def signed_request(url, session):
    status, _, body = fetch(f"{url}/v1/openapi.json", session.get_credentials(), session.region_name)
    if status == 403:
        raise Wrong("the signed request got 403: be an administrator, or a role with the policy of the output OperatorPolicy")
    if status != 200 or "openapi" not in json.loads(body):
        raise Wrong(f"the signed request got {status}: see the log of token-lookup")


def unsigned_request(url):
    status, _, _ = fetch(f"{url}/v1/openapi.json")
    if status != 403:
        raise Wrong(f"a request without a signature got {status} instead of 403: do not use this stack")


def sellers_page(url):
    status, headers, _ = fetch(f"{url}/connect/smoke")
    if status != 404 or "content-security-policy" not in headers:
        raise Wrong(f"an unknown connect link got {status} and not the page that says so: see the log of oauth-callback")


def nothing_of_the_services_in_public(url):
    status, headers, _ = fetch(f"{url}/v1/openapi.json")
    # The page for unknown paths, which is oauth-callback's; token-lookup's own 404 has no such header.
    if status != 404 or "content-security-policy" not in headers:
        raise Wrong(f"the sellers' address answers /v1 with {status}: its API must not have it")


def apps_are_set_up(stack):
    apps = Apps(stack)
    try:
        registry = apps.read()
    except Refused as refused:
        raise Wrong(f"{refused} Then set apps up: make app STACK={stack} APP=tiktok-shop/us") from None
    if not registry:
        raise Wrong(f"{apps.registry} has no app: make app STACK={stack} APP=tiktok-shop/us")
    wrong = [f"{path}: {what}" for path, entry in registry.items() for what in app_entry.problems(path, entry)]
    named = [path for path in registry if not app_entry.problem_of_path(path)]
    wrong += [f"{path} has no credentials: make app STACK={stack} APP={path}" for path in named if not apps.has_credentials(path)]
    if wrong:
        raise Wrong("; ".join(wrong))


def sweep_runs(stack):
    began = int((time.time() - SWEEP_WITHIN) * 1000)
    pages = boto3.client("logs").get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{stack}-refresh-sweep", startTime=began, filterPattern='{ $.message = "sweep" }'
    )
    if not any(page["events"] for page in pages):
        raise Wrong(f"no run in the last {SWEEP_WITHIN} seconds: see the schedule and the log of refresh-sweep")


def checks(stack, session):
    found = outputs(stack)
    service, public = found["ServiceUrl"], found["PublicUrl"]
    yield "a signed request is answered", lambda: signed_request(service, session)
    yield "an unsigned one is turned away", lambda: unsigned_request(service)
    yield "sellers' pages are there", lambda: sellers_page(public)
    yield "and nothing of the services' beside them", lambda: nothing_of_the_services_in_public(public)
    yield "every app has its settings and credentials", lambda: apps_are_set_up(stack)
    yield "the sweep runs", lambda: sweep_runs(stack)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", help="the stack's name")
    stack = parser.parse_args().stack
    failed = False
    try:
        for what, check in checks(stack, boto3.Session()):
            try:
                check()
                print(f"ok     {what}")
            except Wrong as wrong:
                failed = True
                print(f"WRONG  {what}: {wrong}")
        print(fixed_addresses.line(stack))
    except (Wrong, ClientError, BotoCoreError, OSError) as error:
        sys.exit(f"smoke: {error}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
