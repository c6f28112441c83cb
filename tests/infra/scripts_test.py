"""What `make app` decides and writes, what `make smoke` finds and what `make deploy` chooses, against moto; deployed_test.py
runs all for real.

Run by `make verify`; alone: .tools/verify/bin/python tests/infra/scripts_test.py
"""

import contextlib
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import unittest
from unittest import mock

import boto3
import botocore.client
from botocore.exceptions import ClientError
from moto import mock_aws

from templates import resolved

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import app
import app_entry
import app_registry
import app_secrets
import breakers
import concurrency
import fixed_addresses
import smoke

SETTINGS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
STACK = "shop-keyring"
REGISTRY = f"{STACK}/apps"
US = {"name": "Acme Listing", "market": "us"}
PRODUCT = {"name": "Acme Products", "gateway": "cn-pa"}


class Entries(unittest.TestCase):
    def test_each_rule_holds_as_it_does_for_the_functions(self):
        cases = json.loads((ROOT / "shared/src/registry/cases.json").read_text())
        self.assertGreater(len(cases), 20)
        for case in cases:
            ((path, entry),) = case["entry"].items()
            found = app_entry.problems(path, entry)
            with self.subTest(case["what"]):
                self.assertEqual(len(found), 0 if case["problem"] is None else 1, found)
                self.assertIn(case["problem"] or "", "".join(found))
                if "hosts" in case:
                    self.assertEqual(app_entry.hosts(path, entry), case["hosts"])

    def test_the_names_that_are_known_have_their_settings(self):
        for path, settings in app_entry.KNOWN.items():
            self.assertEqual(app_entry.problems(path, {"name": "Acme", **settings}), [])

    def test_every_problem_is_found_at_once(self):
        entry = {"name": "", "gateway": "us", "purposes": ["product"], "link_url": "http://x.example", "permissions": {"A": []}}
        self.assertEqual(len(app_entry.problems("temu/us", entry)), 5)

    def test_an_address_that_browsers_would_read_otherwise_is_refused(self):
        for url in [
            "https:auth.example",
            "https:///auth.example",
            "https://auth.example\\.evil.example",
            "https://127.1",
            "https://256.1.1.1",
            "https://[::1",
            "https://[127.0.0.1]",
            "https://-.example",
            "https://auth.example\n",
            "https://ä.example",
            " https://auth.example",
        ]:
            self.assertEqual(app_entry.problem_of_url(url), "is not a URL", url)
        for url in ["http://127.0.0.1.example", "http://[::ffff:127.0.0.1]", "http://[::2]", "http://10.0.0.1"]:
            self.assertEqual(app_entry.problem_of_url(url), "must begin with https://", url)
        for url in ["https://auth.example?", "https://auth.example/#", "https://@auth.example"]:
            self.assertEqual(app_entry.problem_of_url(url), "must not have a query, a fragment or a user", url)
        for url in ["https://[2001:db8::1]:8443/a/b@c", "http://127.8.9.10:1/", "https://10.0.0.1"]:
            self.assertIsNone(app_entry.problem_of_url(url), url)


