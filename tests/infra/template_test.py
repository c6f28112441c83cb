"""The templates of infra/: valid, and with what no emulator knows. Run by `make verify`; alone:
.tools/verify/bin/python tests/infra/template_test.py
"""

import json
import pathlib
import re
import sys
import unittest

from cfnlint.api import ManualArgs, lint

import templates
from templates import broken_rules, resolved, source, transformed

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))

import check_parameters
import fixed_addresses

VENDOR = {"VendorName": "Acme"}


def of_type(resources, kind):
    return {name: it["Properties"] for name, it in resources.items() if it["Type"] == f"AWS::{kind}"}


def storage(key="no"):
    return resolved("storage", CustomerManagedKey=key, ConnectionsTableName="", SessionsTableName="")


# One of each continent: in all of them, each policy would be looked at forty times.
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-1"]


def findings(template):
    """What cfn-lint says, but for its advice."""
    config = ManualArgs(include_experimental=True, regions=REGIONS)
    found = lint(json.dumps(template), config=config)
    # W3002: a nested template's file, which `sam package` puts into a bucket. W1033 splits the empty text of the subnets and
    # of the security groups even where the condition excludes it.
    return [str(it) for it in found if it.rule.id != "W3002" and not (it.rule.id == "W1033" and it.message.startswith("'' "))]


class Valid(unittest.TestCase):
    def test_cfn_lint_finds_nothing_in_what_cloudformation_gets(self):
        for name in templates.names():
            with self.subTest(name):
                self.assertEqual(findings(transformed(name)), [])

    def test_the_lint_would_find_a_mistake(self):
        wrong = transformed()
        wrong["Resources"]["TokenLookup"]["Properties"]["Runtime"] = "provided.al3023"
        self.assertNotEqual(findings(wrong), [])

    def test_every_nested_template_gets_just_the_parameters_that_it_has(self):
        nested = of_type(transformed()["Resources"], "CloudFormation::Stack")
        self.assertEqual({it["TemplateURL"] for it in nested.values()} | {"template.yaml"},
                         {f"{name}.yaml" for name in templates.names()})
        for name, stack in nested.items():
            with self.subTest(name):
                known = source(stack["TemplateURL"].removesuffix(".yaml"))["Parameters"]
                self.assertEqual(set(stack["Parameters"]), set(known))

    def test_every_parameter_is_documented_and_in_a_group(self):
        template = source("template")
        groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(template["Parameters"]))
        example = (templates.FOLDER / "parameters.example.yaml").read_text()
        for name, parameter in template["Parameters"].items():
            self.assertTrue(parameter.get("Description"), name)
            self.assertIn(f"{name}:", example)


