"""What `make app-secret` writes and `make smoke` finds, against moto; deployed_test.py runs both for real.

Run by `make verify`; alone: .tools/verify/bin/python tests/infra/scripts_test.py
"""

import contextlib
import io
import json
import os
import pathlib
import sys
import unittest
from unittest import mock

import boto3
from moto import mock_aws

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))

import app_secret
import smoke

SETTINGS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
NAME = "shop-keyring/apps/tiktok-shop/us"


@mock_aws
class AppSecret(unittest.TestCase):
    def setUp(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.enterContext(mock.patch.dict(os.environ, kept | SETTINGS, clear=True))
        self.secrets = boto3.client("secretsmanager")
        # As CloudFormation makes it: without a value.
        self.secrets.create_secret(Name=NAME)

    def run_with(self, answers, *options, app="tiktok-shop/us"):
        """What the script says, and with which code it ends."""
        said = io.StringIO()
        arguments = ["app_secret.py", *options, "shop-keyring", app]
        with mock.patch.object(sys, "argv", arguments), mock.patch.object(sys, "stdin", io.StringIO(answers)):
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    app_secret.main()
                except SystemExit as end:
                    return f"{said.getvalue()}{end}"
        return said.getvalue()

    def written(self):
        return json.loads(self.secrets.get_secret_value(SecretId=NAME)["SecretString"])

    def test_it_stores_what_is_typed_and_says_nothing_of_it(self):
        said = self.run_with("key\nfirst-secret\n7100\n")
        self.assertEqual(self.written(), {"app_key": "key", "app_secret": "first-secret", "service_id": "7100"})
        self.assertIn("Written", said)
        self.assertNotIn("first-secret", said)

    def test_temus_apps_have_no_service_id(self):
        self.secrets.create_secret(Name="shop-keyring/apps/temu/us")
        self.run_with("key\nsecret\n", app="temu/us")
        value = self.secrets.get_secret_value(SecretId="shop-keyring/apps/temu/us")["SecretString"]
        self.assertEqual(json.loads(value), {"app_key": "key", "app_secret": "secret"})

    def test_a_rotation_keeps_the_old_one_beside_until_it_is_over(self):
        self.run_with("key\nold\n7100\n")
        self.run_with("new\n", "--rotate")
        self.assertEqual((self.written()["app_secret"], self.written()["previous_app_secret"]), ("new", "old"))
        self.assertIn("already", self.run_with("new\n", "--rotate"))
        self.run_with("", "--forget-previous")
        self.assertEqual(self.written(), {"app_key": "key", "app_secret": "new", "service_id": "7100"})
        self.assertIn("no previous", self.run_with("", "--forget-previous"))

    def test_what_is_wrong_is_said_and_nothing_is_written(self):
        self.assertIn("is empty", self.run_with("new\n", "--rotate"))
        self.assertIn("spaces", self.run_with("key\ntwo words\n1\n"))
        self.assertIn("There is no secret", self.run_with("key\nsecret\n", app="temu/eu"))
        self.assertNotIn("AWSCURRENT", str(self.secrets.describe_secret(SecretId=NAME).get("VersionIdsToStages", {})))

    def test_smoke_finds_an_app_without_its_secret(self):
        with self.assertRaisesRegex(smoke.Wrong, "make app-secret STACK=shop-keyring APP=tiktok-shop/us"):
            smoke.apps_are_filled("shop-keyring")
        self.run_with("key\nsecret\n7100\n")
        smoke.apps_are_filled("shop-keyring")


if __name__ == "__main__":
    unittest.main()
