"""The policies of docs/iam: valid for two linters, and each allows what it says and nothing else.

Run by `make verify`; alone: .tools/verify/bin/python tests/infra/policies_test.py
"""

import json
import pathlib
import re
import unittest

from cfnlint.api import lint_all
from parliament import analyze_policy_string

from decision import allowed
from templates import resolved

POLICIES = pathlib.Path(__file__).parents[2] / "docs" / "iam"
API = "arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/$default/"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:"

# Every route of token-lookup, as IAM sees a request to it: method and path without the first slash.
TOKENS = [
    "GET/v1/connections/tiktok-shop/us/7010736057180325637/token",
    "GET/v1/shops/tiktok-shop/us/7000714532876273420/token",
    "POST/v1/connections/tiktok-shop/us/7010736057180325637/refresh",
]
CONNECTIONS = [
    "GET/v1/connections",
    "GET/v1/connections/tiktok-shop/us/7010736057180325637",
    "PATCH/v1/connections/tiktok-shop/us/7010736057180325637",
    "DELETE/v1/connections/tiktok-shop/us/7010736057180325637",
]
SESSIONS = [
    "POST/v1/connect-sessions",
    "GET/v1/connect-sessions/1f0c8a3e",
    "POST/v1/connect-sessions/1f0c8a3e/confirm",
]
CONTRACT = ["GET/v1/openapi.json"]


def of(marketplace_and_app, requests):
    return [request.replace("tiktok-shop/us", marketplace_and_app) for request in requests]


OTHER_TOKENS = [
    request
    for app in ["tiktok-shop/global", "temu/us", "temu/product", "tiktok-shop/us2", "tiktok-shop/eu/us"]
    for request in of(app, TOKENS)
]
# Paths with an escape, and what they come to: API Gateway hands on the decoded path, cut at a decoded `?`.
# Should IAM compare the path as it was sent, or decoded and not cut: a token must not come of it either way.
ESCAPED = {
    "GET/v1/connections/temu/us/1/%74oken": "GET/v1/connections/temu/us/1/token",
    "GET/v1/connections/temu/us/1%2Ftoken": "GET/v1/connections/temu/us/1/token",
    "GET/v1/connections/temu%2Fus%2F1%2Ftoken": "GET/v1/connections/temu/us/1/token",
    "GET/v1/connections/temu/us/1/token%3Fx": "GET/v1/connections/temu/us/1/token?x",
    "GET/v1/connections/temu/us/1/token%2F": "GET/v1/connections/temu/us/1/token/",
    "GET/v1/shops/temu/us/1/%74oken": "GET/v1/shops/temu/us/1/token",
    "GET/v1/shops/temu/us/1/token%3Fx": "GET/v1/shops/temu/us/1/token?x",
    "GET/v1/%73hops/temu/us/1/token": "GET/v1/shops/temu/us/1/token",
    "GET/v1/connect-sessions/%2e%2e/connections/temu/us/1/token": "GET/v1/connections/temu/us/1/token",
    "POST/v1/connections/temu/us/1/%72efresh": "POST/v1/connections/temu/us/1/refresh",
    "POST/v1/connections/temu/us/1/refresh%3Fx": "POST/v1/connections/temu/us/1/refresh?x",
}
OWN_ESCAPED = [path.replace("temu/us", "tiktok-shop/us") for path in ESCAPED]
# What nobody is to reach by a policy's wildcards: a method that is not named, another stage, another API.
NEVER = [
    *(API + path for path in [*ESCAPED, *OWN_ESCAPED]),
    API + "POST/v1/connections/tiktok-shop/us/1/token",
    API + "HEAD/v1/connections/tiktok-shop/us/1/token",
    API + "GET/v2/connections/tiktok-shop/us/1/token",
    API.replace("$default", "test") + TOKENS[0],
    API.replace("a1b2c3d4e5", "f6g7h8i9j0") + TOKENS[0],
]

