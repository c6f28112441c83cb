"""The roles of infra/roles.yaml: valid for the linters, and each allows its job and nothing else. This table has what no
emulator enforces as well: which items of a table, which attributes, how a secret is deleted, through which service a key
is used. Run by `make test`; alone: .tools/venv/bin/python tests/infra/roles_test.py
"""

import json
import re
import unittest

from parliament import analyze_policy_string

from decision import allowed, listed
from templates import resolved

REGION_AND_ACCOUNT = "us-east-1:111122223333"
KEY = f"arn:aws:kms:{REGION_AND_ACCOUNT}:key/k"
BUS = f"arn:aws:events:{REGION_AND_ACCOUNT}:event-bus/shop-keyring"
QUEUE = f"arn:aws:sqs:{REGION_AND_ACCOUNT}:shop-keyring-sweep-failures"
PARAMETERS = {
    "ConnectionsTable": "shop-keyring-connections",
    "SessionsTable": "shop-keyring-connect-sessions",
    "EventBusArn": BUS,
    "FailureQueueArn": QUEUE,
}


def secret(name):
    return f"arn:aws:secretsmanager:{REGION_AND_ACCOUNT}:secret:{name}-a1B2c3"


def table(name):
    return f"arn:aws:dynamodb:{REGION_AND_ACCOUNT}:table/{name}"


def function(name):
    return f"arn:aws:lambda:{REGION_AND_ACCOUNT}:function:shop-keyring-{name}"


def log(name):
    return f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:/aws/lambda/shop-keyring-{name}:log-stream:x"


TOKENS = secret("shop-keyring/connections/tiktok-shop/us/1/tokens")
APP = secret("shop-keyring/apps/tiktok-shop/us")
FOREIGN = [
    secret("shop-keyring-staging/connections/tiktok-shop/us/1/tokens"),
    secret("shop-keyring-staging/apps/tiktok-shop/us"),
    secret("another"),
]
CONNECTIONS, SESSIONS = table("shop-keyring-connections"), table("shop-keyring-connect-sessions")
ITEM = {"dynamodb:LeadingKeys": ["tiktok-shop/us/1"]}
POINTER = {"dynamodb:LeadingKeys": ["shop/tiktok-shop/us/7001"]}


def through(service, secret_arn):
    return {"kms:ViaService": f"{service}.us-east-1.amazonaws.com", "kms:EncryptionContext:SecretARN": secret_arn}


# What stands in a token set's own clocks and place: none of token-lookup's business.
COMMITTED = ["secret_version", "token_version", "granted_at", "access_expires_at", "fingerprint", "app_key"]
FORCED = {"secretsmanager:ForceDeleteWithoutRecovery": "true"}

SECRETS = {
    action: f"secretsmanager:{name}"
    for action, name in {
        "get": "GetSecretValue",
        "create": "CreateSecret",
        "put": "PutSecretValue",
        "restore": "RestoreSecret",
        "delete": "DeleteSecret",
    }.items()
}

# role: what it may do with a connection's secret, with an app's.
WITH_SECRETS = {
    "OauthCallback": ({"create", "put", "restore"}, {"get"}),
    "RefreshSweep": ({"get", "put", "restore", "delete"}, {"get"}),
    "TokenLookup": ({"get"}, set()),
}

