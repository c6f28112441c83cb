"""The registry of apps and the credentials of apps, as one stack has them in Secrets Manager; and its connections."""

import json

import boto3

import app_registry
from app_entry import marketplace_of
from app_registry import Refused

# As in shared/src/connection/due.rs.
SHARDS = 16
RECOVERY_DAYS = 30
DESCRIPTIONS = {
    "tiktok-shop": "App key, app secret and service id of an app at TikTok Shop",
    "temu": "App key and app secret of an app at Temu",
}


def connections_table(stack):
    """The name of a stack's table of connections."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {it["OutputKey"]: it.get("OutputValue") for it in described.get("Outputs", [])}
    if not outputs.get("ConnectionsTable"):
        raise Refused(f"The stack {stack} has no output ConnectionsTable: deploy it again.")
    return outputs["ConnectionsTable"]


class Apps:
    def __init__(self, stack):
        self.stack, self.registry = stack, f"{stack}/apps"
        self.secrets = boto3.client("secretsmanager")

    def secret_of(self, path):
        return f"{self.registry}/{path}"

    def described(self, name):
        try:
            return self.secrets.describe_secret(SecretId=name)
        except self.secrets.exceptions.ResourceNotFoundException:
            return None

    def value(self, name):
        """The text of a secret; None where it has none, an empty one, or is deleted."""
        try:
            return self.secrets.get_secret_value(SecretId=name)["SecretString"].strip() or None
        except (self.secrets.exceptions.ResourceNotFoundException, self.secrets.exceptions.InvalidRequestException):
            return None

    def put(self, name, value):
        return self.secrets.put_secret_value(SecretId=name, SecretString=value)

    def described_registry(self):
        described = self.described(self.registry)
        if described is None:
            raise Refused(
                f"The secret {self.registry} does not exist in this account and Region. Deploy the stack first: make deploy "
                f"STACK={self.stack} PARAMETERS=…"
            )
        if described.get("DeletedDate"):
            command = f"aws secretsmanager restore-secret --secret-id {self.registry}"
            raise Refused(f"The secret {self.registry} is scheduled for deletion. Restore it: {command}")
        return described

    def read(self):
        """All entries by app; empty until an app is set up."""
        self.described_registry()
        text = self.value(self.registry)
        try:
            return {} if text is None else app_registry.parse(text, f"The secret {self.registry}")
        except Refused as refused:
            command = f"aws secretsmanager get-secret-value --secret-id {self.registry} --version-stage AWSPREVIOUS"
            raise Refused(f"{refused} Correct it in Secrets Manager. This prints the version before: {command}") from None

    def credentials(self, path):
        """An app's credentials; empty where it has none that can be used."""
        try:
            return app_registry.parse(self.value(self.secret_of(path)) or "{}", self.secret_of(path))
        except Refused:
            return {}

    def has_credentials(self, path):
        """Whether an app's secret has a value, without reading it."""
        described = self.described(self.secret_of(path)) or {}
        stages = described.get("VersionIdsToStages", {}).values()
        return not described.get("DeletedDate") and any("AWSCURRENT" in it for it in stages)

    def put_credentials(self, path, credentials):
        """Writes credentials into their secret, which is created or restored where necessary."""
        name, text = self.secret_of(path), json.dumps(credentials)
        # The registry is encrypted with the key of the stack's own, if it has one.
        registry_key = self.described_registry().get("KmsKeyId")
        key = {"KmsKeyId": registry_key} if registry_key else {}
        described = self.described(name)
        if described is None:
            description = DESCRIPTIONS[marketplace_of(path)]
            self.secrets.create_secret(Name=name, Description=description, SecretString=text, **key)
            return
        if described.get("DeletedDate"):
            self.secrets.restore_secret(SecretId=name)
        # With the key as well: the stack may have got its own since the secret was created.
        self.secrets.update_secret(SecretId=name, SecretString=text, **key)

    def delete_credentials(self, path):
        self.secrets.delete_secret(SecretId=self.secret_of(path), RecoveryWindowInDays=RECOVERY_DAYS)

    def connections(self, path):
        """How many connections of an app are not disconnected."""
        table = connections_table(self.stack)
        query = boto3.client("dynamodb").get_paginator("query")
        pages = (
            page
            for shard in range(SHARDS)
            for page in query.paginate(
                TableName=table,
                IndexName="listing",
                Select="COUNT",
                KeyConditionExpression="list_shard = :shard AND begins_with(#connection, :app)",
                FilterExpression="#status <> :disconnected",
                ExpressionAttributeNames={"#connection": "connection", "#status": "status"},
                ExpressionAttributeValues={
                    ":shard": {"N": str(shard)},
                    ":app": {"S": f"{path}/"},
                    ":disconnected": {"S": "disconnected"},
                },
            )
        )
        return sum(page["Count"] for page in pages)