# policy: the requests that it allows, those that it does not.
CALLS = {
    "read-tiktok-shop-us-tokens": (TOKENS, OTHER_TOKENS + list(ESCAPED.values()) + CONNECTIONS + SESSIONS + CONTRACT),
    "open-connect-sessions": (SESSIONS, TOKENS + OTHER_TOKENS + list(ESCAPED.values()) + CONNECTIONS + CONTRACT),
    # A seller may be called like a route.
    "operator": (
        CONNECTIONS + of("temu/us", CONNECTIONS) + SESSIONS + CONTRACT + ["GET/v1/connections/temu/us/token"],
        TOKENS + OTHER_TOKENS + list(ESCAPED.values()),
    ),
}

APP_SECRETS = {
    "read-app-secret-tiktok-shop-us": (
        ["shop-keyring/apps/tiktok-shop/us-a1B2c3"],
        [
            "shop-keyring/apps/tiktok-shop/global-a1B2c3",
            "shop-keyring/apps/tiktok-shop/us-2-a1B2c3",
            "shop-keyring/apps/temu/us-a1B2c3",
            "shop-keyring/apps-a1B2c3",
            "shop-keyring/connections/tiktok-shop/us/7010736057180325637/tokens-a1B2c3",
        ],
    )
}

KEYRING_ROLE = "arn:aws:iam::111122223333:role/shop-keyring-tiktok-shop-us-reader"
CALLER = "arn:aws:iam::444455556666:role/order-hub"
OUR_ORGANIZATION = {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}
EXTERNAL_ID = {"sts:ExternalId": "choose-one-for-each-third-party"}

# trust policy: the context of a call that it trusts, those of calls that it does not.
TRUST = {
    "trust-role-of-the-organization": (OUR_ORGANIZATION, [{}, {"aws:PrincipalOrgID": "o-z9y8x7w6v5"}, EXTERNAL_ID]),
    "trust-role-of-a-third-party": (EXTERNAL_ID, [{}, {"sts:ExternalId": "guessed"}, OUR_ORGANIZATION]),
}

PERMISSIONS = [*CALLS, *APP_SECRETS, "assume-keyring-role"]


def text(name):
    return (POLICIES / f"{name}.json").read_text()


def policy(name):
    return json.loads(text(name))


class Valid(unittest.TestCase):
    def test_every_policy_is_looked_at(self):
        self.assertEqual({path.stem for path in POLICIES.iterdir()}, {*PERMISSIONS, *TRUST})

    def test_parliament_finds_nothing(self):
        for name in PERMISSIONS:
            with self.subTest(name):
                findings = analyze_policy_string(text(name)).findings
                self.assertEqual([(finding.issue, finding.detail) for finding in findings], [])

    def test_cfn_lint_finds_nothing(self):
        self.assertEqual(faults(template({})), [])

    def test_the_linters_would_find_a_mistake(self):
        wrong = text("open-connect-sessions").replace("execute-api:Invoke", "execute-api:Call")
        self.assertNotEqual(analyze_policy_string(wrong).findings, [])
        wrong_trust = policy("trust-role-of-a-third-party")
        del wrong_trust["Statement"][0]["Principal"]
        self.assertNotEqual(faults(template({"trust-role-of-a-third-party": wrong_trust})), [])


def faults(cloudformation):
    """What cfn-lint finds, but for its advice on how to describe a template."""
    return [str(match) for match in lint_all(cloudformation) if not match.rule.id.startswith("I")]


def template(instead):
    """All policies as CloudFormation takes them."""
    resources = {}
    for name in [*PERMISSIONS, *TRUST]:
        document = instead.get(name) or policy(name)
        kind, key = (
            ("AWS::IAM::Role", "AssumeRolePolicyDocument") if name in TRUST else ("AWS::IAM::ManagedPolicy", "PolicyDocument")
        )
        resources[name.title().replace("-", "")] = {"Type": kind, "Properties": {key: document}}
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})