class Storage(unittest.TestCase):
    def test_what_is_kept_outlives_the_stack(self):
        # What a failed deployment had just made is in the next one's way; but a table is protected, and a key may be in use.
        kept = {
            "DynamoDB::Table": "Retain",
            "KMS::Key": "Retain",
            "SecretsManager::Secret": "RetainExceptOnCreate",
            "Logs::LogGroup": "RetainExceptOnCreate",
        }
        found = 0
        for resources in [storage("yes"), resolved("template", **VENDOR), apis()]:
            for name, it in resources.items():
                if policy := kept.get(it["Type"].removeprefix("AWS::")):
                    found += 1
                    self.assertEqual((it["DeletionPolicy"], it["UpdateReplacePolicy"]), (policy, "Retain"), name)
        self.assertEqual(found, 2 + 1 + 1 + 6)

    def test_tables_can_be_restored_and_not_deleted_by_mistake(self):
        tables = of_type(storage(), "DynamoDB::Table")
        self.assertEqual(len(tables), 2)
        for name, table in tables.items():
            with self.subTest(name):
                self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
                self.assertTrue(table["DeletionProtectionEnabled"])
                self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")

    def test_sessions_are_cleaned_up_and_connections_never(self):
        tables = of_type(storage(), "DynamoDB::Table")
        self.assertEqual(
            tables["ConnectSessions"]["TimeToLiveSpecification"], {"AttributeName": "delete_at", "Enabled": True}
        )
        self.assertNotIn("TimeToLiveSpecification", tables["Connections"])

    def test_with_a_key_of_its_own_everything_is_encrypted_with_it(self):
        resources = storage("yes")
        for name, table in of_type(resources, "DynamoDB::Table").items():
            expected = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "Key.Arn"}
            self.assertEqual(table["SSESpecification"], expected, name)
        secrets = of_type(resources, "SecretsManager::Secret")
        self.assertEqual({it["KmsKeyId"] for it in secrets.values()}, {"Key.Arn"})
        self.assertTrue(resources["Key"]["Properties"]["EnableKeyRotation"])

    def test_without_one_there_is_none(self):
        resources = storage("no")
        self.assertNotIn("Key", resources)
        for table in of_type(resources, "DynamoDB::Table").values():
            self.assertNotIn("SSESpecification", table)
        for secret in of_type(resources, "SecretsManager::Secret").values():
            self.assertNotIn("KmsKeyId", secret)

    def test_the_registry_of_apps_is_an_empty_secret_and_the_only_one(self):
        (secret,) = of_type(storage(), "SecretsManager::Secret").values()
        self.assertEqual(secret["Name"], "shop-keyring/apps")
        self.assertFalse({"SecretString", "GenerateSecretString"} & set(secret))

    def test_the_failure_queue_is_encrypted(self):
        (queue,) = of_type(storage(), "SQS::Queue").values()
        self.assertTrue(queue["SqsManagedSseEnabled"])


def apis(**parameters):
    return resolved("apis", **{"PublicDomain": "", "PublicCertificate": "", "LogRetentionDays": 30, **parameters})


class Environment(unittest.TestCase):
    # As long as they get.
    NAME = "s" * 49
    LONGEST = {
        "Storage.Outputs.ConnectionsTable": f"{NAME}-connections",
        "Storage.Outputs.SessionsTable": f"{NAME}-connect-sessions",
        "Storage.Outputs.EventBus": NAME,
        "Storage.Outputs.KeyArn": f"arn:aws-us-gov:kms:ap-northeast-1:111122223333:key/{'k' * 36}",
        "Apis.Outputs.PublicUrl": f"https://{'a' * 10}.execute-api.ap-northeast-1.amazonaws.com",
        "RefreshOnDemand": f"{NAME}-refresh-on-demand",
    }

    def test_what_is_let_pass_fits_into_lambdas_four_kilobytes(self):
        given = dict.fromkeys(check_parameters.IN_ENVIRONMENT, "")
        for longest in ["VendorName", "SupportUrl", "ReturnUrls"]:
            text = {**given, longest: "r" * (check_parameters.MOST_BYTES - check_parameters.size(given))}
            self.assertEqual(check_parameters.size(text), check_parameters.MOST_BYTES)
            resources = resolved("template", **{**text, "AWS::StackName": self.NAME})
            for name, function in of_type(resources, "Lambda::Function").items():
                environment = {key: self.LONGEST.get(it, str(it)) for key, it in function["Environment"]["Variables"].items()}
                self.assertFalse([it for it in environment.values() if re.fullmatch(r"\w+\.Outputs\.\w+", it)], name)
                self.assertLessEqual(len(json.dumps(environment)), 4096, name)

    def test_quotation_marks_count_twice(self):
        self.assertEqual(check_parameters.size({"VendorName": 'A"'}, ["VendorName"]), 5)


