"""The stack itself, deployed on this machine under the roles of infra/roles.yaml: see offline_aws.py.

What ministack does not enforce (dynamodb:LeadingKeys, dynamodb:Attributes, keys of KMS, TTL, recovery) is looked at in
roles_test.py and template_test.py. Run by `make verify`; alone: .tools/verify/bin/python tests/infra/deployed_test.py
"""

import io
import json
import os
import pathlib
import re
import time
import unittest
import zipfile

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import forbidden
from offline_aws import ACCOUNT, REGION, STACK, OfflineAws, run, until
from seller import SESSION, Backend, Browser

SELLER = "tiktok-shop/us/anns-attic"
LOCAL_SELLER = "temu/us/634418212001"
ROLES = ["oauth-callback", "refresh-on-demand", "refresh-sweep", "token-lookup"]
PROBE = pathlib.Path(__file__).parent / "probe.py"


def setUpModule():
    global aws, reader, opener, operator
    aws = unittest.enterModuleContext(OfflineAws())
    outputs = aws.outputs
    reader = Backend(aws, aws.user("order-hub", outputs["ReaderPolicy"]))
    opener = Backend(aws, aws.user("backend", outputs["SessionOpenerPolicy"]))
    operator = Backend(aws, aws.user("operator", outputs["OperatorPolicy"]))
    listen_to_events()
    opener.connect("tiktok-shop/us", "anns-attic")
    opener.connect("temu/us", "mias-mugs")


def listen_to_events():
    """A queue that gets whatever is published on the stack's bus."""
    queue = aws.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    events, bus = aws.client("events"), aws.outputs["EventBus"]
    events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["shop-keyring"]}))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"}
    events.put_targets(Rule="all", EventBusName=bus, Targets=[target])
    aws.events_queue = queue


def token(connection=SELLER, backend=None):
    status, _, answer = (backend or reader).call("GET", f"/v1/connections/{connection}/token")
    assert status == 200, (status, answer)
    aws.secrets.add(answer["access_token"])
    return answer


def function(name):
    return f"{STACK}-{name}"


def role_of(name):
    """The role's name, from the function that has it."""
    config = aws.client("lambda").get_function_configuration(FunctionName=function(name))
    return config["Role"].rsplit("/", 1)[1]


