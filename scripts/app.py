"""Sets an app up or changes it: its entry in the registry of apps and its credentials, both in Secrets Manager.

Run by `make app STACK=shop-keyring APP=temu/product`. Asks for the app's name as sellers read it; the market or the
gateway of a new app whose own name does not say it; the app key, the app secret and, at TikTok Shop, the service id and
where the webhooks are registered. From a pipe it reads the answers in this order, one per line; the last one may be
missing. For an app that exists, an empty answer keeps the present value.
Credentials are never in a command line, in a file, in the output or in the shell's history.

Needs, for a stack's secrets `{stack}/apps` and `{stack}/apps/*`: secretsmanager:DescribeSecret, GetSecretValue,
PutSecretValue, UpdateSecret, CreateSecret, RestoreSecret and DeleteSecret; where they have a key of the stack's own,
kms:Decrypt and kms:GenerateDataKey with it; for --remove also cloudformation:DescribeStacks, and dynamodb:Query on the
index `listing`.
"""

import argparse
import getpass
import json
import re
import sys
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

import app_registry
from app_entry import KNOWN, PLACES, WEBHOOKS, marketplace_of, problem_of_path, problems
from app_registry import Refused
from app_secrets import RECOVERY_DAYS, Apps


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", help="the stack's name")
    parser.add_argument("app", nargs="?", default="", help="marketplace and app, such as temu/product")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--settings", metavar="FILE", help="a JSON object: further members of the entry; null removes one")
    what.add_argument("--rotate", action="store_true", help="store a new app secret and keep the present one beside it")
    what.add_argument("--forget-previous", action="store_true", help="end a rotation: remove the previous app secret")
    what.add_argument("--list", action="store_true", help="list the apps")
    what.add_argument("--remove", action="store_true", help="remove the app; refused while it has connections")
    parser.add_argument("--with-connections", action="store_true", help="with --remove: even if the app has connections")
    options = parser.parse_args()
    if not options.stack:
        parser.error("name the stack: make app STACK=shop-keyring …")
    if options.with_connections and not options.remove:
        parser.error("--with-connections is an option of --remove")
    if not options.app and not options.list:
        parser.error("name the app, such as APP=temu/product")
    # An entry with a wrong name can be removed.
    if not (options.list or options.remove) and (wrong := problem_of_path(options.app)):
        parser.error(f"{options.app}: {wrong}")
    return options


def ask(what, pattern, hidden=False, optional=False, default=""):
    """An answer; an empty one only where it is optional, and none where there is a default."""
    if not sys.stdin.isatty():
        answer = sys.stdin.readline()
    else:
        notes = ["not shown"] * hidden + ["empty: stays as it is"] * optional + [f"empty: {default}"] * bool(default)
        prompt = f"{what} ({', '.join(notes)}): " if notes else f"{what}: "
        answer = getpass.getpass(prompt) if hidden else input(prompt)
    answer = answer.strip()
    if not answer and (optional or default):
        return default
    if not answer:
        raise Refused(f"The {what} is empty.")
    if not re.fullmatch(pattern, answer):
        raise Refused(f"The {what} has spaces in it, or letters that it cannot have.")
    return answer


def ask_settings(path, present, settings):
    """An app's entry, after the questions that nothing else answers."""
    entry = app_registry.merged({**KNOWN.get(path, {}), **present}, settings)
    place, places = PLACES[marketplace_of(path)]
    if "name" not in settings:
        entry["name"] = ask("app's name as sellers read it", ".+", optional="name" in entry) or entry["name"]
    if place not in entry:
        entry[place] = ask(f"{place}, one of {', '.join(places)}", "[a-z-]+")
    refuse_problems(path, entry)
    return entry


def ask_webhooks(path, entry):
    """The entry with the answer to where its webhooks are registered. The default is not added where the entry has none."""
    what = "webhooks: shop (registered for each shop, your own URL stays in Partner Center) or app (you enter our URL there)"
    present = entry.get("webhooks", WEBHOOKS[0])
    answer = ask(what, ".+", default=present)
    changed = entry if answer == present else {**entry, "webhooks": answer}
    refuse_problems(path, changed)
    return changed


