"""The roles of infra/roles.yaml: valid for the linters, and each allows its job and nothing else. This table has what no
linter knows: which items of a table, which attributes, how a secret is deleted, through which service a key is used. That
each role is enough for its job is shown by the end-to-end tests, which run under these roles: tests/end-to-end/roles.json.
Run by `make verify`; alone: .tools/verify/bin/python tests/infra/roles_test.py; with UPDATE_ROLES=1 it writes that file again.
"""

import json
import os
import pathlib
import re
import unittest

from parliament import analyze_policy_string

from decision import allowed, listed
from templates import STACK, resolved, source

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
# The roles depend on two options: a key of their own, and a VPC.
OPTIONS = [{"key": key, "vpc": vpc} for key in ["", KEY] for vpc in ["no", "yes"]]
# What Lambda does in a role's name to connect a function to a VPC. AWS's own policy for it, AWSLambdaVPCAccessExecutionRole,
# has these actions for all resources as well.
NETWORK_ACTIONS = {
    f"ec2:{name}"
    for name in [
        "CreateNetworkInterface",
        "DescribeNetworkInterfaces",
        "DeleteNetworkInterface",
        "DescribeSubnets",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    ]
}
IN_VPC = {"OauthCallback": "oauth-callback", "RefreshOnDemand": "refresh-on-demand", "RefreshSweep": "refresh-sweep"}


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
REGISTRY = secret("shop-keyring/apps")
FOREIGN = [
    secret("shop-keyring/apps-before"),
    secret("shop-keyring-staging/apps"),
    secret("shop-keyring-staging/connections/tiktok-shop/us/1/tokens"),
    secret("shop-keyring-staging/apps/tiktok-shop/us"),
    secret("another"),
]
CONNECTIONS, SESSIONS = table("shop-keyring-connections"), table("shop-keyring-connect-sessions")
ITEM = {"dynamodb:LeadingKeys": ["tiktok-shop/us/1"]}
POINTER = {"dynamodb:LeadingKeys": ["shop/tiktok-shop/us/7001"]}
EVIDENCE = {"dynamodb:LeadingKeys": ["evidence/tiktok-shop/us"]}
HEALTH = {"dynamodb:LeadingKeys": ["health/host/auth.tiktok-shops.com"]}
STANDBY = {"dynamodb:LeadingKeys": ["standby/tiktok-shop/us"]}
COUNT = {"dynamodb:LeadingKeys": ["count/fleet"]}
SESSION = {"dynamodb:LeadingKeys": ["session/1"]}
VISIT = {"dynamodb:LeadingKeys": ["visit/1"]}


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

# role: what it may do with a connection's secret, with the credentials of an app, with the registry of apps.
WITH_SECRETS = {
    "OauthCallback": ({"create", "put", "restore"}, {"get"}, {"get"}),
    "RefreshOnDemand": ({"get", "put"}, {"get"}, {"get"}),
    "RefreshSweep": ({"get", "put", "restore", "delete"}, {"get"}, {"get"}),
    "TokenLookup": ({"get"}, set(), {"get"}),
}

# role: what it may do with which items of a table, or on an index.
ANY, POINTERS, OPENED = (ITEM, POINTER, EVIDENCE, COUNT, HEALTH, STANDBY, SESSION, VISIT), (POINTER,), (SESSION,)
OF_A_CALLBACK = tuple(context for context in ANY if context not in (EVIDENCE, COUNT, STANDBY))
OF_A_LOOKUP = tuple(context for context in OF_A_CALLBACK if context is not HEALTH)
WITH_TABLES = {
    "OauthCallback": {
        ("BatchGetItem", CONNECTIONS): ANY,
        ("GetItem", CONNECTIONS): ANY,
        ("UpdateItem", CONNECTIONS): OF_A_CALLBACK,
        ("PutItem", CONNECTIONS): POINTERS,
        ("DeleteItem", CONNECTIONS): POINTERS,
        ("GetItem", SESSIONS): ANY,
        ("PutItem", SESSIONS): ANY,
        ("UpdateItem", SESSIONS): ANY,
    },
    "RefreshOnDemand": {
        ("BatchGetItem", CONNECTIONS): ANY,
        ("GetItem", CONNECTIONS): ANY,
        ("UpdateItem", CONNECTIONS): ANY,
        ("DeleteItem", CONNECTIONS): POINTERS,
        ("PutItem", CONNECTIONS): POINTERS,
    },
    "RefreshSweep": {
        ("Query", f"{CONNECTIONS}/index/chores"): ANY,
        ("Query", f"{CONNECTIONS}/index/due"): ANY,
        ("Query", f"{CONNECTIONS}/index/listing"): ANY,
        ("BatchGetItem", CONNECTIONS): ANY,
        ("GetItem", CONNECTIONS): ANY,
        ("UpdateItem", CONNECTIONS): ANY,
        ("DeleteItem", CONNECTIONS): ANY,
        ("PutItem", CONNECTIONS): POINTERS,
    },
    "TokenLookup": {
        ("Query", f"{CONNECTIONS}/index/account"): ANY,
        ("Query", f"{CONNECTIONS}/index/attention"): ANY,
        ("Query", f"{CONNECTIONS}/index/listing"): ANY,
        ("BatchGetItem", CONNECTIONS): ANY,
        ("GetItem", CONNECTIONS): ANY,
        ("UpdateItem", CONNECTIONS): OF_A_LOOKUP,
        ("PutItem", CONNECTIONS): POINTERS,
        ("GetItem", SESSIONS): ANY,
        ("PutItem", SESSIONS): OPENED,
    },
    "Schedule": {},
}
TABLE_ACTIONS = ["BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DeleteTable", "DescribeTable", "GetItem",
                 "PartiQLSelect", "PartiQLUpdate", "PutItem", "Query", "Scan", "UpdateItem", "UpdateTable"]
