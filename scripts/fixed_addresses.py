"""The addresses that the marketplaces see, for their IP allow lists: those of the NAT gateways behind the functions' subnets.

Needs lambda:GetFunctionConfiguration on the functions, ec2:DescribeRouteTables and ec2:DescribeNatGateways.
"""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# Those that call marketplaces.
FUNCTIONS = ["oauth-callback", "refresh-on-demand", "refresh-sweep"]
REFUSALS = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"]
TARGETS = ["GatewayId", "InstanceId", "NetworkInterfaceId", "TransitGatewayId", "VpcPeeringConnectionId"]


def line(stack):
    """The addresses, or why there are none, or why they are unknown. Never an error, because this is no check."""
    try:
        addresses, reasons = find(stack)
    except (ClientError, BotoCoreError) as error:
        return f"Fixed addresses unknown: {missing_right(error) or error}"
    if not reasons:
        return f"Fixed addresses: {', '.join(addresses)}"
    if addresses:
        reasons = [*reasons, f"other subnets have {', '.join(addresses)}"]
    return f"No fixed address: {'; '.join(reasons)}. See docs/deploy.md, A fixed address."


def missing_right(error):
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in REFUSALS:
        service = "lambda" if error.operation_name.startswith("GetFunction") else "ec2"
        return f"your credentials lack {service}:{error.operation_name}"
    return None


def find(stack):
    """The addresses, and the reasons why a function or a subnet has none."""
    functions, ec2 = boto3.client("lambda"), boto3.client("ec2")
    subnets, outside, gateways, addresses, reasons = {}, [], set(), set(), []
    for name in FUNCTIONS:
        config = functions.get_function_configuration(FunctionName=f"{stack}-{name}").get("VpcConfig", {})
        if not config.get("SubnetIds"):
            outside.append(name)
        subnets |= dict.fromkeys(config.get("SubnetIds", []), config.get("VpcId"))
    if outside:
        reasons.append(f"not in a VPC: {', '.join(outside)}")
    for subnet, vpc in subnets.items():
        route = default_route(ec2, subnet, vpc)
        if gateway := route.get("NatGatewayId"):
            gateways.add(gateway)
        else:
            target = next((route[key] for key in TARGETS if key in route), None)
            leads = f"leads to {target}, which is no NAT gateway" if target else "does not exist"
            reasons.append(f"the default route of {subnet} {leads}")
    for gateway in sorted(gateways):
        found = public_addresses(ec2, gateway)
        addresses |= found
        if not found:
            reasons.append(f"{gateway} is not available, or has no public address")
    return sorted(addresses), reasons


def default_route(ec2, subnet, vpc):
    """The IPv4 route to everywhere, of the subnet's own route table or else of the VPC's main one. Empty if there is none."""
    for filters in [{"association.subnet-id": subnet}, {"vpc-id": vpc, "association.main": "true"}]:
        wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        for table in ec2.describe_route_tables(Filters=wanted)["RouteTables"]:
            return next((it for it in table["Routes"] if it.get("DestinationCidrBlock") == "0.0.0.0/0"), {})
    return {}


def public_addresses(ec2, gateway):
    described = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    usable = [it for it in described if it["State"] == "available"]
    return {it["PublicIp"] for nat in usable for it in nat["NatGatewayAddresses"] if it.get("PublicIp")}
