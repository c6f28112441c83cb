"""The whole deployment on this machine: an AWS with IAM enforced (ministack), the marketplaces, the stack in it as
scripts/deploy.sh deploys it, the apps as scripts/app.py sets them up.
"""

import json
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cfnlint.decode import cfn_yaml

ROOT = pathlib.Path(__file__).parents[2]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
STACK = "shop-keyring"
REGION = "us-east-1"
ACCOUNT = "111122223333"
RETURN_URL = "https://app.acme.example/connected"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class OfflineAws:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="offline-aws-"))
        self.endpoint = f"http://127.0.0.1:{free_port()}"
        self.processes = []
        self.secrets = set()
        self.root = Credentials("test", "test")

    def __enter__(self):
        try:
            self.start_aws()
            self.start_marketplaces()
            self.deploy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            if process.stdout:
                process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, **more):
        """Nothing of the developer's own AWS settings, nor of the ARGS of a `make` that runs this."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "MAKE", "ARGS"))}
        aws = {
            "AWS_ACCESS_KEY_ID": self.root.access_key,
            "AWS_SECRET_ACCESS_KEY": self.root.secret_key,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": str(self.folder / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "no-credentials"),
        }
        return {**kept, **aws, **more}

    def start_aws(self):
        port = self.endpoint.rsplit(":", 1)[1]
        settings = {
            "AUTH": "true",
            "GATEWAY_PORT": port,
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_DEFAULT_REGION": REGION,
            # Under it are the APIs' own addresses, as the stack's outputs name them.
            "MINISTACK_HOST": f"{REGION}.amazonaws.com",
            "TMPDIR": str(self.folder),
        }
        self.log = open(self.folder / "ministack.log", "w")
        program = ROOT / ".tools/verify/bin/ministack"
        process = subprocess.Popen(
            [program], env=self.environment(**settings), cwd=self.folder, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.processes.append(process)
        until(lambda: self.answers(), 60, "ministack does not start")

    def answers(self):
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def start_marketplaces(self):
        program = TARGET / "debug/marketplaces"
        process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        self.marketplaces = process
        self.known = json.loads(process.stdout.readline())

    def deploy(self):
        self.parameters = {
            **yaml.safe_load((ROOT / "infra/parameters.example.yaml").read_text()),
            "ReturnUrls": RETURN_URL,
            # The binaries run here.
            "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        }
        self.built = self.folder / "built"
        run(["scripts/build.sh", self.parameter_file()], os.environ)
        shutil.copytree(TARGET / "stack", self.built)
        leave_out_what_ministack_refuses(self.built)
        self.outputs = self.deploy_stack(STACK)
        for path, app in self.known["apps"].items():
            self.set_app_up(path, app["settings"], app["credentials"])
        self.marketplaces.stdin.write(self.outputs["PublicUrl"] + "\n")
        self.marketplaces.stdin.flush()
        self.marketplaces.stdout.readline()

    def set_app_up(self, path, settings, credentials):
        self.secrets.add(credentials["app_secret"])
        file = self.folder / "settings.json"
        file.write_text(json.dumps(settings))
        fields = ["app_key", "app_secret", "service_id"]
        answers = "\n".join(credentials[field] for field in fields if field in credentials)
        self.make_app(f"--settings {file}", path, answers)

    def make_app(self, arguments, path="", answers=""):
        """Runs `make app` with these ARGS; what it says."""
        command = ["make", "-s", "app", f"STACK={STACK}", f"APP={path}", f"ARGS={arguments}"]
        return run(command, self.environment(), answers)

    def parameter_file(self, **more):
        file = self.folder / "parameters.yaml"
        # JSON is YAML.
        file.write_text(json.dumps(self.parameters | more))
        return file

    def deploy_stack(self, stack, **more):
        """Deploys what is built under this name; the stack's outputs."""
        arguments = [f"STACK={stack}", f"PARAMETERS={self.parameter_file(**more)}", "ARGS=--no-confirm-changeset"]
        run(["make", "-s", "deploy", *arguments], self.environment(BUILT=str(self.built)))
        (described,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {it["OutputKey"]: it["OutputValue"] for it in described["Outputs"]}

    def resources(self, stack):
        """What the stack and those in it are made of: the physical ids."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        found = {}
        for it in (it for page in pages for it in page["StackResourceSummaries"]):
            found[stack, it["LogicalResourceId"]] = it["PhysicalResourceId"]
            if it["ResourceType"] == "AWS::CloudFormation::Stack":
                found |= self.resources(it["PhysicalResourceId"])
        return found

    def client(self, service, credentials=None):
        credentials = credentials or self.root
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
        )

    def subnet_behind_nat_gateway(self):
        """A private subnet of a new VPC, a security group there, and the subnet's NAT gateway."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        public, private = (
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24")["Subnet"]["SubnetId"] for number in range(2)
        )
        address = ec2.allocate_address(Domain="vpc")
        gateway = ec2.create_nat_gateway(SubnetId=public, AllocationId=address["AllocationId"])["NatGateway"]["NatGatewayId"]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=private)
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
        group = ec2.create_security_group(GroupName="functions", Description="-", VpcId=vpc)["GroupId"]
        return private, group, gateway

    def user(self, name, policy):
        """The credentials of a new user with this managed policy."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def fetch(self, method, url, credentials=None, body=None, headers=None):
        """A request to an API of the stack, or to a marketplace: status, headers, body. Follows no redirect."""
        headers = {"host": urllib.parse.urlsplit(url).netloc, **(headers or {})}
        request = AWSRequest(method, url, headers=headers, data=body)
        if credentials:
            SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        parts = urllib.parse.urlsplit(url)
        at = self.endpoint if parts.hostname.endswith(".amazonaws.com") else f"{parts.scheme}://{parts.netloc}"
        target = at + parts.path + (f"?{parts.query}" if parts.query else "")
        sent = urllib.request.Request(target, method=method, headers=dict(request.headers), data=body)
        try:
            answer = NO_REDIRECTS.open(sent, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read()

    def log_lines(self, group):
        events = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in events for event in page["events"]]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


NO_REDIRECTS = urllib.request.build_opener(NoRedirects)


def leave_out_what_ministack_refuses(stack):
    """Alarms on expressions: it answers them with a rollback. monitoring_test.py looks at them."""
    for file in stack.glob("alarms*.yaml"):
        template = json.loads(json.dumps(cfn_yaml.load(str(file))))
        refused = [
            name
            for name, resource in template["Resources"].items()
            if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
        ]
        for name in refused:
            del template["Resources"][name]
        if refused:
            file.write_text(json.dumps(template))


def run(command, environment, text=None):
    done = subprocess.run(command, cwd=ROOT, env=environment, input=text, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def until(condition, seconds, otherwise):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{otherwise} within {seconds} seconds")
        time.sleep(0.5)
    return found