def credentials_of(name):
    """Those that a function under this role has: another function with the same role tells them."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, PROBE.read_text())
    client = aws.client("lambda")
    probe = f"probe-{name}-{time.monotonic_ns()}"
    client.create_function(
        FunctionName=probe,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{role_of(name)}",
        Code={"ZipFile": code.getvalue()},
    )
    told = json.loads(client.invoke(FunctionName=probe, Payload=b"{}")["Payload"].read())
    return Credentials(told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"], told["AWS_SESSION_TOKEN"])


def allowed_although_forbidden(name):
    """Of the calls that the role must not make, those that it can."""
    credentials = credentials_of(name)
    allowed = []
    for service, operation, arguments in forbidden.CALLS[name]:
        try:
            getattr(aws.client(service, credentials), operation)(**arguments)
        except ClientError as error:
            if "AccessDenied" in error.response["Error"]["Code"]:
                continue
        allowed.append(f"{service}.{operation}({arguments})")
    return allowed


class Sellers(unittest.TestCase):
    def test_a_seller_has_connected_and_a_signed_request_gets_the_token(self):
        for connection in [SELLER, LOCAL_SELLER]:
            answer = token(connection)
            self.assertEqual((answer["connection"], answer["status"]), (connection, "active"))
            self.assertEqual(answer["account_id"], "customer-17")

    def test_an_unsigned_one_gets_403_and_so_does_a_wrong_signature(self):
        path = f"/v1/connections/{SELLER}/token"
        url = aws.outputs["ServiceUrl"] + path
        self.assertEqual(aws.fetch("GET", url)[0], 403)
        forged = Credentials(reader.credentials.access_key, "not-the-key")
        self.assertEqual(aws.fetch("GET", url, forged)[0], 403)

    def test_the_sellers_address_has_nothing_of_the_services(self):
        for credentials in [None, aws.root]:
            url = f"{aws.outputs['PublicUrl']}/v1/connections/{SELLER}/token"
            self.assertEqual(aws.fetch("GET", url, credentials)[0], 404)

    def test_an_unknown_path_gets_a_page(self):
        for path in ["/unknown", "/connect", "/"]:
            with self.subTest(path):
                status, headers, page = aws.fetch("GET", aws.outputs["PublicUrl"] + path)
                self.assertEqual((status, headers.get_content_type()), (404, "text/html"))
                self.assertIn(b"<html", page)

    def test_each_policy_for_callers_opens_its_own_and_no_more(self):
        item = f"/v1/connections/{SELLER}"
        routes = {
            ("GET", f"{item}/token"): {"reader"},
            ("GET", "/v1/shops/tiktok-shop/us/7001/token"): {"reader"},
            ("POST", f"{item}/refresh"): {"reader"},
            ("GET", "/v1/connections"): {"operator"},
            ("GET", item): {"operator"},
            ("PATCH", item): {"operator"},
            ("GET", "/v1/openapi.json"): {"operator"},
            ("GET", "/v1/connect-sessions/unknown"): {"opener", "operator"},
            ("POST", "/v1/connect-sessions/unknown/confirm"): {"opener", "operator"},
        }
        callers = {"reader": reader, "opener": opener, "operator": operator}
        for (method, path), expected in routes.items():
            body = {} if method in ("POST", "PATCH") else None
            open_to = {name for name, caller in callers.items() if caller.call(method, path, body)[0] != 403}
            self.assertEqual(open_to, expected, (method, path))

    def test_the_schedule_refreshes_what_is_due(self):
        before = token()
        after = until(lambda: (now := token())["version"] > before["version"] and now, 240, "nothing was refreshed")
        self.assertNotEqual(after["access_token"], before["access_token"])

    def test_a_refresh_on_demand_goes_through_the_other_function(self):
        answer = until(self.refreshed, 120, "no refresh on demand")
        self.assertEqual(answer["connection"], SELLER)

    def refreshed(self):
        version = token()["version"]
        status, _, answer = reader.call("POST", f"/v1/connections/{SELLER}/refresh", {"rejected_version": version})
        self.assertNotEqual(status, 403)
        if status == 200:
            aws.secrets.add(answer["access_token"])
        return status == 200 and answer

    def test_events_arrive_on_the_bus(self):
        kinds = set()

        def heard():
            got = aws.client("sqs").receive_message(QueueUrl=aws.events_queue, MaxNumberOfMessages=10)
            kinds.update(json.loads(message["Body"])["detail-type"] for message in got.get("Messages", []))
            return {"Connection Created", "Connection Refreshed"} <= kinds

        until(heard, 240, f"only {kinds}")

    def test_what_an_operator_ends_is_deleted_with_a_recovery_window(self):
        opener.connect("tiktok-shop/us", "bens-books")
        connection = "tiktok-shop/us/bens-books"
        self.assertEqual(operator.call("GET", f"/v1/connections/{connection}")[0], 200)
        status, _, answer = operator.call("DELETE", f"/v1/connections/{connection}")
        self.assertLess(status, 300, answer)
        secrets = aws.client("secretsmanager")
        name = f"{STACK}/connections/{connection}/tokens"
        until(lambda: secrets.describe_secret(SecretId=name).get("DeletedDate"), 240, "it is not deleted")
        self.assertEqual(reader.call("GET", f"/v1/connections/{connection}/token")[0], 410)
        # The seller comes back: the secret is taken out of its recovery window.
        opener.connect("tiktok-shop/us", "bens-books")
        self.assertEqual(token(connection)["status"], "active")


class Roles(unittest.TestCase):
    def test_what_each_role_must_not_do_is_denied(self):
        for name in ROLES:
            with self.subTest(name):
                self.assertGreater(len(forbidden.CALLS[name]), 10)
                self.assertEqual(allowed_although_forbidden(name), [])

    def test_a_policy_that_is_widened_is_noticed(self):
        # By what does no harm: the calls are made.
        statement = {"Effect": "Allow", "Action": ["dynamodb:Scan", "secretsmanager:ListSecrets"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam, role = aws.client("iam"), role_of("oauth-callback")
        iam.put_role_policy(RoleName=role, PolicyName="wider", PolicyDocument=document)
        try:
            allowed = allowed_although_forbidden("oauth-callback")
            self.assertEqual([it.split("(")[0] for it in allowed], ["secretsmanager.list_secrets"] + ["dynamodb.scan"] * 2)
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="wider")

    def test_a_policy_that_is_narrowed_is_noticed(self):
        iam, role = aws.client("iam"), role_of("token-lookup")
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        kept = [it for it in document["Statement"] if it["Sid"] != "ReadItems"]
        self.assertEqual(len(kept), len(document["Statement"]) - 1)
        narrow = json.dumps({**document, "Statement": kept})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=narrow)
        try:
            self.assertEqual(reader.call("GET", f"/v1/connections/{SELLER}/token")[0], 503)
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        token()


class Operations(unittest.TestCase):
    def test_smoke_finds_nothing_wrong(self):
        until(lambda: self.sweeps(), 120, "no sweep")
        said = run(["make", "-s", "smoke", f"STACK={STACK}"], aws.environment())
        self.assertEqual((said.count("ok "), said.count("WRONG")), (6, 0), said)
        self.assertIn("\nNo fixed address: ", said)

    def sweeps(self):
        return [line for line in aws.log_lines(f"/aws/lambda/{function('refresh-sweep')}") if '"message":"sweep"' in line]

    def test_an_app_is_added_to_the_running_stack_and_removed(self):
        path, name = "tiktok-shop/uk", "Acme Britain"
        # Not listed: the sellers of other tests choose between the others.
        settings = {"name": name, "market": "global", "listed": False}
        credentials = {"app_key": "6uk7a1k3q9", "app_secret": "uk-app-secret-7d793037a0760186", "service_id": "7200000000000000001"}
        aws.set_app_up(path, settings, credentials)
        # A function reads the registry again for an app that it does not know, once in ten seconds.
        wanted = {**SESSION, "apps": ["tiktok-shop/us", path]}
        opened = until(lambda: self.opened(wanted), 20, "no session for the new app")
        until(lambda: name in Browser(aws).send("GET", opened["connect_url"])[2], 20, "the seller's page does not offer the app")
        listed = aws.make_app("--list")
        self.assertRegex(listed, rf"(?m)^{path} +{name} +global +- +shop +no$")
        self.assertRegex(listed, r"(?m)^temu/us .* yes$")
        with self.assertRaisesRegex(RuntimeError, r"connections that are not disconnected: [1-9]"):
            aws.make_app("--remove", "tiktok-shop/us")
        aws.make_app("--remove", path)
        self.assertNotIn(path, aws.make_app("--list"))
        described = aws.client("secretsmanager").describe_secret(SecretId=f"{STACK}/apps/{path}")
        self.assertIn("DeletedDate", described)

    def opened(self, wanted):
        status, _, session = opener.call("POST", "/v1/connect-sessions", wanted)
        return status == 201 and session

    def test_a_second_stage_shares_the_account(self):
        staging = aws.deploy_stack(f"{STACK}-staging", CustomerManagedKey="yes", Partitions="2")
        self.assertFalse({aws.outputs[name] for name in ["PublicUrl", "ServiceUrl"]} & set(staging.values()))
        config = aws.client("lambda").get_function_configuration(FunctionName=f"{STACK}-staging-oauth-callback")
        variables = config["Environment"]["Variables"]
        self.assertEqual(variables["CONNECTIONS_TABLE"], f"{STACK}-staging-connections")
        self.assertRegex(variables["SECRETS_KMS_KEY"], "^arn:aws:kms:")
        schedules = aws.client("scheduler").list_schedules()["Schedules"]
        self.assertEqual(len([it for it in schedules if it["Name"].startswith(f"{STACK}-staging-sweep-")]), 2)
        # Callers of the one are nobody to the other.
        url = f"{staging['ServiceUrl']}/v1/connections/{SELLER}/token"
        self.assertEqual(aws.fetch("GET", url, reader.credentials)[0], 403)
        self.assertEqual(aws.fetch("GET", url, aws.root)[0], 404)

    def test_a_stack_in_a_vpc_has_the_rights_for_it_and_the_nat_gateway_is_found(self):
        stack, calling = f"{STACK}-fixed", ["oauth-callback", "refresh-on-demand", "refresh-sweep"]
        subnet, group, gateway = aws.subnet_behind_nat_gateway()
        aws.deploy_stack(stack, VpcSubnetIds=subnet, VpcSecurityGroupIds=group)
        self.assertEqual(self.with_network_rights(stack), calling)
        # ministack's CloudFormation leaves VpcConfig out; template_test.py looks at it.
        for name in calling:
            inside = {"SubnetIds": [subnet], "SecurityGroupIds": [group]}
            aws.client("lambda").update_function_configuration(FunctionName=f"{stack}-{name}", VpcConfig=inside)
        # Its NAT gateways have no addresses; scripts_test.py has some.
        self.assertIn(f"\nNo fixed address: {gateway} is not available, or has no public address.", self.smoke(stack))
        # ministack cannot update a role (it loses its ARN), so this stack cannot leave the VPC. The other one has none.
        self.assertEqual(self.with_network_rights(STACK), [])

    def with_network_rights(self, stack):
        return [name for name in ROLES if "ec2:CreateNetworkInterface" in self.policy(stack, name)]

    def smoke(self, stack):
        """The output for a stack without apps, which fails the smoke test."""
        with self.assertRaises(RuntimeError) as failed:
            run(["make", "-s", "smoke", f"STACK={stack}"], aws.environment())
        return str(failed.exception)

    def policy(self, stack, name):
        config = aws.client("lambda").get_function_configuration(FunctionName=f"{stack}-{name}")
        role = config["Role"].rsplit("/", 1)[1]
        return json.dumps(aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])

    def test_subnets_without_security_groups_are_refused(self):
        with self.assertRaisesRegex(RuntimeError, "VpcSubnetIds needs VpcSecurityGroupIds"):
            aws.deploy_stack(f"{STACK}-half", VpcSubnetIds="subnet-0a1b2c3d")

    def test_functions_and_roles_follow_to_a_restored_table(self):
        stack = f"{STACK}-restored"
        aws.deploy_stack(stack, ConnectionsTableName="restored-yesterday")
        for name in ROLES:
            config = aws.client("lambda").get_function_configuration(FunctionName=f"{stack}-{name}")
            self.assertEqual(config["Environment"]["Variables"]["CONNECTIONS_TABLE"], "restored-yesterday")
            tables = re.findall(r"table/([\w-]+)", self.policy(stack, name))
            self.assertEqual(set(tables) - {"restored-yesterday"}, set(tables) & {f"{stack}-connect-sessions"})
            self.assertIn("restored-yesterday", tables)

    def test_deploying_again_changes_nothing(self):
        before = aws.resources(STACK)
        self.assertGreater(len(before), 60)
        self.assertEqual(aws.deploy_stack(STACK), aws.outputs)
        self.assertEqual(aws.resources(STACK), before)
        self.assertEqual(token()["status"], "active")

    def test_no_role_was_refused_anything_it_needs(self):
        token()
        until(lambda: self.sweeps(), 120, "no sweep")
        for name in ROLES:
            lines = aws.log_lines(f"/aws/lambda/{function(name)}")
            self.assertTrue(lines, name)
            # On a busy machine a service may be too slow to answer at all. A refusal has a code.
            refused = [line for line in lines if "AccessDenied" in line]
            refused += [line for line in lines if '"level":"ERROR"' in line and "no answer" not in line]
            # The first runs may come before the first app is set up.
            refused = [line for line in refused if "is empty: set an app up" not in line]
            # One test takes this permission from token-lookup.
            refused = [line for line in refused if name != "token-lookup" or "get an item (AccessDenied" not in line]
            self.assertEqual(refused, [], name)

    def test_no_secret_is_in_any_log(self):
        token()
        groups = aws.client("logs").describe_log_groups()["logGroups"]
        lines = [line for group in groups for line in aws.log_lines(group["logGroupName"])]
        self.assertGreater(len(lines), 10)
        for secret in aws.secrets:
            self.assertFalse([line for line in lines if secret in line])


if __name__ == "__main__":
    os.chdir(pathlib.Path(__file__).parent)
    unittest.main()