INDEXES = [f"{CONNECTIONS}/index/{name}" for name in ["account", "attention", "chores", "due", "listing"]]
TABLES = [CONNECTIONS, SESSIONS, *INDEXES, table("another"), table("shop-keyring-connections-of-another")]

# The roles as the end-to-end tests have them: with the names and the account there, and without a key of one's own.
END_TO_END = pathlib.Path(__file__).parents[1] / "end-to-end/roles.json"
ACCOUNT_THERE = "123456789012"
PARAMETERS_THERE = {
    "AWS::AccountId": ACCOUNT_THERE,
    "ConnectionsTable": "connections",
    "SessionsTable": "connect-sessions",
    "EventBusArn": f"arn:aws:events:us-east-1:{ACCOUNT_THERE}:event-bus/{STACK}",
    "FailureQueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT_THERE}:{STACK}-sweep-failures",
    "KeyArn": "",
    "Vpc": "no",
}


def end_to_end():
    roles = resolved("roles", **PARAMETERS_THERE)
    documents = {
        policy["PolicyName"]: policy["PolicyDocument"]
        for name, role in roles.items()
        if name != "Schedule"
        for policy in role["Properties"]["Policies"]
    }
    # Functions have their plain names there.
    return json.dumps(documents, indent=2).replace(f":function:{STACK}-", ":function:") + "\n"