class Decisions(unittest.TestCase):
    def test_settings_replace_members_and_null_removes_one(self):
        entry = {**US, "label": "TikTok Shop", "listed": False}
        merged = app_registry.merged(entry, {"label": None, "name": "Acme", "api_url": "https://api.example"})
        self.assertEqual(merged, {"name": "Acme", "market": "us", "listed": False, "api_url": "https://api.example"})

    def test_the_registry_is_short_sorted_and_within_the_limit(self):
        text = app_registry.document({"temu/us": {}, "temu/eu": {"name": "店"}})
        self.assertEqual(text, '{"temu/eu":{"name":"店"},"temu/us":{}}')
        rest = len(app_registry.document({"temu/us": ""}))
        app_registry.document({"temu/us": "x" * (app_registry.MOST_BYTES - rest)})
        with self.assertRaisesRegex(app_registry.Refused, "65,537 bytes"):
            app_registry.document({"temu/us": "x" * (app_registry.MOST_BYTES - rest + 1)})
        with self.assertRaisesRegex(app_registry.Refused, "Unicode"):
            app_registry.document({"temu/us": "\ud800"})

    def test_what_cannot_be_parsed_is_not_repeated(self):
        for text in ["{secret", '["secret"]', b"\xffsecret", '"secret"']:
            with self.assertRaises(app_registry.Refused) as refused:
                app_registry.parse(text, "The file")
            self.assertNotIn("secret", str(refused.exception))

    def test_an_app_key_belongs_to_one_app_of_a_marketplace(self):
        credentials = {"temu/us": {"app_key": "k"}, "temu/eu": {}, "tiktok-shop/us": {"app_key": "t"}}
        self.assertEqual(app_registry.app_with_key("temu/global", "k", credentials), "temu/us")
        self.assertIsNone(app_registry.app_with_key("temu/us", "k", credentials))
        self.assertIsNone(app_registry.app_with_key("temu/us", "t", credentials))

    def test_an_empty_answer_keeps_what_is_stored(self):
        present = {"app_key": "k", "app_secret": "s", "previous_app_secret": "p", "service_id": "1"}
        none = {"app_key": "", "app_secret": "", "service_id": ""}
        self.assertEqual(app_registry.replaced(present, none), present)
        self.assertEqual(app_registry.replaced(present, {**none, "service_id": "2"}), {**present, "service_id": "2"})
        changed = {"app_key": "k", "app_secret": "new", "service_id": "1"}
        self.assertEqual(app_registry.replaced(present, {**none, "app_secret": "new"}), changed)

    def test_the_index_is_queried_in_all_its_shards(self):
        due = (ROOT / "shared/src/connection/due.rs").read_text()
        self.assertEqual(int(re.search(r"SHARDS: u8 = (\d+);", due)[1]), app_secrets.SHARDS)