class Apis(unittest.TestCase):
    def test_the_public_one_has_the_functions_routes_and_the_default(self):
        router = (templates.FOLDER.parent / "functions/oauth-callback/src/router.rs").read_text()
        known = re.findall(r'\.route\(\s*"([^"]+)"', router)
        routes = of_type(apis(), "ApiGatewayV2::Route")
        public = {it["RouteKey"] for it in routes.values() if it["ApiId"] == "PublicApi"}
        self.assertEqual(public, {f"ANY {path}" for path in known} | {"$default"})
        self.assertFalse([key for key in public if "/v1" in key or "proxy" in key])

    def test_unknown_paths_reach_the_sellers_function_and_never_the_services(self):
        routes = [it for it in of_type(apis(), "ApiGatewayV2::Route").values() if it["RouteKey"] == "$default"]
        found = [(it["ApiId"], it["Target"], it["AuthorizationType"]) for it in routes]
        self.assertEqual(found, [("PublicApi", "integrations/PublicIntegration", "NONE")])

    def test_every_route_of_the_services_asks_for_iam(self):
        routes = [it for it in of_type(apis(), "ApiGatewayV2::Route").values() if it["ApiId"] == "ServiceApi"]
        self.assertEqual([(it["RouteKey"], it["AuthorizationType"]) for it in routes], [("ANY /v1/{proxy+}", "AWS_IAM")])

    def test_each_api_has_a_function_of_its_own(self):
        uris = {name: it["IntegrationUri"].split(":")[-1] for name, it in of_type(apis(), "ApiGatewayV2::Integration").items()}
        expected = {"PublicIntegration": "shop-keyring-oauth-callback", "ServiceIntegration": "shop-keyring-token-lookup"}
        self.assertEqual(uris, expected)
        permissions = of_type(resolved("template", **VENDOR), "Lambda::Permission")
        granted = {(it["FunctionName"], it["SourceArn"].split(":")[-1]) for it in permissions.values()}
        self.assertEqual(granted, {("OauthCallback", "Apis.Outputs.PublicApi/*"), ("TokenLookup", "Apis.Outputs.ServiceApi/*")})

    def test_routes_and_stages_are_made_one_after_the_other(self):
        resources = apis()
        chain = ["PublicStage"]
        while before := resources[chain[-1]].get("DependsOn"):
            chain.append(before)
        routes = of_type(resources, "ApiGatewayV2::Route")
        self.assertEqual(set(chain[1:]), {name for name, it in routes.items() if it["ApiId"] == "PublicApi"})
        self.assertEqual(resources["ServiceStage"]["DependsOn"], ["ServiceRoute", "PublicStage"])

    def test_access_logs_tell_routes_and_never_paths(self):
        for name, stage in of_type(apis(), "ApiGatewayV2::Stage").items():
            line = stage["AccessLogSettings"]["Format"]
            self.assertIn("$context.routeKey", line, name)
            json.loads(line)
            for secret in ["path", "queryString", "rawPath", "$context.protocol", "sourceIp"]:
                self.assertNotIn(secret, line, name)

    def test_the_public_one_is_throttled(self):
        settings = of_type(apis(), "ApiGatewayV2::Stage")["PublicStage"]["DefaultRouteSettings"]
        self.assertGreater(settings["ThrottlingRateLimit"], 0)
        self.assertGreater(settings["ThrottlingBurstLimit"], 0)

    def test_unknown_paths_have_a_small_share_of_their_own(self):
        resources = apis()
        stages = of_type(resources, "ApiGatewayV2::Stage")
        self.assertNotIn("RouteSettings", stages["ServiceStage"])
        settings = stages["PublicStage"]["RouteSettings"]
        # API Gateway refuses settings for a route that does not exist; a stage comes after all routes.
        routes = of_type(resources, "ApiGatewayV2::Route").values()
        self.assertLessEqual(set(settings), {it["RouteKey"] for it in routes if it["ApiId"] == "PublicApi"})
        for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"]:
            with self.subTest(limit):
                self.assertGreater(settings["$default"][limit], 0)
                self.assertLessEqual(settings["$default"][limit] * 10, stages["PublicStage"]["DefaultRouteSettings"][limit])

    def test_a_domain_of_ones_own_is_the_only_one(self):
        domain = apis(PublicDomain="connect.example", PublicCertificate="arn:aws:acm:us-east-1:111122223333:certificate/c")
        self.assertTrue(domain["PublicApi"]["Properties"]["DisableExecuteApiEndpoint"])
        (name,) = of_type(domain, "ApiGatewayV2::DomainName").values()
        self.assertEqual(name["DomainNameConfigurations"][0]["SecurityPolicy"], "TLS_1_2")
        self.assertFalse(apis()["PublicApi"]["Properties"]["DisableExecuteApiEndpoint"])
        self.assertEqual(of_type(apis(), "ApiGatewayV2::DomainName"), {})