class Decisions(unittest.TestCase):
    def assert_decisions(self, name, action, allowed_resources, denied_resources):
        for resource in allowed_resources:
            self.assertTrue(allowed(policy(name), action, resource), f"{name} does not allow {resource}")
        for resource in denied_resources:
            self.assertFalse(allowed(policy(name), action, resource), f"{name} allows {resource}")

    def test_requests(self):
        for name, (yes, no) in CALLS.items():
            no = [API + request for request in no] + NEVER
            self.assert_decisions(name, "execute-api:Invoke", [API + request for request in yes], no)

    def test_a_denial_wins_over_a_permission_for_everything(self):
        """What `operator` denies stays denied for who has more."""
        everything = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
        statements = [everything, *policy("operator")["Statement"]]
        for request in [*TOKENS, *OTHER_TOKENS, *ESCAPED, *ESCAPED.values()]:
            self.assertFalse(allowed({"Statement": statements}, "execute-api:Invoke", API + request), request)

    def test_app_secrets(self):
        for name, (yes, no) in APP_SECRETS.items():
            yes, no = [SECRET + secret for secret in yes], [SECRET + secret for secret in no]
            self.assert_decisions(name, "secretsmanager:GetSecretValue", yes, no)
            self.assert_decisions(name, "secretsmanager:PutSecretValue", [], yes + no)

    def test_callers_of_another_account(self):
        roles = ["arn:aws:iam::111122223333:role/admin", "arn:aws:iam::999988887777:role/shop-keyring-tiktok-shop-us-reader"]
        self.assert_decisions("assume-keyring-role", "sts:AssumeRole", [KEYRING_ROLE], roles)
        for name, (trusted, others) in TRUST.items():
            trust = policy(name)
            self.assertTrue(allowed(trust, "sts:AssumeRole", principal=CALLER, context=trusted), name)
            somebody_else = "arn:aws:iam::444455556666:role/intern"
            self.assertFalse(allowed(trust, "sts:AssumeRole", principal=somebody_else, context=trusted), name)
            for context in others:
                self.assertFalse(allowed(trust, "sts:AssumeRole", principal=CALLER, context=context), f"{name} {context}")

    def test_wildcards_cross_slashes_and_reach_no_token_of_another_app(self):
        """What a `*` may match beyond one name is no canonical path of another route: token-lookup refuses it."""
        reader = policy("read-tiktok-shop-us-tokens")
        for beyond in ["GET/v1/connections/tiktok-shop/us/../global/1/token", "GET/v1/connections/tiktok-shop/us/a/b/token"]:
            self.assertTrue(allowed(reader, "execute-api:Invoke", API + beyond))
            segments = beyond.split("/")[1:]
            canonical = all(re.fullmatch(r"[A-Za-z0-9_.-]+", it) and it not in (".", "..") for it in segments)
            served = canonical and len(segments) == len(TOKENS[0].split("/")[1:])
            self.assertFalse(served, beyond)


class OfTheTemplate(unittest.TestCase):
    """The managed policies of infra/access.yaml are these, for one stack's API and all its apps."""

    def policies(self):
        resources = resolved("access", ServiceApi="a1b2c3d4e5").values()
        return [it["Properties"]["PolicyDocument"] for it in resources]

    def test_they_are_the_documented_ones(self):
        reader, opener, operator = self.policies()
        self.assertEqual(flat(opener), flat(policy("open-connect-sessions")))
        self.assertEqual(flat(operator), flat(policy("operator")))
        wider = flat(policy("read-tiktok-shop-us-tokens")).replace("tiktok-shop/us/*/", "*/")
        self.assertEqual(flat(reader).replace("ReadTokens", "ReadTikTokShopUsTokens"), wider)

    def test_parliament_finds_nothing(self):
        for document in self.policies():
            self.assertEqual(analyze_policy_string(json.dumps(document)).findings, [])


def flat(document):
    """As text, with a list for each resource."""
    statements = [{**it, "Resource": it["Resource"] if isinstance(it["Resource"], list) else [it["Resource"]]}
                  for it in document["Statement"]]
    return json.dumps({**document, "Statement": statements})


if __name__ == "__main__":
    unittest.main()