class Roles(unittest.TestCase):
    def document(self, role, key="", vpc="no"):
        resources = resolved("roles", KeyArn=key, Vpc=vpc, **PARAMETERS)
        (policy,) = resources[role]["Properties"]["Policies"]
        self.assertNotIn("ManagedPolicyArns", resources[role]["Properties"])
        return policy["PolicyDocument"]

    def roles(self):
        return list(resolved("roles", KeyArn="", Vpc="no", **PARAMETERS))

    def test_parliament_finds_nothing_but_what_a_vpc_takes(self):
        # Describe actions know no other resource. Parliament does not know that Lambda's condition key goes with any service.
        found_in_vpc = [("RESOURCE_STAR", sorted(it for it in NETWORK_ACTIONS if ":Describe" not in it))]
        unknown = "Unknown condition lambda:SourceFunctionArn for action"
        found_in_vpc += [("UNKNOWN_CONDITION_FOR_ACTION", f"{unknown} {it}") for it in sorted(NETWORK_ACTIONS)]
        for role in self.roles():
            for options in OPTIONS:
                findings = analyze_policy_string(json.dumps(self.document(role, **options))).findings
                expected = found_in_vpc if options["vpc"] == "yes" and role in IN_VPC else []
                self.assertEqual(sorted((it.issue, it.detail) for it in findings), expected, (role, options))

    def test_no_action_has_a_wildcard_and_no_allowed_resource_is_everything_but_for_networks(self):
        for role in self.roles():
            for statement in self.document(role, KEY, "yes")["Statement"]:
                self.assertNotIn("NotAction", statement)
                for action in listed(statement["Action"]):
                    self.assertRegex(action, r"^[a-z0-9-]+:[A-Za-z]+$", role)
                if statement["Sid"] == "ConnectToVpc" and role in IN_VPC:
                    self.assertEqual((set(statement["Action"]), statement["Resource"]), (NETWORK_ACTIONS, "*"), role)
                    continue
                for resource in listed(statement["Resource"]):
                    if statement["Effect"] == "Allow":
                        # A log group ends in its streams, of which it has any number.
                        name = resource.removesuffix(":*") if resource.startswith("arn:aws:logs:") else resource
                        self.assertRegex(name.split(":")[-1], r"[A-Za-z]", (role, statement["Sid"]))
                        self.assertNotIn("*", name.removesuffix("/*"), (role, statement["Sid"]))

    def test_only_its_service_may_become_a_role(self):
        for role, resource in resolved("roles", KeyArn="", Vpc="yes", **PARAMETERS).items():
            (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            service = "scheduler" if role == "Schedule" else "lambda"
            self.assertEqual(statement["Principal"], {"Service": f"{service}.amazonaws.com"})

    def test_secrets(self):
        for role, actions in WITH_SECRETS.items():
            document = self.document(role)
            for action, name in SECRETS.items():
                for resource, expected in zip([TOKENS, APP, REGISTRY], actions, strict=True):
                    self.assertEqual(allowed(document, name, resource), action in expected, (role, name, resource))
                for resource in FOREIGN:
                    self.assertFalse(allowed(document, name, resource), (role, name, resource))

    def test_no_secret_is_deleted_without_a_recovery_window(self):
        for role in WITH_SECRETS:
            self.assertFalse(allowed(self.document(role), SECRETS["delete"], TOKENS, context=FORCED), role)

    def test_tables(self):
        self.assertEqual(set(WITH_TABLES), set(self.roles()))
        for role, calls in WITH_TABLES.items():
            document = self.document(role)
            for action in TABLE_ACTIONS:
                for resource in TABLES:
                    for context in ANY:
                        expected = context in calls.get((action, resource), ())
                        answer = allowed(document, f"dynamodb:{action}", resource, context=context)
                        self.assertEqual(answer, expected, (role, action, resource, context))

    def test_no_batch_puts_an_item_beside_pointers(self):
        both = {"dynamodb:LeadingKeys": ITEM["dynamodb:LeadingKeys"] + POINTER["dynamodb:LeadingKeys"]}
        for role in WITH_SECRETS:
            self.assertFalse(allowed(self.document(role), "dynamodb:PutItem", CONNECTIONS, context=both), role)

    def test_token_lookup_cannot_repoint_a_connection_to_other_tokens(self):
        def may(*attributes):
            context = {**ITEM, "dynamodb:Attributes": ["connection", "revision", *attributes]}
            return allowed(self.document("TokenLookup"), "dynamodb:UpdateItem", CONNECTIONS, context=context)

        self.assertTrue(may("account_id", "updated_at"))
        for attribute in [*COMMITTED, "points_to", "shops", "account_id.x"]:
            self.assertFalse(may(attribute), attribute)
            self.assertFalse(may("account_id", attribute), attribute)

    def test_token_lookup_may_touch_the_keys_of_the_table_and_its_indexes(self):
        definitions = source("storage")["Resources"]["Connections"]["Properties"]["AttributeDefinitions"]
        keys = [it["AttributeName"] for it in definitions]
        self.assertGreater(len(keys), 1)
        context = {**ITEM, "dynamodb:Attributes": keys}
        self.assertTrue(allowed(self.document("TokenLookup"), "dynamodb:UpdateItem", CONNECTIONS, context=context), keys)

    def test_the_end_to_end_tests_have_these_roles(self):
        if os.environ.get("UPDATE_ROLES"):
            END_TO_END.write_text(end_to_end())
        self.assertEqual(END_TO_END.read_text(), end_to_end(), f"UPDATE_ROLES=1 writes {END_TO_END.name} again")

    def test_no_role_has_an_action_that_no_test_here_knows(self):
        known = {"logs:CreateLogStream", "logs:PutLogEvents", "events:PutEvents", "sqs:SendMessage", "lambda:InvokeFunction",
                 "kms:Decrypt", "kms:GenerateDataKey", *SECRETS.values(), *(f"dynamodb:{it}" for it in TABLE_ACTIONS)}
        for role in self.roles():
            for vpc, more in {"no": set(), "yes": NETWORK_ACTIONS if role in IN_VPC else set()}.items():
                actions = {action for it in self.document(role, KEY, vpc)["Statement"] for action in listed(it["Action"])}
                self.assertLessEqual(actions, known | more, (role, vpc))

    def test_nobody_invokes_or_publishes_or_logs_but_whose_job_it_is(self):
        jobs = {
            ("lambda:InvokeFunction", function("refresh-on-demand")): {"TokenLookup"},
            ("lambda:InvokeFunction", function("refresh-sweep")): {"Schedule"},
            ("lambda:InvokeFunction", function("token-lookup")): set(),
            ("lambda:InvokeFunction", function("oauth-callback")): set(),
            ("events:PutEvents", BUS): {"RefreshSweep"},
            ("events:PutEvents", f"arn:aws:events:{REGION_AND_ACCOUNT}:event-bus/default"): set(),
            ("sqs:SendMessage", QUEUE): {"RefreshSweep", "Schedule"},
            ("sqs:ReceiveMessage", QUEUE): set(),
            ("logs:PutLogEvents", log("oauth-callback")): {"OauthCallback"},
            ("logs:PutLogEvents", log("refresh-on-demand")): {"RefreshOnDemand"},
            ("logs:PutLogEvents", log("refresh-sweep")): {"RefreshSweep"},
            ("logs:PutLogEvents", log("token-lookup")): {"TokenLookup"},
            ("logs:CreateLogStream", log("token-lookup")): {"TokenLookup"},
            ("logs:CreateLogGroup", log("token-lookup")): set(),
            ("iam:PassRole", "arn:aws:iam::111122223333:role/admin"): set(),
            ("sts:AssumeRole", "arn:aws:iam::111122223333:role/admin"): set(),
        }
        for (action, resource), expected in jobs.items():
            may = {role for role in self.roles() if allowed(self.document(role, KEY), action, resource)}
            self.assertEqual(may, expected, (action, resource))

    def test_a_key_is_used_through_secrets_manager_for_the_secrets_of_the_role(self):
        # role: with the secrets of connections, with the credentials of apps, with the registry of apps
        expected = {
            "OauthCallback": ({"Decrypt", "GenerateDataKey"}, {"Decrypt"}, {"Decrypt"}),
            "RefreshOnDemand": ({"Decrypt", "GenerateDataKey"}, {"Decrypt"}, {"Decrypt"}),
            "RefreshSweep": ({"Decrypt", "GenerateDataKey"}, {"Decrypt"}, {"Decrypt"}),
            "TokenLookup": ({"Decrypt"}, set(), {"Decrypt"}),
            "Schedule": (set(), set(), set()),
        }
        for role, actions in expected.items():
            document = self.document(role, KEY)
            for action in ["Decrypt", "GenerateDataKey", "Encrypt", "CreateGrant", "ScheduleKeyDeletion"]:
                def may(context, key=KEY):
                    return allowed(document, f"kms:{action}", key, context=context)

                for resource, permitted in zip([TOKENS, APP, REGISTRY], actions, strict=True):
                    self.assertEqual(may(through("secretsmanager", resource)), action in permitted, (role, action, resource))
                for context in [{}, through("s3", TOKENS), *(through("secretsmanager", it) for it in FOREIGN)]:
                    self.assertFalse(may(context), (role, action, context))
                self.assertFalse(may(through("secretsmanager", TOKENS), KEY + "2"), (role, action))

    def test_lambda_connects_to_a_vpc_those_that_call_marketplaces_and_their_code_cannot(self):
        anything = f"arn:aws:ec2:{REGION_AND_ACCOUNT}:network-interface/eni-1"
        for role in self.roles():
            from_code = {"lambda:SourceFunctionArn": function(IN_VPC.get(role, "token-lookup"))}
            for vpc in ["no", "yes"]:
                document = self.document(role, KEY, vpc)
                for action in [*NETWORK_ACTIONS, "ec2:AttachNetworkInterface", "ec2:CreateRoute", "ec2:DescribeInstances"]:
                    expected = vpc == "yes" and role in IN_VPC and action in NETWORK_ACTIONS
                    self.assertEqual(allowed(document, action, anything), expected, (role, vpc, action))
                    self.assertFalse(allowed(document, action, anything, context=from_code), (role, vpc, action))

    def test_a_vpc_adds_nothing_else(self):
        for role in self.roles():
            without, within = (self.document(role, KEY, vpc)["Statement"] for vpc in ["no", "yes"])
            more = [it["Sid"] for it in within if it not in without]
            self.assertEqual(more, ["ConnectToVpc", "NeverFromCode"] if role in IN_VPC else [], role)

    def test_without_a_key_no_role_has_anything_to_do_with_kms(self):
        for role in self.roles():
            self.assertFalse(re.search("kms", json.dumps(self.document(role))), role)


if __name__ == "__main__":
    unittest.main()