class Functions(unittest.TestCase):
    def functions(self, **parameters):
        return of_type(resolved("template", **{**VENDOR, **parameters}), "Lambda::Function")

    def test_they_are_what_they_should_be(self):
        functions = self.functions()
        self.assertEqual({it["FunctionName"] for it in functions.values()},
                         {f"shop-keyring-{name}" for name in ["oauth-callback", "refresh-on-demand", "refresh-sweep", "token-lookup"]})
        for name, it in functions.items():
            self.assertEqual((it["Runtime"], it["Architectures"]), ("provided.al2023", ["arm64"]), name)
            self.assertEqual(it["Role"], f"Roles.Outputs.{name}")
        self.assertGreaterEqual(functions["RefreshSweep"]["Timeout"], 120)
        # A claim's minute.
        self.assertGreater(functions["RefreshOnDemand"]["Timeout"], 60)
        self.assertEqual(functions["TokenLookup"]["Timeout"], 30)

    def test_refreshes_on_demand_have_a_function_of_their_own_of_the_sweeps_program(self):
        sources = source("template")["Resources"]
        self.assertEqual(sources["RefreshOnDemand"]["Properties"]["CodeUri"], sources["RefreshSweep"]["Properties"]["CodeUri"])
        variables = {name: it["Environment"]["Variables"] for name, it in self.functions().items()}
        self.assertEqual(variables["TokenLookup"]["REFRESH_FUNCTION"], "RefreshOnDemand")
        self.assertEqual({name: it["INVOKED_BY"] for name, it in variables.items() if "INVOKED_BY" in it},
                         {"RefreshOnDemand": "caller", "RefreshSweep": "schedule"})

    def test_lambda_does_not_repeat_a_sweep(self):
        (config,) = of_type(resolved("template", **VENDOR), "Lambda::EventInvokeConfig").values()
        self.assertEqual((config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]), (0, 60))
        self.assertEqual(config["DestinationConfig"]["OnFailure"]["Destination"], "Storage.Outputs.FailureQueueArn")

    def test_concurrency_is_reserved_only_when_asked_for(self):
        for it in self.functions().values():
            self.assertNotIn("ReservedConcurrentExecutions", it)
        for asked_for in self.functions():
            for name, it in self.functions(**{f"{asked_for}Concurrency": 5}).items():
                self.assertEqual(it.get("ReservedConcurrentExecutions"), 5 if name == asked_for else None, (asked_for, name))

    def test_those_that_call_marketplaces_are_in_the_vpc_that_is_given_and_otherwise_none_is(self):
        calling = {"OauthCallback", "RefreshOnDemand", "RefreshSweep"}
        self.assertEqual({self.functions()[name]["FunctionName"].removeprefix("shop-keyring-") for name in calling},
                         set(fixed_addresses.FUNCTIONS))
        for name, it in self.functions().items():
            self.assertNotIn("VpcConfig", it, name)
        inside = self.functions(VpcSubnetIds="subnet-0a1,subnet-0b2", VpcSecurityGroupIds="sg-0c3")
        expected = {"SubnetIds": ["subnet-0a1", "subnet-0b2"], "SecurityGroupIds": ["sg-0c3"]}
        self.assertEqual({name: it["VpcConfig"] for name, it in inside.items() if "VpcConfig" in it},
                         dict.fromkeys(calling, expected))

    def test_their_roles_learn_of_the_vpc(self):
        for given, expected in [({}, "no"), ({"VpcSubnetIds": "subnet-0a1", "VpcSecurityGroupIds": "sg-0c3"}, "yes")]:
            roles = resolved("template", **VENDOR, **given)["Roles"]["Properties"]["Parameters"]
            self.assertEqual(roles["Vpc"], expected)

    def test_subnets_and_security_groups_are_given_together(self):
        parameters = source("template")["Parameters"]
        for subnets, groups, good in [
            ("", "", True),
            ("subnet-0a1,subnet-0b2", "sg-0c3", True),
            ("subnet-0a1", "", False),
            ("", "sg-0c3", False),
        ]:
            given = {"PublicDomain": "", "VpcSubnetIds": subnets, "VpcSecurityGroupIds": groups}
            self.assertEqual(not broken_rules(**given), good, given)
        patterns = {name: parameters[name]["AllowedPattern"] for name in ["VpcSubnetIds", "VpcSecurityGroupIds"]}
        for name, values in {
            "VpcSubnetIds": ["subnet-0a1, subnet-0b2", "sg-0c3", "subnet-0a1,", " "],
            "VpcSecurityGroupIds": ["sg-0c3 sg-0d4", "subnet-0a1", "default"],
        }.items():
            for value in values:
                self.assertIsNone(re.fullmatch(patterns[name], value), value)

    def test_webhooks_are_registered_where_sellers_reach_oauth_callback(self):
        addresses = {name: it["Environment"]["Variables"].get("PUBLIC_BASE_URL") for name, it in self.functions().items()}
        self.assertEqual(addresses["OauthCallback"], "Apis.Outputs.PublicUrl")
        for name in ["RefreshOnDemand", "RefreshSweep"]:
            self.assertEqual(addresses[name], addresses["OauthCallback"], name)

    def test_every_variable_is_known_to_its_function(self):
        shared = "".join(path.read_text() for path in (templates.FOLDER.parent / "shared/src").rglob("*.rs"))
        for name, it in self.functions().items():
            package = source("template")["Resources"][name]["Properties"]["CodeUri"].removesuffix(".zip")
            config = (templates.FOLDER.parent / f"functions/{package}/src/config.rs").read_text()
            for variable in it["Environment"]["Variables"]:
                self.assertIn(variable, config + shared, f"{name} does not read {variable}")
            sweeps = name == "RefreshSweep"
            for variable in re.findall(r'reader\.\w+\("([A-Z_]+)"', config):
                if variable != "SWEEP_CONCURRENCY" and (sweeps or variable != "VAULT_PUTS_PER_SECOND"):
                    self.assertIn(variable, it["Environment"]["Variables"], name)

    def test_every_log_group_ends_and_is_there_before_its_function(self):
        resources = resolved("template", **VENDOR, LogRetentionDays=30)
        groups = of_type(resources, "Logs::LogGroup")
        self.assertEqual({it["LogGroupName"] for it in groups.values()},
                         {f"/aws/lambda/{it['FunctionName']}" for it in self.functions().values()})
        self.assertEqual({it["RetentionInDays"] for it in groups.values()}, {30})
        for name in self.functions():
            self.assertIn(f"{name}Log", resources[name]["DependsOn"])


class Schedule(unittest.TestCase):
    def test_each_minute_every_partition_once(self):
        for partitions in [1, 2, 4]:
            schedules = of_type(resolved("schedule", Partitions=partitions, RefreshSweepArn="a", RoleArn="r", FailureQueueArn="q"),
                                "Scheduler::Schedule")
            inputs = [json.loads(it["Target"]["Input"])["partition"] for it in schedules.values()]
            self.assertEqual(inputs, [{"index": index, "count": partitions} for index in range(partitions)])
            for it in schedules.values():
                # No linter knows that `rate(1 minutes)` and `rate(5 minute)` are none.
                self.assertEqual(it["ScheduleExpression"], "rate(1 minute)")
                self.assertEqual(it["Target"]["RetryPolicy"], {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60})
                self.assertEqual(it["Target"]["DeadLetterConfig"], {"Arn": "q"})


if __name__ == "__main__":
    unittest.main()