# role: calls with their contexts that are allowed.
WITH_TABLES = {
    "OauthCallback": [
        ("GetItem", CONNECTIONS, ITEM),
        ("UpdateItem", CONNECTIONS, ITEM),
        ("PutItem", CONNECTIONS, POINTER),
        ("DeleteItem", CONNECTIONS, POINTER),
        ("GetItem", SESSIONS, {}),
        ("PutItem", SESSIONS, {}),
        ("UpdateItem", SESSIONS, {}),
    ],
    "RefreshSweep": [
        ("Query", f"{CONNECTIONS}/index/due", {}),
        ("BatchGetItem", CONNECTIONS, ITEM),
        ("GetItem", CONNECTIONS, ITEM),
        ("UpdateItem", CONNECTIONS, ITEM),
        ("DeleteItem", CONNECTIONS, ITEM),
        ("DeleteItem", CONNECTIONS, POINTER),
        ("PutItem", CONNECTIONS, POINTER),
    ],
    "TokenLookup": [
        ("Query", f"{CONNECTIONS}/index/account", {}),
        ("Query", f"{CONNECTIONS}/index/attention", {}),
        ("Query", f"{CONNECTIONS}/index/listing", {}),
        ("BatchGetItem", CONNECTIONS, ITEM),
        ("GetItem", CONNECTIONS, ITEM),
        ("UpdateItem", CONNECTIONS, {**ITEM, "dynamodb:Attributes": ["connection", "revision", "account_id"]}),
        ("PutItem", CONNECTIONS, POINTER),
        ("GetItem", SESSIONS, {}),
        ("PutItem", SESSIONS, {}),
    ],
}
EVERY_TABLE_CALL = [
    (action, resource, context)
    for action in ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Scan", "BatchWriteItem", "PartiQLUpdate"]
    for resource in [CONNECTIONS, SESSIONS, table("another"), table("shop-keyring-connections-of-another")]
    for context in [ITEM, POINTER]
] + [
    (action, f"{CONNECTIONS}/index/{index}", {})
    for action in ["Query", "Scan"]
    for index in ["due", "account", "attention", "listing"]
]
SESSIONS_ARE_NOT_KEYED_SO = {SESSIONS}