class WithAws(unittest.TestCase):
    """An AWS with what the stack's deployment leaves."""

    def setUp(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.enterContext(mock.patch.dict(os.environ, kept | SETTINGS, clear=True))
        self.enterContext(mock_aws())
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.secrets = boto3.client("secretsmanager")
        # As CloudFormation makes it: without a value.
        self.secrets.create_secret(Name=REGISTRY)

    def run_with(self, answers, *options, path="tiktok-shop/us", settings=None):
        """What the script says, and with which code it ends."""
        said = io.StringIO()
        if settings is not None:
            file = pathlib.Path(self.folder) / "settings.json"
            file.write_text(settings if isinstance(settings, str) else json.dumps(settings))
            options = [*options, "--settings", str(file)]
        arguments = ["app.py", *options, STACK, path]
        with mock.patch.object(sys, "argv", arguments), mock.patch.object(sys, "stdin", io.StringIO(answers)):
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    app.main()
                except SystemExit as end:
                    return f"{said.getvalue()}{end}"
        return said.getvalue()

    def value(self, name):
        """A secret's value as JSON; None if it has none."""
        try:
            return json.loads(self.secrets.get_secret_value(SecretId=name)["SecretString"])
        except (self.secrets.exceptions.ResourceNotFoundException, self.secrets.exceptions.InvalidRequestException):
            return None

    def registry(self):
        return self.value(REGISTRY)

    def credentials(self, path="tiktok-shop/us"):
        return self.value(f"{REGISTRY}/{path}")

    def assert_refused(self, said, what):
        self.assertRegex(said, what)
        self.assertIn("Nothing was written.", said)


class SettingUp(WithAws):
    def test_it_stores_what_is_typed_and_says_nothing_of_the_credentials(self):
        said = self.run_with("Acme Listing\nthe-key\nfirst-secret\n7100\n")
        self.assertIn("Written", said)
        self.assertEqual(self.registry(), {"tiktok-shop/us": US})
        self.assertEqual(self.credentials(), {"app_key": "the-key", "app_secret": "first-secret", "service_id": "7100"})
        self.assertFalse([it for it in ["the-key", "first-secret", "7100"] if it in said])

    def test_temus_apps_have_no_service_id(self):
        self.run_with("Acme Products\nkey\nsecret\n", path="temu/product")
        self.assertEqual(self.registry(), {"temu/product": PRODUCT})
        self.assertEqual(self.credentials("temu/product"), {"app_key": "key", "app_secret": "secret"})

    def test_an_app_whose_link_names_the_app_key_has_no_service_id(self):
        link = {"link_url": "https://auth.tiktok-shops.com/oauth/authorize"}
        self.run_with("Acme\nkey\nsecret\n", settings=link)
        self.assertEqual(self.registry()["tiktok-shop/us"]["link_url"], link["link_url"])
        self.assertEqual(self.credentials(), {"app_key": "key", "app_secret": "secret"})

    def test_a_new_name_needs_its_market_or_gateway(self):
        self.run_with("Acme UK\nglobal\nk1\ns1\n7100\n", path="tiktok-shop/uk")
        self.run_with("Acme Orders\nglobal\nk2\ns2\n", path="temu/orders")
        orders = {"name": "Acme Orders", "gateway": "global"}
        apps = {"tiktok-shop/uk": {"name": "Acme UK", "market": "global"}, "temu/orders": orders}
        self.assertEqual(self.registry(), apps)
        self.assert_refused(self.run_with("Acme\nmars\nk3\ns3\n", path="temu/mars"), "temu/mars: `gateway` cannot be `mars`")
        # Known from now on.
        self.run_with("\nk1\ns3\n7100\n", path="tiktok-shop/uk")
        self.assertEqual((self.registry(), self.credentials("tiktok-shop/uk")["app_secret"]), (apps, "s3"))

    def test_settings_are_merged_and_what_they_give_is_not_asked(self):
        given = {"name": "Acme", "gateway": "global", "purposes": ["compliance"], "listed": False}
        self.run_with("k\ns\n", path="temu/compliance", settings=given)
        self.assertEqual(self.registry(), {"temu/compliance": given})
        self.run_with("\n\n", path="temu/compliance", settings={"name": "Acme 2", "listed": None})
        self.assertEqual(self.registry()["temu/compliance"], {"name": "Acme 2", "gateway": "global", "purposes": ["compliance"]})
        self.assertEqual(self.credentials("temu/compliance"), {"app_key": "k", "app_secret": "s"})

    def test_wrong_settings_are_refused_before_anything_is_written(self):
        for settings, what in [
            ({"tokenurl": "x"}, "tiktok-shop/us: unknown field `tokenurl`"),
            ({"link_url": "http://auth.example"}, "`link_url` must begin with https://"),
            ("[1]", "is not a JSON object"),
            ("{", "is not JSON"),
        ]:
            self.assert_refused(self.run_with("Acme\nk\ns\n7100\n", settings=settings), what)
        self.assert_refused(self.run_with("Acme\n", "--settings", "/nowhere.json"), "/nowhere.json cannot be read")
        self.assertEqual((self.registry(), self.credentials()), (None, None))

    def test_wrong_answers_are_refused_before_anything_is_written(self):
        self.assert_refused(self.run_with("\n"), "The app's name as sellers read it is empty")
        self.assert_refused(self.run_with("Acme\nkey\ntwo words\n1\n"), "The app secret has spaces")
        self.assert_refused(self.run_with("Acme\nkey\nsecret\n"), "The service id is empty")
        self.assertEqual((self.registry(), self.credentials()), (None, None))
        for path in ["temu/UK", "TIKTOK/us", "temu"]:
            self.assertIn("not a valid app", self.run_with("Acme\nkey\nsecret\n", path=path))
        self.assertIn("name the app", self.run_with("Acme\nkey\nsecret\n", path=""))

    def test_an_app_keeps_its_other_settings_and_what_is_not_answered(self):
        self.run_with("Acme\nk\ns\n7100\n", settings={"label": "Our app"})
        self.run_with("\n\n\n\n")
        self.assertEqual(self.registry()["tiktok-shop/us"], {"name": "Acme", "market": "us", "label": "Our app"})
        self.assertEqual(self.credentials(), {"app_key": "k", "app_secret": "s", "service_id": "7100"})
        self.run_with("Acme New\nk\ns2\n\n")
        self.assertEqual(self.registry()["tiktok-shop/us"]["name"], "Acme New")
        self.assertEqual(self.credentials(), {"app_key": "k", "app_secret": "s2", "service_id": "7100"})
        self.assert_refused(self.run_with("\nanother-key\n\n\n"), "The app secret is empty")

    def test_webhooks_are_asked_for_at_tiktok_shop_and_are_per_shop_by_default(self):
        self.run_with("Acme\nk\ns\n7100\nshop\n")
        self.assertEqual(self.registry()["tiktok-shop/us"], {"name": "Acme", "market": "us"})
        self.assert_refused(self.run_with("\n\n\n\nboth\n"), "`webhooks` cannot be `both`: it is one of `shop`, `app`")
        self.run_with("\n\n\n\napp\n")
        self.assertEqual(self.registry()["tiktok-shop/us"]["webhooks"], "app")
        self.run_with("\n\n\n\n\n")
        self.assertEqual(self.registry()["tiktok-shop/us"]["webhooks"], "app")
        # Not asked if the file says it.
        self.run_with("\n\n\n\nboth\n", settings={"webhooks": None})
        self.assertEqual(self.registry()["tiktok-shop/us"], {"name": "Acme", "market": "us"})
        self.run_with("Acme\nk2\ns\nboth\n", path="temu/us")
        self.assertEqual(self.registry()["temu/us"], {"name": "Acme", "gateway": "us"})

    def test_an_app_key_of_another_app_is_refused(self):
        self.run_with("Acme\nk\ns\n", path="temu/us")
        self.assert_refused(self.run_with("Acme\nk\ns\n", path="temu/eu"), "temu/us has this app key already")
        self.assertEqual((list(self.registry()), self.credentials("temu/eu")), (["temu/us"], None))
        # Marketplaces have nothing to do with each other.
        self.run_with("Acme\nk\ns\n7100\n")
        self.assertEqual(list(self.registry()), ["temu/us", "tiktok-shop/us"])

    def test_credentials_have_the_key_of_the_registry(self):
        self.secrets.update_secret(SecretId=REGISTRY, KmsKeyId="alias/shop-keyring")
        self.secrets.create_secret(Name=f"{REGISTRY}/temu/eu", SecretString="{}")
        for path in ["temu/us", "temu/eu"]:
            self.run_with(f"Acme\nk-{path}\ns\n", path=path)
            described = self.secrets.describe_secret(SecretId=f"{REGISTRY}/{path}")
            self.assertEqual(described["KmsKeyId"], "alias/shop-keyring", path)

    def test_credentials_come_before_the_registry(self):
        real, written = app_secrets.Apps.put, []
        put_credentials = app_secrets.Apps.put_credentials
        with (
            mock.patch.object(app_secrets.Apps, "put", lambda *it: (written.append(it[1]), real(*it))),
            mock.patch.object(app_secrets.Apps, "put_credentials", lambda *it: (written.append(it[1]), put_credentials(*it))),
        ):
            self.run_with("Acme\nk\ns\n", path="temu/us")
        self.assertEqual(written, ["temu/us", REGISTRY])

    def test_another_app_that_is_set_up_during_the_questions_stays(self):
        asked = app.ask_credentials

        def ask_credentials(path, present, entry):
            self.secrets.put_secret_value(SecretId=REGISTRY, SecretString=json.dumps({"temu/product": PRODUCT}))
            return asked(path, present, entry)

        with mock.patch.object(app, "ask_credentials", ask_credentials):
            self.run_with("Acme Listing\nk\ns\n7100\n")
        self.assertEqual(self.registry(), {"temu/product": PRODUCT, "tiktok-shop/us": US})

    def test_the_registry_must_exist_and_be_json(self):
        self.secrets.put_secret_value(SecretId=REGISTRY, SecretString="{'secret'")
        said = self.run_with("Acme\nk\ns\n7100\n")
        self.assert_refused(said, "is not JSON .*AWSPREVIOUS")
        self.assertNotIn("'secret'", said)
        self.secrets.delete_secret(SecretId=REGISTRY, RecoveryWindowInDays=7)
        self.assert_refused(self.run_with("Acme\nk\ns\n7100\n"), "restore-secret --secret-id shop-keyring/apps")
        self.secrets.delete_secret(SecretId=REGISTRY, ForceDeleteWithoutRecovery=True)
        self.assert_refused(self.run_with("Acme\nk\ns\n7100\n"), "Deploy the stack first: make deploy STACK=shop-keyring")


class Rotating(WithAws):
    def test_a_rotation_keeps_the_old_one_beside_until_it_is_over(self):
        self.run_with("Acme\nkey\nold\n7100\n")
        registry = self.registry()
        self.run_with("new\n", "--rotate")
        self.assertEqual((self.credentials()["app_secret"], self.credentials()["previous_app_secret"]), ("new", "old"))
        self.assert_refused(self.run_with("new\n", "--rotate"), "already stored")
        # Other settings may change in the meantime.
        self.run_with("\n\n\n\n")
        self.assertEqual(self.credentials()["previous_app_secret"], "old")
        self.run_with("", "--forget-previous")
        self.assertEqual(self.credentials(), {"app_key": "key", "app_secret": "new", "service_id": "7100"})
        self.assert_refused(self.run_with("", "--forget-previous"), "no previous")
        self.assertEqual(self.registry(), registry)

    def test_without_credentials_there_is_nothing_to_rotate(self):
        self.assert_refused(self.run_with("new\n", "--rotate"), "has no credentials. Set the app up first")


class ListingAndRemoving(WithAws):
    def setUp(self):
        super().setUp()
        table = resolved("storage", CustomerManagedKey="no", ConnectionsTableName="", SessionsTableName="")["Connections"]
        known = ["TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"]
        self.dynamodb = boto3.client("dynamodb")
        self.dynamodb.create_table(**{name: table["Properties"][name] for name in known})
        stack = {
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {"ConnectionsTable": {"Value": table["Properties"]["TableName"]}},
        }
        boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(stack))
        self.run_with("Acme Listing\nkey-1\nsecret-1\n7100\n")
        self.run_with("Acme Products\nkey-2\nsecret-2\n", path="temu/product")

    def connection(self, name, status, shard):
        item = {"connection": {"S": name}, "status": {"S": status}, "list_shard": {"N": str(shard)}}
        self.dynamodb.put_item(TableName=f"{STACK}-connections", Item=item)

    def test_the_list_has_a_line_for_each_app_and_one_for_each_problem(self):
        self.run_with("k\ns\n", path="temu/world", settings={"name": "Acme", "gateway": "global", "listed": False})
        broken = {**self.registry(), "temu/broken": {"name": "Acme", "gateway": "mars"}, "x": 5}
        self.secrets.put_secret_value(SecretId=REGISTRY, SecretString=json.dumps(broken))
        lines = [re.split(r"\s{2,}", line) for line in self.run_with("", "--list", path="").splitlines()]
        self.assertEqual(
            lines[1:4],
            [
                ["temu/product", "Acme Products", "cn-pa", "product", "-", "yes"],
                ["temu/world", "Acme", "global", "order, compliance", "-", "no"],
                ["tiktok-shop/us", "Acme Listing", "us", "-", "shop", "yes"],
            ],
        )
        self.assertEqual([line[:1] for line in lines[4:]], [["WRONG"], ["WRONG"]])
        self.assertIn("temu/broken: `gateway` cannot be `mars`", lines[4][1])

    def test_an_app_without_connections_is_removed_and_can_come_back(self):
        self.connection("temu/product/1", "disconnected", 3)
        self.connection("temu/products/2", "active", 3)
        self.connection("temu/us/3", "active", 0)
        self.assertIn("Removed: temu/product", self.run_with("", "--remove", path="temu/product"))
        self.assertEqual((self.registry(), self.credentials("temu/product")), ({"tiktok-shop/us": US}, None))
        self.assertIn("DeletedDate", self.secrets.describe_secret(SecretId=f"{REGISTRY}/temu/product"))
        self.assert_refused(self.run_with("", "--remove", path="temu/product"), "has no app temu/product")
        # The deleted credentials are not reused.
        self.assert_refused(self.run_with("Acme\n\n", path="temu/product"), "The app key is empty")
        self.run_with("Acme Products\nkey-3\nsecret-3\n", path="temu/product")
        self.assertEqual(self.credentials("temu/product"), {"app_key": "key-3", "app_secret": "secret-3"})
        self.assertEqual(self.registry()["temu/product"], PRODUCT)

    def test_an_app_with_connections_is_removed_only_on_request(self):
        for shard, status in enumerate(["active", "pending", "reauthorization_required", "disconnected"] * 4):
            self.connection(f"temu/product/{shard}", status, shard)
        said = self.run_with("", "--remove", path="temu/product")
        self.assert_refused(said, "connections that are not disconnected: 12.")
        self.assertIn("temu/product", self.registry())
        self.run_with("", "--remove", "--with-connections", path="temu/product")
        self.assertEqual(list(self.registry()), ["tiktok-shop/us"])

    def test_an_interrupted_removal_can_be_repeated(self):
        failure = ClientError({"Error": {"Code": "InternalServiceError"}}, "DeleteSecret")
        with mock.patch.object(app_secrets.Apps, "delete_credentials", side_effect=failure):
            self.assertIn("InternalServiceError", self.run_with("", "--remove", path="temu/product"))
        self.assertEqual(list(self.registry()), ["tiktok-shop/us"])
        self.assertIsNotNone(self.credentials("temu/product"))
        self.run_with("", "--remove", path="temu/product")
        self.assertIsNone(self.credentials("temu/product"))

    def test_an_entry_with_a_wrong_name_can_be_removed(self):
        self.secrets.put_secret_value(SecretId=REGISTRY, SecretString=json.dumps({**self.registry(), "temu/UK": {}}))
        self.run_with("", "--remove", path="temu/UK")
        self.assertEqual(list(self.registry()), ["temu/product", "tiktok-shop/us"])

    def breakers(self, *arguments):
        output = io.StringIO()
        with mock.patch.object(sys, "argv", ["breakers.py", *arguments, STACK]), contextlib.redirect_stdout(output):
            try:
                breakers.main()
            except SystemExit as ended:
                return str(ended.code)
        return output.getvalue()

    def test_circuit_breakers_are_listed_and_reset(self):
        def health(name, state):
            item = {"connection": f"health/{name}", "revision": 7, "state": state}
            boto3.resource("dynamodb").Table(f"{STACK}-connections").put_item(Item=item)

        now = int(time.time())
        health("lane/tiktok-shop/us", {"open": {"until": now + 600, "length": 3, "turn": "t"}})
        health("lane/temu/product", {"open": {"until": now - 5, "length": 0, "turn": "t", "asked": True}})
        health("host/auth.tiktok-shops.com", {"failures": [{"by": "a", "at": now}, {"by": "b", "at": now}]})
        self.connection("evidence/tiktok-shop/us", "", 0)
        broken = {**self.registry(), "temu/broken": {"name": "Acme", "gateway": "mars"}}
        self.secrets.put_secret_value(SecretId=REGISTRY, SecretString=json.dumps(broken))
        lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in self.breakers().splitlines())
        self.assertEqual(
            list(lines),
            [
                "host/auth.tiktok-shops.com",
                "host/open-api.tiktokglobalshop.com",
                "host/openapi-b-partner.temu.com",
                "host/openapi.kuajingmaihuo.com",
                "lane/temu/product",
                "lane/tiktok-shop/us",
                "vault/secrets-manager",
            ],
        )
        self.assertRegex(lines["lane/tiktok-shop/us"], r"^open, after failures: the next try in (599|600) s$")
        self.assertEqual(lines["lane/temu/product"], "open, the marketplace has asked for a pause: the next try is due")
        self.assertEqual(lines["host/auth.tiktok-shops.com"], "closed; the last 2 failed")
        self.assertEqual(lines["vault/secrets-manager"], "closed")

        self.assertIn("is no circuit breaker", self.breakers("--reset", "evidence/tiktok-shop/us"))
        self.assertIn("lane/tiktok-shop/us is closed", self.breakers("--reset", "lane/tiktok-shop/us"))
        left = {item["connection"]["S"] for item in self.dynamodb.scan(TableName=f"{STACK}-connections")["Items"]}
        known = {"evidence/tiktok-shop/us", "health/host/auth.tiktok-shops.com", "health/lane/temu/product"}
        self.assertEqual(left, known)


