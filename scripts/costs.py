#!/usr/bin/env python3
"""Prints what Shop Keyring costs a month: the table of docs/costs.md, which explains each line and each assumption.
Change an assumption, and run it again: python3 scripts/costs.py"""

SIZES = 1_000, 100_000, 1_000_000
HOURS, DAYS = 730, 365 / 12

# Assumptions.
REFRESHES = DAYS / (7 * 0.675)  # of one connection a month
LOOKUPS = HOURS * 1  # of one connection a month: one an hour
IN_MEMORY, PROCESSES = 10_000, 3  # token sets in a process of token-lookup, and processes that read a new version
LOOKUP_GB_S, SWEEP_GB, PUTS_A_SECOND = 0.015 * 0.25, 0.5, 30
ITEM, INDEX, POINTER = 2, 2, 1  # write units
CONNECTION_KB, REFRESH_KB, RUN_KB, LOOKUP_KB = 2, 1.1, 2, 2.1
BREAKERS = 8  # circuit breakers that a run reads: three apps, four hosts, the vault
PROBES = 4 * (1 + 3)  # queries at the start of a run: four for the chores, and for each of so many apps
MONTHS_KEPT, COMPRESSED = 12, 0.15  # of the logs
METRICS, ALARMS = 61, 79  # ALARMS: metrics that alarms look at
NAT_GATEWAYS, THROUGH_NAT_KB = 1, 20  # THROUGH_NAT_KB: of one refresh; DynamoDB has a gateway endpoint

# Dollars, us-east-1.
SECRET, SECRET_CALL = 0.40, 0.05e-4
WRITE, READ, TABLE_GB = 0.625e-6, 0.125e-6, 0.25 + 0.20
GB_SECOND, INVOCATION = 0.0000133334, 0.20e-6
REQUEST, REQUEST_ABOVE_300_MILLION = 1.00e-6, 0.90e-6
LOG_GB, KEPT_GB, METRIC, ALARM, EVENT = 0.50, 0.03, 0.30, 0.10, 1e-6
KEY, KEY_CALL = 1.00, 0.03e-4
NAT_HOUR, ADDRESS_HOUR, NAT_GB = 0.045, 0.005, 0.045


def month(size):
    refreshes, lookups, runs = size * REFRESHES, size * LOOKUPS, HOURS * 60
    writes = (ITEM + INDEX) + (2 * (ITEM + POINTER) + INDEX) + (ITEM + INDEX)  # claim, commit, publish
    misses = max(lookups * (1 - IN_MEMORY / size), min(lookups, refreshes * PROCESSES))
    vault_calls = refreshes * 2 + misses
    sweep_seconds = runs + refreshes / PUTS_A_SECOND
    log_gb = (refreshes * REFRESH_KB + runs * RUN_KB + lookups * LOOKUP_KB) / 1e6
    costs = {
        "Secrets": size * SECRET,
        "Secrets Manager calls": vault_calls * SECRET_CALL,
        "DynamoDB writes": refreshes * writes * WRITE,
        "DynamoDB reads": (refreshes * 2 + lookups + runs * (PROBES / 2 + BREAKERS)) * READ,
        "DynamoDB storage": size * CONNECTION_KB / 1e6 * TABLE_GB,
        "Lambda": (runs + lookups) * INVOCATION + (sweep_seconds * SWEEP_GB + lookups * LOOKUP_GB_S) * GB_SECOND,
        "API Gateway": min(lookups, 300e6) * REQUEST + max(lookups - 300e6, 0) * REQUEST_ABOVE_300_MILLION,
        "Logs": log_gb * (LOG_GB + MONTHS_KEPT * COMPRESSED * KEPT_GB),
        "Metrics and alarms": METRICS * METRIC + ALARMS * ALARM,
        "Events": refreshes * EVENT,
    }
    nat = NAT_GATEWAYS * HOURS * (NAT_HOUR + ADDRESS_HOUR) + refreshes * THROUGH_NAT_KB / 1e6 * NAT_GB
    return costs | {
        "**Sum**": sum(costs.values()),
        "With a KMS key of your own, on top": KEY + vault_calls * KEY_CALL,
        "With a fixed address (a NAT gateway), on top": nat,
    }


def table():
    months = [month(size) for size in SIZES]
    lines = ["| dollars a month, for connections | " + " | ".join(f"{size:,}" for size in SIZES) + " |"]
    lines.append("|---" + "|--:" * len(SIZES) + "|")
    for line in months[0]:
        cells = [f"{costs[line]:,.0f}" if costs[line] >= 10 else f"{costs[line]:.2f}" for costs in months]
        lines.append(f"| {line} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
