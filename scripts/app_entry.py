"""What an entry of the registry of apps may say. Pure.

The functions read entries by the same rules (shared/src/registry). Both are tested with shared/src/registry/cases.json.
"""

import ipaddress
import re
from urllib.parse import urlsplit

MARKETS = ["us", "global"]
# By gateway: its routers, and what cross-border sellers' tokens of an app there can be for.
GATEWAYS = {
    "us": (["us"], ["order"]),
    "eu": (["eu"], ["order"]),
    "global": (["global"], ["order", "compliance"]),
    "cn-pa": (["pa", "cn"], ["product"]),
}

# The hosts that are called, unless an entry names others: TikTok Shop's by the field that does, Temu's by router.
HOSTS = {
    "token_url": "auth.tiktok-shops.com",
    "api_url": "open-api.tiktokglobalshop.com",
    "us": "openapi-b-us.temu.com",
    "eu": "openapi-b-eu.temu.com",
    "global": "openapi-b-global.temu.com",
    "pa": "openapi-b-partner.temu.com",
    "cn": "openapi.kuajingmaihuo.com",
}

# Where the app is registered, by marketplace: the field that says so, and its values.
PLACES = {"tiktok-shop": ("market", MARKETS), "temu": ("gateway", list(GATEWAYS))}

# Where TikTok Shop's webhooks are registered: for each shop, by refresh-sweep, or once for the app, by the vendor in Partner
# Center. The first is the default.
WEBHOOKS = ["shop", "app"]

# Apps whose name says where they are registered.
KNOWN = {
    "tiktok-shop/us": {"market": "us"},
    "tiktok-shop/global": {"market": "global"},
    "temu/us": {"gateway": "us"},
    "temu/eu": {"gateway": "eu"},
    "temu/global": {"gateway": "global"},
    "temu/product": {"gateway": "cn-pa"},
}

STRING, BOOLEAN, SEQUENCE, MAP = "a string", "a boolean", "a sequence", "a map"
TYPES = {STRING: str, BOOLEAN: bool, SEQUENCE: list, MAP: dict}
EXAMPLES = {STRING: "text", BOOLEAN: "true or false", SEQUENCE: '["…", "…"]', MAP: '{"…": …}'}

COMMON = {"name": STRING, "label": STRING, "listed": BOOLEAN, "users": SEQUENCE, "link_url": STRING}
FIELDS = {
    "tiktok-shop": {**COMMON, "market": STRING, "webhooks": STRING, "token_url": STRING, "api_url": STRING},
    "temu": {
        **COMMON,
        "gateway": STRING,
        "purposes": SEQUENCE,
        "code_flow": BOOLEAN,
        "routers": MAP,
        "permissions": MAP,
        "optional_permissions": MAP,
    },
}
# Here null says the same as no field.
NULLABLE = {"label", "purposes", "link_url", "token_url", "api_url"}


def marketplace_of(path):
    return path.split("/")[0]


def hosts(path, entry):
    """The hosts that an app is called at, each with its port where that is not the usual one."""
    if marketplace_of(path) == "tiktok-shop":
        given = {name: entry.get(name) for name in ("token_url", "api_url")}
    else:
        given = {name: entry.get("routers", {}).get(name) for name in GATEWAYS[entry["gateway"]][0]}
    return [urlsplit(url).netloc.lower().removesuffix(":443") if url else HOSTS[name] for name, url in given.items()]


def names(words):
    return ", ".join(f"`{word}`" for word in words)


def problem_of_path(path):
    """What is wrong with an app's name, if anything."""
    if re.fullmatch(r"(tiktok-shop|temu)/[a-z0-9-]{1,32}", path):
        return None
    return "not a valid app: it is `tiktok-shop/…` or `temu/…` with 1-32 lower-case letters, digits and hyphens"


def problems(path, entry):
    """What is wrong with an entry; nothing if the functions accept it."""
    if wrong := problem_of_path(path):
        return [wrong]
    if not isinstance(entry, dict):
        return ["expected a JSON object with the app's settings"]
    given = {field: value for field, value in entry.items() if value is not None or field not in NULLABLE}
    # The other rules rely on the types, and on a gateway that exists.
    return problems_of_fields(path, given) or problems_of_values(path, given)


def problems_of_fields(path, given):
    known, (place, places) = FIELDS[marketplace_of(path)], PLACES[marketplace_of(path)]
    found = [f"unknown field `{field}`: the fields are {names(known)}" for field in given if field not in known]
    found += [f"missing field `{field}`" for field in ["name", place] if field not in given]
    found += [wrong for field, kind in known.items() if field in given for wrong in wrong_type(field, given[field], kind)]
    for field in ["users", "purposes"]:
        if isinstance(value := given.get(field), list):
            found += [wrong for it in value for wrong in wrong_type(f"{field}[]", it, STRING)]
    for field, kind in {"routers": STRING, "permissions": SEQUENCE, "optional_permissions": SEQUENCE}.items():
        if isinstance(value := given.get(field), dict):
            found += [wrong for name, it in value.items() for wrong in wrong_type(f"{field}.{name}", it, kind)]
            calls = [call for it in value.values() if isinstance(it, list) for call in it]
            found += [wrong for call in calls for wrong in wrong_type(f"{field}.…[]", call, STRING)]
    for field, choices in {place: places, "webhooks": WEBHOOKS}.items():
        if field in known and isinstance(given.get(field), str) and given[field] not in choices:
            found.append(f"`{field}` cannot be `{given[field]}`: it is one of {names(choices)}")
    return found