class Smoke(WithAws):
    def test_every_app_must_have_settings_and_credentials(self):
        def finds(what):
            with self.assertRaisesRegex(smoke.Wrong, what):
                smoke.apps_are_set_up(STACK)

        finds("has no app: make app STACK=shop-keyring APP=tiktok-shop/us")
        self.run_with("Acme\nkey\nsecret\n7100\n")
        smoke.apps_are_set_up(STACK)
        self.secrets.put_secret_value(SecretId=REGISTRY, SecretString=json.dumps({**self.registry(), "temu/us": {}}))
        finds("temu/us: missing field `name`.*temu/us has no credentials: make app STACK=shop-keyring APP=temu/us")
        self.secrets.put_secret_value(SecretId=REGISTRY, SecretString="no JSON")
        finds("is not JSON.*make app STACK=shop-keyring")
        self.secrets.delete_secret(SecretId=REGISTRY, ForceDeleteWithoutRecovery=True)
        finds("make deploy STACK=shop-keyring")


class Concurrency(WithAws):
    """What `make deploy` reserves for refreshes on demand. Moto does not know the account's limit."""

    def chosen(self, response, **parameters):
        """What is printed for `sam deploy`, or what the script ends with."""
        file = pathlib.Path(self.folder) / "parameters.yaml"
        file.write_text(json.dumps({"VendorName": "Acme", **parameters}))
        said = io.StringIO()

        def call(_, operation, __):
            self.assertEqual(operation, "GetAccountSettings")
            if isinstance(response, str):
                raise ClientError({"Error": {"Code": response}}, operation)
            return {"AccountLimit": {"ConcurrentExecutions": response}}

        with (
            mock.patch.object(botocore.client.BaseClient, "_make_api_call", call),
            mock.patch.object(sys, "argv", ["concurrency.py", str(file)]),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            try:
                concurrency.main()
            except SystemExit as end:
                return str(end)
        return said.getvalue()

    def test_ten_are_reserved_where_lambda_allows_it(self):
        for limit, reserved in [(10, 0), (109, 0), (110, 10), (1_000, 10)]:
            self.assertEqual(self.chosen(limit), f"RefreshOnDemandConcurrency={reserved}\n", limit)

    def test_what_the_parameters_say_is_left_alone_and_nobody_is_asked(self):
        for given in [0, 5]:
            self.assertEqual(self.chosen("AccessDeniedException", RefreshOnDemandConcurrency=given), "")

    def test_an_unknown_limit_ends_the_deployment_and_says_what_to_do(self):
        said = self.chosen("AccessDeniedException")
        self.assertIn("lambda:GetAccountSettings", said)
        self.assertIn("add RefreshOnDemandConcurrency", said)


class FixedAddresses(WithAws):
    """A VPC with a public subnet, and private ones whose default route is a NAT gateway in it."""

    def setUp(self):
        super().setUp()
        self.ec2 = boto3.client("ec2")
        self.lambdas = boto3.client("lambda")
        assume = {"Version": "2012-10-17", "Statement": []}
        role = boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(assume))
        self.role = role["Role"]["Arn"]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.public, self.one, self.two = (self.subnet(number) for number in range(3))
        self.group = self.ec2.create_security_group(GroupName="functions", Description="-", VpcId=self.vpc)["GroupId"]
        # Responses by operation, in place of moto's; a string is an error code.
        self.responses, self.moto = {}, botocore.client.BaseClient._make_api_call
        calls = mock.patch.object(botocore.client.BaseClient, "_make_api_call", lambda *arguments: self.call(*arguments))
        self.enterContext(calls)

    def call(self, client, operation, arguments):
        response = self.responses.get(operation)
        if isinstance(response, str):
            raise ClientError({"Error": {"Code": response}}, operation)
        response = response or self.moto(client, operation, arguments)
        if operation == "GetFunctionConfiguration" and response.get("VpcConfig"):
            # Moto names a VPC that does not exist.
            response["VpcConfig"]["VpcId"] = self.vpc
        return response

    def subnet(self, number):
        return self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]

    def nat_gateway(self):
        address = self.ec2.allocate_address(Domain="vpc")
        made = self.ec2.create_nat_gateway(SubnetId=self.public, AllocationId=address["AllocationId"])
        return made["NatGateway"]["NatGatewayId"], address["PublicIp"]

    def main_table(self):
        wanted = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": "association.main", "Values": ["true"]}]
        return self.ec2.describe_route_tables(Filters=wanted)["RouteTables"][0]["RouteTableId"]

    def table_of(self, subnet):
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def default_route(self, table, **target):
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)

    def functions(self, **subnets):
        for name in fixed_addresses.FUNCTIONS:
            inside = {"SubnetIds": subnets.get(name.replace("-", "_"), []), "SecurityGroupIds": [self.group]}
            self.lambdas.create_function(
                FunctionName=f"{STACK}-{name}",
                Runtime="provided.al2023",
                Handler="bootstrap",
                Role=self.role,
                Code={"ZipFile": b"-"},
                VpcConfig=inside if inside["SubnetIds"] else {},
            )

    def all_in(self, *subnets):
        self.functions(**{name.replace("-", "_"): list(subnets) for name in fixed_addresses.FUNCTIONS})

    def assert_line(self, expected):
        self.assertEqual(fixed_addresses.line(STACK), expected)

    def assert_none(self, reasons):
        self.assert_line(f"No fixed address: {reasons}. See docs/deploy.md, A fixed address.")

    def test_the_stack_is_usually_in_no_vpc(self):
        self.functions()
        self.assert_none("not in a VPC: oauth-callback, refresh-on-demand, refresh-sweep")

    def test_each_nat_gateway_is_found_by_the_subnets_own_table_and_by_the_main_one(self):
        (first, address), (second, another) = self.nat_gateway(), self.nat_gateway()
        self.default_route(self.table_of(self.one), NatGatewayId=first)
        self.default_route(self.main_table(), NatGatewayId=second)
        self.all_in(self.one, self.two)
        self.assert_line(f"Fixed addresses: {', '.join(sorted([address, another]))}")

    def test_one_nat_gateway_of_two_subnets_is_named_once(self):
        gateway, address = self.nat_gateway()
        self.default_route(self.main_table(), NatGatewayId=gateway)
        self.all_in(self.one, self.two)
        self.assert_line(f"Fixed addresses: {address}")

    def test_the_subnets_own_table_counts_and_not_the_main_one(self):
        gateway, _ = self.nat_gateway()
        self.default_route(self.main_table(), NatGatewayId=gateway)
        self.table_of(self.one)
        self.all_in(self.one)
        self.assert_none(f"the default route of {self.one} does not exist")

    def test_a_public_subnet_has_no_fixed_address(self):
        internet = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=self.vpc)
        self.default_route(self.table_of(self.public), GatewayId=internet)
        gateway, address = self.nat_gateway()
        self.default_route(self.table_of(self.one), NatGatewayId=gateway)
        self.all_in(self.public, self.one)
        leads = f"the default route of {self.public} leads to {internet}, which is no NAT gateway"
        self.assert_none(f"{leads}; other subnets have {address}")

    def test_every_function_must_be_in_the_vpc(self):
        gateway, address = self.nat_gateway()
        self.default_route(self.main_table(), NatGatewayId=gateway)
        self.functions(refresh_sweep=[self.one])
        self.assert_none(f"not in a VPC: oauth-callback, refresh-on-demand; other subnets have {address}")

    def test_a_deleted_or_private_nat_gateway_has_none(self):
        gateway, _ = self.nat_gateway()
        self.default_route(self.main_table(), NatGatewayId=gateway)
        self.all_in(self.one)
        for nat in [
            {"State": "deleted", "NatGatewayAddresses": [{"PublicIp": "203.0.113.7"}]},
            {"State": "available", "NatGatewayAddresses": [{"PrivateIp": "10.0.0.9"}]},
        ]:
            self.responses = {"DescribeNatGateways": {"NatGateways": [nat]}}
            self.assert_none(f"{gateway} is not available, or has no public address")

    def test_a_missing_right_is_named_and_no_error(self):
        gateway, _ = self.nat_gateway()
        self.default_route(self.main_table(), NatGatewayId=gateway)
        self.all_in(self.one)
        for operation, right, code in [
            ("DescribeNatGateways", "ec2:DescribeNatGateways", "UnauthorizedOperation"),
            ("DescribeRouteTables", "ec2:DescribeRouteTables", "UnauthorizedOperation"),
            ("GetFunctionConfiguration", "lambda:GetFunctionConfiguration", "AccessDeniedException"),
        ]:
            self.responses = {operation: code}
            self.assert_line(f"Fixed addresses unknown: your credentials lack {right}")

    def test_another_error_is_told_and_no_error_either(self):
        self.assertIn("Fixed addresses unknown: An error occurred (ResourceNotFoundException)", fixed_addresses.line(STACK))

    def test_the_smoke_test_ends_with_the_line_and_succeeds_without_rights(self):
        said = io.StringIO()
        self.responses = {"GetFunctionConfiguration": "AccessDeniedException"}
        with (
            mock.patch.object(sys, "argv", ["smoke.py", STACK]),
            mock.patch.object(smoke, "checks", lambda *_: [("all", lambda: None)]),
            contextlib.redirect_stdout(said),
            self.assertRaises(SystemExit) as end,
        ):
            smoke.main()
        self.assertEqual(end.exception.code, 0)
        unknown = "Fixed addresses unknown: your credentials lack lambda:GetFunctionConfiguration"
        self.assertEqual(said.getvalue().splitlines(), ["ok     all", unknown])


if __name__ == "__main__":
    unittest.main()
