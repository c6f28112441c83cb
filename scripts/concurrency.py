"""The reserved concurrency of refresh-on-demand, for a file of parameters that leaves it to the deployment: prints it as an
override for `sam deploy`. Run by scripts/deploy.sh.

CloudFormation cannot read an account's limit of concurrent executions, and Lambda refuses a reservation that leaves less than
100 of it. A new account has ten in all. Needs lambda:GetAccountSettings.
"""

import pathlib
import sys

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

NAME = "RefreshOnDemandConcurrency"
# So many refresh tokens may be spent and not stored yet: docs/adr/0028-refreshes-on-demand.md.
WANTED = 10
# What Lambda keeps for an account's functions without a reservation.
UNRESERVED = 100


def chosen(limit):
    return WANTED if limit >= UNRESERVED + WANTED else 0


def main():
    # JSON and YAML; the tags of CloudFormation are none of a file of parameters.
    given = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
    if NAME in given:
        return
    try:
        limit = boto3.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    except (ClientError, BotoCoreError) as error:
        sys.exit(
            f"deploy: the account's concurrency limit is unknown: {error}. Use credentials with lambda:GetAccountSettings, or add "
            f"{NAME} to {sys.argv[1]}: {WANTED} where the limit is {UNRESERVED + WANTED} or more, and 0 otherwise."
        )
    print(f"deploy: the account's concurrency limit is {limit}, so {NAME} is {chosen(limit)}", file=sys.stderr)
    print(f"{NAME}={chosen(limit)}")


if __name__ == "__main__":
    main()