def refuse_problems(path, entry):
    if wrong := problems(path, entry):
        raise Refused("\n".join(f"{path}: {what}." for what in wrong))


def link_needs_service_id(entry):
    """Whether the app's authorization link names it by its service id; the older form of link names the app key."""
    return urlsplit(entry.get("link_url", "")).path.rstrip("/") != "/oauth/authorize"


def ask_credentials(path, present, entry):
    key = ask("app key", "[!-~]+", optional=bool(present.get("app_key")))
    # A key has a secret of its own.
    keeps_key = key in ("", present.get("app_key"))
    answers = {"app_key": key}
    answers["app_secret"] = ask("app secret", "[!-~]+", hidden=True, optional=keeps_key and bool(present.get("app_secret")))
    if marketplace_of(path) == "tiktok-shop" and link_needs_service_id(entry):
        answers["service_id"] = ask("service id", "[!-~]+", optional=bool(present.get("service_id")))
    return app_registry.replaced(present, answers)


def set_up(apps, path, settings):
    registry = apps.read()
    present = registry.get(path)
    entry = ask_settings(path, present if isinstance(present, dict) else {}, settings)
    before = apps.credentials(path) if path in registry else {}
    credentials = ask_credentials(path, before, entry)
    if marketplace_of(path) == "tiktok-shop" and "webhooks" not in settings:
        entry = ask_webhooks(path, entry)
    same_marketplace = [it for it in registry if not problem_of_path(it) and marketplace_of(it) == marketplace_of(path)]
    others = {it: apps.credentials(it) for it in same_marketplace}
    if other := app_registry.app_with_key(path, credentials["app_key"], others):
        raise Refused(
            f"{other} has this app key already. Each app needs its own: a token that the marketplace issues to one would end "
            "the other's."
        )
    # Read again, because somebody may have changed another app during the questions.
    text = app_registry.document({**apps.read(), path: entry})
    if credentials != before:
        apps.put_credentials(path, credentials)
    apps.put(apps.registry, text)
    print(f"Written: {path} in {apps.registry}, and {apps.secret_of(path)}. The functions use it within five minutes.")


def change_credentials(apps, path, rotate):
    present, name = apps.credentials(path), apps.secret_of(path)
    if "app_secret" not in present:
        raise Refused(f"The secret {name} has no credentials. Set the app up first: make app STACK={apps.stack} APP={path}")
    if rotate:
        changed = app_registry.rotated(present, ask("new app secret", "[!-~]+", hidden=True))
    else:
        changed = app_registry.without_previous(present)
    written = apps.put(name, json.dumps(changed))
    print(f"Written: {name}, version {written['VersionId']}. The functions use it within five minutes.")


def remove(apps, path, with_connections):
    registry = apps.read()
    has_credentials = apps.has_credentials(path)
    if path not in registry and not has_credentials:
        raise Refused(f"The registry has no app {path}. Those that exist: make app STACK={apps.stack} ARGS=--list")
    if not with_connections and (count := apps.connections(path)):
        raise Refused(
            f"{path} has connections that are not disconnected: {count}. Disconnect them first, or remove the app with "
            "ARGS='--remove --with-connections': their tokens are then no longer refreshed, and expire."
        )
    if path in registry:
        apps.put(apps.registry, app_registry.document({app: it for app, it in registry.items() if app != path}))
    if has_credentials:
        apps.delete_credentials(path)
    print(f"Removed: {path}. Secrets Manager deletes its credentials after {RECOVERY_DAYS} days.")


def run(options):
    apps = Apps(options.stack)
    if options.list:
        registry = apps.read()
        print("\n".join(app_registry.table(registry)) if registry else f"{apps.registry} has no app.")
    elif options.remove:
        remove(apps, options.app, options.with_connections)
    elif options.rotate or options.forget_previous:
        change_credentials(apps, options.app, options.rotate)
    else:
        set_up(apps, options.app, read_settings(options.settings))


def read_settings(file):
    if not file:
        return {}
    try:
        with open(file, "rb") as opened:
            return app_registry.parse(opened.read(), file)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None


def main():
    try:
        run(arguments())
    except Refused as refused:
        sys.exit(f"app: {refused}\nNothing was written.")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"app: {error}")


if __name__ == "__main__":
    main()
