"""What each function's role must not be able to do: calls that are tried with its own credentials and must be denied.

Each is a real call that would do harm, on what there is in the stack: service, operation, arguments.
"""

from offline_aws import ACCOUNT, REGION, STACK

CONNECTION = "tiktok-shop/us/anns-attic"
TOKENS = f"{STACK}/connections/{CONNECTION}/tokens"
REGISTRY, APP = f"{STACK}/apps", f"{STACK}/apps/tiktok-shop/us"
CONNECTIONS, SESSIONS = f"{STACK}-connections", f"{STACK}-connect-sessions"
ITEM = {"TableName": CONNECTIONS, "Key": {"connection": {"S": CONNECTION}}}
SESSION = {"TableName": SESSIONS, "Key": {"key": {"S": "session/x"}}}
FUNCTIONS = {name: f"{STACK}-{name}" for name in ["oauth-callback", "refresh-on-demand", "refresh-sweep", "token-lookup"]}

# Nobody's: secrets, tables and functions that are not the stack's, and the stack's own ground.
NOBODYS = [
    ("secretsmanager", "get_secret_value", {"SecretId": "another/secret"}),
    ("secretsmanager", "put_secret_value", {"SecretId": "another/secret", "SecretString": "{}"}),
    ("secretsmanager", "create_secret", {"Name": "another/secret", "SecretString": "{}"}),
    ("secretsmanager", "put_secret_value", {"SecretId": APP, "SecretString": "{}"}),
    ("secretsmanager", "delete_secret", {"SecretId": APP, "RecoveryWindowInDays": 7}),
    ("secretsmanager", "update_secret", {"SecretId": APP, "SecretString": "{}"}),
    ("secretsmanager", "create_secret", {"Name": f"{STACK}/apps/temu/mine", "SecretString": "{}"}),
    ("secretsmanager", "put_secret_value", {"SecretId": REGISTRY, "SecretString": "{}"}),
    ("secretsmanager", "update_secret", {"SecretId": REGISTRY, "SecretString": "{}"}),
    ("secretsmanager", "delete_secret", {"SecretId": REGISTRY, "RecoveryWindowInDays": 7}),
    ("secretsmanager", "put_resource_policy", {"SecretId": REGISTRY, "ResourcePolicy": "{}"}),
    ("secretsmanager", "update_secret", {"SecretId": TOKENS, "SecretString": "{}"}),
    ("secretsmanager", "get_resource_policy", {"SecretId": TOKENS}),
    ("secretsmanager", "put_resource_policy", {"SecretId": TOKENS, "ResourcePolicy": "{}"}),
    ("secretsmanager", "list_secrets", {}),
    ("dynamodb", "scan", {"TableName": CONNECTIONS}),
    ("dynamodb", "scan", {"TableName": SESSIONS}),
    ("dynamodb", "delete_table", {"TableName": CONNECTIONS}),
    ("dynamodb", "update_table", {"TableName": CONNECTIONS, "DeletionProtectionEnabled": False}),
    ("dynamodb", "get_item", {"TableName": "another", "Key": {"connection": {"S": "x"}}}),
    ("lambda", "update_function_code", {"FunctionName": FUNCTIONS["token-lookup"], "ZipFile": b""}),
    ("lambda", "update_function_configuration", {"FunctionName": FUNCTIONS["token-lookup"], "Timeout": 3}),
    ("lambda", "get_function", {"FunctionName": FUNCTIONS["refresh-sweep"]}),
    ("iam", "list_roles", {}),
    ("iam", "create_user", {"UserName": "intruder"}),
    ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/admin", "RoleSessionName": "intruder"}),
    ("logs", "create_log_group", {"logGroupName": "/another"}),
    ("logs", "delete_log_group", {"logGroupName": f"/aws/lambda/{FUNCTIONS['oauth-callback']}"}),
    ("logs", "filter_log_events", {"logGroupName": f"/aws/lambda/{FUNCTIONS['token-lookup']}"}),
    ("sqs", "receive_message", {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{STACK}-sweep-failures"}),
    ("scheduler", "list_schedules", {}),
    ("s3", "list_buckets", {}),
]

READ_TOKENS = [("secretsmanager", "get_secret_value", {"SecretId": TOKENS})]
READ_CREDENTIALS = [("secretsmanager", "get_secret_value", {"SecretId": APP})]
CREATE_TOKENS = [("secretsmanager", "create_secret", {"Name": f"{STACK}/connections/temu/us/9/tokens", "SecretString": "{}"})]
PUT_TOKENS = [("secretsmanager", "put_secret_value", {"SecretId": TOKENS, "SecretString": "{}"})]
RESTORE_TOKENS = [("secretsmanager", "restore_secret", {"SecretId": TOKENS})]
DELETE_TOKENS = [
    ("secretsmanager", "delete_secret", {"SecretId": TOKENS, "RecoveryWindowInDays": 7}),
    ("secretsmanager", "delete_secret", {"SecretId": TOKENS, "ForceDeleteWithoutRecovery": True}),
]


def query(index, key, value):
    return (
        "dynamodb",
        "query",
        {
            "TableName": CONNECTIONS,
            "IndexName": index,
            "KeyConditionExpression": f"{key} = :value",
            "ExpressionAttributeValues": {":value": value},
        },
    )


QUERY_DUE = [query("due", "due_lane", {"S": "temu/us#0"}), query("chores", "chores_shard", {"S": "chores#0"})]
QUERY_LISTS = [query("account", "account_id", {"S": "customer-17"}), query("attention", "attention_shard", {"N": "0"})]
DELETE_SESSIONS = [("dynamodb", "delete_item", SESSION)]
WRITE_SESSIONS = [
    ("dynamodb", "get_item", SESSION),
    ("dynamodb", "put_item", {"TableName": SESSIONS, "Item": {"key": {"S": "session/x"}}}),
    ("dynamodb", "update_item", SESSION),
]
PUBLISH = [
    (
        "events",
        "put_events",
        {"Entries": [{"EventBusName": STACK, "Source": "shop-keyring", "DetailType": "Connection Created", "Detail": "{}"}]},
    )
]


def invoke(*but):
    """Each function, but for these."""
    names = [name for name in FUNCTIONS if name not in but]
    return [("lambda", "invoke", {"FunctionName": FUNCTIONS[name], "Payload": b"{}"}) for name in names]


def write_others_log(own):
    groups = [f"/aws/lambda/{function}" for name, function in FUNCTIONS.items() if name != own]
    return [("logs", "create_log_stream", {"logGroupName": group, "logStreamName": "forged"}) for group in groups]


CALLS = {
    "oauth-callback": NOBODYS
    + READ_TOKENS
    + DELETE_TOKENS
    + QUERY_DUE
    + QUERY_LISTS
    + DELETE_SESSIONS
    + PUBLISH
    + invoke()
    + write_others_log("oauth-callback"),
    "refresh-on-demand": NOBODYS
    + CREATE_TOKENS
    + RESTORE_TOKENS
    + DELETE_TOKENS
    + QUERY_DUE
    + QUERY_LISTS
    + DELETE_SESSIONS
    + WRITE_SESSIONS
    + PUBLISH
    + invoke()
    + write_others_log("refresh-on-demand"),
    "refresh-sweep": NOBODYS
    + CREATE_TOKENS
    + QUERY_LISTS
    + DELETE_SESSIONS
    + WRITE_SESSIONS
    + invoke()
    + write_others_log("refresh-sweep"),
    "token-lookup": NOBODYS
    + READ_CREDENTIALS
    + CREATE_TOKENS
    + PUT_TOKENS
    + RESTORE_TOKENS
    + DELETE_TOKENS
    + QUERY_DUE
    + [("dynamodb", "delete_item", ITEM)]
    + DELETE_SESSIONS
    + [("dynamodb", "update_item", SESSION)]
    + PUBLISH
    + invoke("refresh-on-demand")
    + write_others_log("token-lookup"),
}
