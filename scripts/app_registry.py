"""What `make app` makes of the registry of apps and of an app's credentials. Pure; app.py reads and writes them."""

import json

from app_entry import GATEWAYS, WEBHOOKS, marketplace_of, problems

# What one secret of Secrets Manager holds.
MOST_BYTES = 65_536


class Refused(Exception):
    """What is wrong, and what to do."""


def parse(text, what):
    """A JSON object from text that `what` names."""
    try:
        parsed = json.loads(text)
    except ValueError as error:
        # Not the text itself: somebody may have put a secret there.
        where = f" ({error.msg}, line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"{what} is not JSON{where}.") from None
    if not isinstance(parsed, dict):
        raise Refused(f"{what} is not a JSON object.")
    return parsed


def document(registry):
    """The text that Secrets Manager keeps, the apps in the order of their names."""
    text = json.dumps(dict(sorted(registry.items())), ensure_ascii=False, separators=(",", ":"))
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Refused("A setting has characters that are not valid Unicode: correct the settings.") from None
    if size > MOST_BYTES:
        raise Refused(
            f"The registry would have {size:,} bytes, and the limit of Secrets Manager is {MOST_BYTES:,}: remove apps that "
            "are no longer used, or shorten `permissions`."
        )
    return text


def merged(entry, settings):
    """An entry with these settings instead of its own; null removes one."""
    return {field: value for field, value in {**entry, **settings}.items() if value is not None}


def app_with_key(path, app_key, credentials):
    """The other app of the same marketplace that has this app key, of the credentials by app; None if there is none."""
    others = [it for it in credentials if it != path and marketplace_of(it) == marketplace_of(path)]
    return next((it for it in others if credentials[it].get("app_key") == app_key), None)


def replaced(present, answers):
    """An app's credentials after these answers; what has none stays."""
    new = {**{field: present[field] for field in answers if field in present}, **{k: v for k, v in answers.items() if v}}
    # During a rotation both secrets are in use, until somebody enters another one.
    unchanged = all(new[field] == present.get(field) for field in ["app_key", "app_secret"])
    return {**present, **new} if unchanged else new


def rotated(present, secret):
    if secret == present["app_secret"]:
        raise Refused("This is the app secret that is already stored.")
    return {**present, "app_secret": secret, "previous_app_secret": present["app_secret"]}


def without_previous(present):
    if "previous_app_secret" not in present:
        raise Refused("There is no previous app secret.")
    return {name: value for name, value in present.items() if name != "previous_app_secret"}


def table(registry):
    """The apps as lines: path, name, market or gateway, purposes, webhooks, listed; after them what is wrong with entries."""
    rows, wrong = [("APP", "NAME", "MARKET OR GATEWAY", "PURPOSES", "WEBHOOKS", "LISTED")], []
    for path, entry in sorted(registry.items()):
        found = problems(path, entry)
        wrong += [f"WRONG  {path}: {what}" for what in found]
        if found:
            continue
        gateway = entry.get("gateway")
        purposes = entry.get("purposes") or GATEWAYS[gateway][1] if gateway else []
        webhooks = "-" if gateway else entry.get("webhooks", WEBHOOKS[0])
        listed = "yes" if entry.get("listed", True) else "no"
        rows.append((path, entry["name"], gateway or entry["market"], ", ".join(purposes) or "-", webhooks, listed))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines + wrong