def wrong_type(field, value, kind):
    return [] if isinstance(value, TYPES[kind]) else [f"`{field}`: expected {kind}, as in {EXAMPLES[kind]}"]


def problems_of_values(path, given):
    found = problems_at_temu(given) if marketplace_of(path) == "temu" else problems_of_hosts(given, ["token_url", "api_url"])
    if not given["name"].strip():
        found.append("`name` is empty: it is the app's name as sellers read it at the marketplace")
    if not given.get("label", "-").strip():
        found.append("`label` is empty: leave it out, or say what the seller's page calls the app")
    users = given.get("users", ["seller"])
    if not users:
        found.append("`users` is empty: leave it out, or name `seller`")
    found += [f"`users` cannot have `{user}`, only `seller`" for user in users if user != "seller"]
    if "link_url" in given and (wrong := problem_of_url(given["link_url"])):
        found.append(f"`link_url` {wrong}")
    return found


def problems_of_hosts(given, fields):
    wrong = {field: problem_of_host(given[field]) for field in fields if field in given}
    return [f"`{field}` {what}" for field, what in wrong.items() if what]


def problems_at_temu(given):
    gateway = given["gateway"]
    known, possible = GATEWAYS[gateway]
    routers = given.get("routers", {})
    found = [
        f"`routers` names `{name}`, but the gateway `{gateway}` has {names(known)}" for name in routers if name not in known
    ]
    found += problems_of_hosts({f"routers.{name}": url for name, url in routers.items()}, [f"routers.{name}" for name in known])
    purposes = given.get("purposes", possible)
    unknown = [purpose for purpose in purposes if purpose not in possible]
    if unknown or not purposes:
        what = f", not {names(unknown)}" if unknown else ""
        found.append(f"`purposes` of the gateway `{gateway}` can be {names(possible)}{what}")
    if not given.get("code_flow"):
        if "link_url" in given:
            found.append("`link_url` needs `code_flow`: true")
    elif gateway == "cn-pa":
        found.append("`code_flow` is for local sellers; product tokens are pasted")
    elif gateway == "global" and "link_url" not in given:
        found.append("`code_flow` needs `link_url` at the gateway `global`: the address of the page in the seller center of "
                     "these sellers' region where they authorize the app")
    permissions = [*given.get("permissions", {}).items(), *given.get("optional_permissions", {}).items()]
    return found + [
        f"the permission `{label}` names no call: each has a list of calls" for label, calls in permissions if not calls
    ]


# Stricter than the functions, which read an address as browsers do.
URL = re.compile(r"(?P<host>[^/\\@:\[\]]+|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\])(:(?P<port>[0-9]{1,5}))?(?P<path>/[^\\]*)?")
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def problem_of_url(value):
    """What is wrong with an address that credentials travel to, if anything."""
    scheme, colon, rest = value.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) or not re.fullmatch(r"[!-~]+", value):
        return "is not a URL"
    if scheme not in ("https", "http"):
        return "must begin with https://"
    if not rest.startswith("//"):
        return "is not a URL"
    place, *more = re.split("[?#]", rest[2:], maxsplit=1)
    authority, slash, path = place.partition("/")
    _, at, host_and_port = authority.rpartition("@")
    parts = URL.fullmatch(host_and_port + slash + path)
    if not parts or not is_host(parts["host"]) or int(parts["port"] or 0) > 65_535:
        return "is not a URL"
    if scheme == "http" and not is_loopback(parts["host"]):
        return "must begin with https://"
    if more or at:
        return "must not have a query, a fragment or a user"
    return None


def problem_of_host(value):
    """The same for the address of a host, to which paths are added."""
    if wrong := problem_of_url(value):
        return wrong
    return None if value.count("/") == 2 or (value.count("/") == 3 and value.endswith("/")) else "must not have a path"


def address_of(host):
    """The IP address that a host is, or None."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def is_host(host):
    labels = host.split(".")
    # What ends in a number is read as an IPv4 address.
    is_number = re.fullmatch("[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1])
    is_name = len(host) <= 253 and not is_number and all(LABEL.fullmatch(label) for label in labels)
    return is_name or address_of(host) is not None


def is_loopback(host):
    address = address_of(host)
    is_v4 = isinstance(address, ipaddress.IPv4Address)
    return host.lower() == "localhost" or (address.is_loopback if is_v4 else str(address) == "::1")