class Roles(unittest.TestCase):
    def document(self, role, key=""):
        resources = resolved("roles", KeyArn=key, **PARAMETERS)
        (policy,) = resources[role]["Properties"]["Policies"]
        self.assertNotIn("ManagedPolicyArns", resources[role]["Properties"])
        return policy["PolicyDocument"]

    def roles(self):
        return list(resolved("roles", KeyArn="", **PARAMETERS))

    def test_parliament_finds_nothing(self):
        for role in self.roles():
            for key in ["", KEY]:
                findings = analyze_policy_string(json.dumps(self.document(role, key))).findings
                self.assertEqual([(it.issue, it.detail) for it in findings], [], role)

    def test_no_action_has_a_wildcard_and_no_allowed_resource_is_everything(self):
        for role in self.roles():
            for statement in self.document(role, KEY)["Statement"]:
                self.assertNotIn("NotAction", statement)
                for action in listed(statement["Action"]):
                    self.assertRegex(action, r"^[a-z0-9-]+:[A-Za-z]+$", role)
                for resource in listed(statement["Resource"]):
                    if statement["Effect"] == "Allow":
                        self.assertNotIn(resource.split(":")[-1], ["*", ""], (role, statement["Sid"]))

    def test_only_its_service_may_become_a_role(self):
        for role, resource in resolved("roles", KeyArn="", **PARAMETERS).items():
            (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            service = "scheduler" if role == "Schedule" else "lambda"
            self.assertEqual(statement["Principal"], {"Service": f"{service}.amazonaws.com"})

    def test_secrets(self):
        for role, (with_tokens, with_apps) in WITH_SECRETS.items():
            document = self.document(role)
            for action, name in SECRETS.items():
                for resource, expected in [(TOKENS, action in with_tokens), (APP, action in with_apps)]:
                    self.assertEqual(allowed(document, name, resource), expected, (role, name, resource))
                for resource in FOREIGN:
                    self.assertFalse(allowed(document, name, resource), (role, name, resource))

    def test_no_secret_is_deleted_without_a_recovery_window(self):
        for role in WITH_SECRETS:
            self.assertFalse(allowed(self.document(role), SECRETS["delete"], TOKENS, context=FORCED), role)

    def test_tables(self):
        for role, calls in WITH_TABLES.items():
            document = self.document(role)
            may = [(action, resource, frozenset(context.get("dynamodb:LeadingKeys", []))) for action, resource, context in calls]
            for action, resource, context in calls:
                name = f"dynamodb:{action}"
                self.assertTrue(allowed(document, name, resource, context=context), (role, action, resource, context))
            for action, resource, context in EVERY_TABLE_CALL:
                keys = frozenset(() if resource in SESSIONS_ARE_NOT_KEYED_SO else context.get("dynamodb:LeadingKeys", []))
                # Reading or updating any item of the table includes reading or updating a pointer.
                of_any = any(it[:2] == (action, resource) and "shop/" not in "".join(it[2]) for it in may)
                expected = of_any or (action, resource, keys) in may
                name = f"dynamodb:{action}"
                self.assertEqual(allowed(document, name, resource, context=context), expected, (role, action, resource, context))

    def test_token_lookup_cannot_repoint_a_connection_to_other_tokens(self):
        document = self.document("TokenLookup")
        for attribute in COMMITTED:
            context = {**ITEM, "dynamodb:Attributes": ["connection", "revision", attribute]}
            self.assertFalse(allowed(document, "dynamodb:UpdateItem", CONNECTIONS, context=context), attribute)

    def test_nobody_invokes_or_publishes_or_logs_but_whose_job_it_is(self):
        jobs = {
            ("lambda:InvokeFunction", function("refresh-sweep")): {"TokenLookup", "Schedule"},
            ("lambda:InvokeFunction", function("token-lookup")): set(),
            ("lambda:InvokeFunction", function("oauth-callback")): set(),
            ("events:PutEvents", BUS): {"RefreshSweep"},
            ("events:PutEvents", f"arn:aws:events:{REGION_AND_ACCOUNT}:event-bus/default"): set(),
            ("sqs:SendMessage", QUEUE): {"RefreshSweep", "Schedule"},
            ("sqs:ReceiveMessage", QUEUE): set(),
            ("logs:PutLogEvents", log("oauth-callback")): {"OauthCallback"},
            ("logs:PutLogEvents", log("refresh-sweep")): {"RefreshSweep"},
            ("logs:PutLogEvents", log("token-lookup")): {"TokenLookup"},
            ("logs:CreateLogGroup", log("token-lookup")): set(),
            ("iam:PassRole", "arn:aws:iam::111122223333:role/admin"): set(),
            ("sts:AssumeRole", "arn:aws:iam::111122223333:role/admin"): set(),
        }
        for (action, resource), expected in jobs.items():
            may = {role for role in self.roles() if allowed(self.document(role, KEY), action, resource)}
            self.assertEqual(may, expected, (action, resource))

    def test_a_key_is_used_through_secrets_manager_for_the_secrets_of_the_role(self):
        # role: with the secrets of apps, with those of connections
        expected = {
            "OauthCallback": ({"Decrypt"}, {"Decrypt", "GenerateDataKey"}),
            "RefreshSweep": ({"Decrypt"}, {"Decrypt", "GenerateDataKey"}),
            "TokenLookup": (set(), {"Decrypt"}),
            "Schedule": (set(), set()),
        }
        for role, (with_apps, with_tokens) in expected.items():
            document = self.document(role, KEY)
            for action in ["Decrypt", "GenerateDataKey", "Encrypt", "CreateGrant", "ScheduleKeyDeletion"]:
                def may(context, key=KEY):
                    return allowed(document, f"kms:{action}", key, context=context)

                self.assertEqual(may(through("secretsmanager", APP)), action in with_apps, (role, action))
                self.assertEqual(may(through("secretsmanager", TOKENS)), action in with_tokens, (role, action))
                for context in [{}, through("s3", TOKENS), *(through("secretsmanager", it) for it in FOREIGN)]:
                    self.assertFalse(may(context), (role, action, context))
                self.assertFalse(may(through("secretsmanager", TOKENS), KEY + "2"), (role, action))

    def test_without_a_key_no_role_has_anything_to_do_with_kms(self):
        for role in self.roles():
            self.assertFalse(re.search("kms", json.dumps(self.document(role))), role)


if __name__ == "__main__":
    unittest.main()
