"""Alarms and dashboard: valid, on metrics that are written, and each alarm explained in docs/operations.md.

What the functions write is taken from docs/metrics.md, which is held against the code elsewhere, and the values of
dimensions from the code itself. Run by `make verify`; alone: .tools/verify/bin/python tests/infra/monitoring_test.py
"""

import json
import pathlib
import re
import unittest

from cfnlint.api import lint_all
from cfnlint.decode import cfn_yaml

ROOT = pathlib.Path(__file__).parents[2]
FILES = ["alarms", "alarms-aws", "alarms-log", "dashboard"]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SUBSTITUTE = {"AWS::Region": "eu-central-1", "AWS::Partition": "aws", "AWS::AccountId": "111122223333"}
OURS = "MetricsNamespace"


def text(file):
    return (ROOT / "infra" / f"{file}.yaml").read_text()


def template(file):
    return cfn_yaml.loads(text(file))


def substituted(value):
    """A value with each reference replaced by the name of what it refers to."""
    if isinstance(value, dict) and set(value) == {"Ref"}:
        return value["Ref"]
    if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
        return re.sub(r"\$\{([\w:]+)\}", lambda match: SUBSTITUTE.get(match[1], match[1]), value["Fn::Sub"])
    return value


def alarms():
    """Every alarm by its name without the stack's."""
    found = {}
    for file in FILES:
        for resource in template(file)["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                name = substituted(resource["Properties"]["AlarmName"])
                assert name.startswith("Stack-") and name not in found, name
                found[name.removeprefix("Stack-")] = resource["Properties"]
    return found


def metric(properties):
    """One metric of an alarm: namespace, name, dimensions, statistic, period."""
    stat = properties.get("MetricStat")
    of = stat["Metric"] if stat else properties
    dimensions = {it["Name"]: substituted(it["Value"]) for it in of.get("Dimensions", [])}
    how = (stat["Stat"], stat["Period"]) if stat else (of["Statistic"], of["Period"])
    return (substituted(of["Namespace"]), of["MetricName"], dimensions, *how)


def metrics(alarm):
    if "Metrics" in alarm:
        return [metric(it) for it in alarm["Metrics"] if "MetricStat" in it]
    return [metric(alarm)]


def documented_metrics():
    """Name: unit, and the sets of dimensions that it is written with."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    each = lambda cell: [set(re.findall(r"`(\w+)`", dimensions)) for dimensions in cell.split(";")]
    return {name: (unit, each(dimensions)) for name, unit, dimensions in rows}


def sources(*folders):
    return "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.rs")))


def names_in(file, function):
    """The words that an enum's `as_str` gives, in the order of the file."""
    body = (ROOT / file).read_text().split(function, 1)[1].split("\n    }\n", 1)[0]
    return set(re.findall(r'=> "([\w-]+)"', body))


CODE = sources("shared/src", "functions")
ALARMS = set(re.findall(r'alarm = "(\w+)"', CODE))
VALUES = {
    "Alarm": ALARMS,
    "Marketplace": {"tiktok-shop", "temu"} & names_in("shared/src/names.rs", "impl MarketplaceName"),
    # What is skipped, or only told, is not counted.
    "Outcome": names_in("shared/src/protocol/outcome.rs", "impl Outcome") - {"skipped", "only_events", "breaker_open"} | {"table_failed"},
    "Reason": names_in("shared/src/connection/status.rs", "impl Reason"),
    "Status": names_in("shared/src/connection/status.rs", "impl Status"),
}
METRICS = documented_metrics()
STATISTICS = {"count": {"Sum"}, "seconds": {"Maximum", "SampleCount"}, "milliseconds": {"p50", "p95", "p99"}}
# What there is, not what has happened: a sum would count it as often as it was looked at.
STANDING = {"Connections"}

# AWS's metrics, with the dimensions that their services document. All are counted by `Sum` but those of the last line.
AWS = {
    "AWS/ApiGateway": ({"ApiId"}, {"4xx", "5xx", "Count", "Latency"}),
    "AWS/Lambda": ({"FunctionName"}, {"Errors", "Throttles", "Duration", "ConcurrentExecutions"}),
    "AWS/SQS": ({"QueueName"}, {"ApproximateNumberOfMessagesVisible"}),
    "AWS/Logs": ({"LogGroupName"}, {"IncomingBytes"}),
    "AWS/DynamoDB": ({"TableName"}, {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"}),
}
NOT_SUMMED = {"Latency": "p95", "Duration": "p95", "ConcurrentExecutions": "Maximum", "ApproximateNumberOfMessagesVisible": "Maximum"}
# A request to a table is counted by its operation as well.
PER_OPERATION = {"ThrottledRequests", "SystemErrors"}


def statistics(name):
    return {"Maximum"} if name in STANDING else STATISTICS[METRICS[name][0]]


class Written(unittest.TestCase):
    """What alarms and widgets stand on is really written."""

    def assert_written(self, namespace, name, dimensions, statistic):
        if namespace == OURS:
            expected = METRICS[name][1]
            self.assertIn(set(dimensions), expected, f"{name} is never written with these dimensions")
            for dimension, value in dimensions.items():
                self.assertIn(value, VALUES[dimension], f"{name}, {dimension}")
            self.assertIn(statistic, statistics(name), name)
        elif name in PER_OPERATION:
            self.assertEqual((namespace, set(dimensions), statistic), ("AWS/DynamoDB", {"TableName", "Operation"}, "Sum"))
            call = re.sub(r"(?<!^)([A-Z])", r"_\1", dimensions["Operation"]).lower()
            self.assertIn(f".{call}()", CODE, "nobody makes this call")
        else:
            expected, names = AWS[namespace]
            self.assertEqual(set(dimensions), expected, name)
            self.assertIn(name, names)
            self.assertEqual(statistic, NOT_SUMMED.get(name, "Sum"), name)

    def test_what_the_code_has_was_found(self):
        for dimension, least in [("Alarm", 13), ("Marketplace", 2), ("Outcome", 17), ("Reason", 6), ("Status", 4)]:
            self.assertGreaterEqual(len(VALUES[dimension]), least, dimension)

    def test_alarms(self):
        for name, alarm in alarms().items():
            with self.subTest(name):
                for namespace, metric_name, dimensions, statistic, _ in metrics(alarm):
                    self.assert_written(namespace, metric_name, dimensions, statistic)

    def test_every_call_to_a_table_is_watched_that_is_made_often(self):
        made = {"GetItem", "BatchGetItem", "Query", "UpdateItem", "TransactWriteItems", "PutItem"}
        for name in ("table-throttled", "table-errors"):
            self.assertEqual({it[2]["Operation"] for it in metrics(alarms()[name])}, made)

    def test_widgets(self):
        for widget in dashboard()["widgets"]:
            properties = widget["properties"]
            for line in properties.get("metrics", []):
                with self.subTest(properties["title"]):
                    options = line[-1] if isinstance(line[-1], dict) else {}
                    if "expression" in options:
                        self.assert_expression(options["expression"])
                        continue
                    namespace, name, *rest = [it for it in line if not isinstance(it, dict)]
                    dimensions = dict(zip(rest[::2], rest[1::2], strict=True))
                    self.assert_written(namespace, name, dimensions, options.get("stat", properties["stat"]))

    def assert_expression(self, expression):
        search = re.fullmatch(r"""SEARCH\('\{"?([\w/]+)"?,([\w,]+)\} MetricName="(\w+)"(.*)', '(\w+)', \d+\)""", expression)
        if not search:
            self.assertNotIn("SEARCH", expression)
            return
        namespace, dimensions, name, rest, statistic = search.groups()
        if namespace == OURS:
            expected = METRICS[name][1]
            self.assertIn(set(dimensions.split(",")), expected, f"{name} is never written with these dimensions")
            self.assertIn(statistic, statistics(name), name)
            for dimension, value in re.findall(r'(\w+)="([^"]+)"', rest):
                self.assertIn(value, VALUES[dimension])
            self.assertIn('{"', expression, "a namespace with a dash has to be quoted")

    def test_every_metric_of_ours_is_on_the_dashboard(self):
        for name in METRICS:
            self.assertIn(name, text("dashboard"))


def faults(cloudformation):
    """What cfn-lint finds, but for its advice on how to describe a template."""
    return [str(match) for match in lint_all(cloudformation) if not match.rule.id.startswith("I")]


class Alarms(unittest.TestCase):
    def test_cfn_lint_finds_nothing(self):
        for file in FILES:
            self.assertEqual(faults(text(file)), [], file)

    def test_cfn_lint_would_find_a_mistake(self):
        wrong = text("alarms").replace("TreatMissingData: breaching", "TreatMissingData: broken")
        self.assertNotEqual(faults(wrong), [])

    def test_each_has_its_line_in_the_operators_document(self):
        anchors = re.findall(r'<a id="alarm-([\w-]+)"></a>|^### Alarm `([\w-]+)`$', OPERATIONS, re.MULTILINE)
        anchors = [table or heading for table, heading in anchors]
        self.assertEqual(sorted(anchors), sorted(alarms()))
        for name, alarm in alarms().items():
            description = substituted(alarm["AlarmDescription"])
            self.assertTrue(description.endswith(f" docs/operations.md#alarm-{name}"), name)
            self.assertLessEqual(len(description), 1024, name)

    def test_each_value_of_the_log_has_one(self):
        watched = {it[2]["Alarm"]: name for name, alarm in alarms().items() for it in metrics(alarm) if it[1] == "Alarms"}
        self.assertEqual(watched, {value: value.replace("_", "-") for value in ALARMS})
        rows = re.findall(r"^\| <a id=\"[\w-]+\"></a>`(\w+)` \|", OPERATIONS.split("### Alarms of the log")[1], re.MULTILINE)
        self.assertEqual(sorted(rows), sorted(ALARMS))

    def test_each_notifies_one_topic_and_a_page_tells_when_it_is_over(self):
        pages = set(re.findall(r"^### Alarm `([\w-]+)`\n\n\*\*page\.\*\* ", OPERATIONS, re.MULTILINE))
        for name, alarm in alarms().items():
            topic = "PageTopic" if name in pages else "TicketTopic"
            self.assertEqual([substituted(it) for it in alarm["AlarmActions"]], [topic], name)
            over = [substituted(it) for it in alarm.get("OKActions", [])]
            self.assertEqual(over, ["PageTopic"] if name in pages else [], name)
            self.assertNotIn("InsufficientDataActions", alarm, name)
        self.assertIn(f"{['', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven'][len(pages)]} alarms wake", OPERATIONS)

    def test_missing_data_is_an_alarm_for_the_oldest_due_only(self):
        for name, alarm in alarms().items():
            on_oldest_due = "OldestDueSeconds" in {it[1] for it in metrics(alarm)}
            self.assertEqual(alarm["TreatMissingData"], "breaching" if on_oldest_due else "notBreaching", name)
        self.assertEqual(alarms()["oldest-due"]["MetricName"], "OldestDueSeconds")

    def test_cloudwatch_takes_them(self):
        """Limits of PutMetricAlarm that no linter knows."""
        for name, alarm in alarms().items():
            with self.subTest(name):
                periods = {it[4] for it in metrics(alarm)}
                self.assertEqual(len(periods), 1)
                period = periods.pop()
                self.assertLessEqual(period * alarm["EvaluationPeriods"], 86_400 if period < 3_600 else 604_800)
                self.assertLessEqual(alarm.get("DatapointsToAlarm", 1), alarm["EvaluationPeriods"])
                if "Metrics" in alarm:
                    self.assert_maths(alarm["Metrics"])

    def assert_maths(self, entries):
        expressions = {it["Id"]: it["Expression"] for it in entries if "Expression" in it}
        ids = [it["Id"] for it in entries]
        self.assertEqual([it["Id"] for it in entries if it["ReturnData"]], ["value"])
        self.assertIn("value", expressions)
        self.assertLessEqual(len(ids) - len(expressions), 10)
        self.assertEqual(len(set(ids)), len(ids))
        words = re.findall(r"[A-Za-z_]\w*", " ".join(expressions.values()))
        self.assertEqual({it for it in words if it.islower()} | {"value"}, set(ids), "each is used, and no other")
        self.assertLessEqual({it for it in words if it.isupper()}, {"SUM", "FILL", "MAX", "IF"}, "SEARCH is not taken")
        for id_, expression in expressions.items():
            # A marketplace that nobody has connected has no metrics, and must not make the other's vanish.
            for of in re.findall(r"SUM\(\[(.*?)\]\)", expression):
                bare = set(re.findall(r"[a-z]\w*", re.sub(r"FILL\(\w+, 0\)", "", of)))
                self.assertLessEqual(bare, set(expressions), id_)
            self.assertNotIn("+", expression)
            for of in re.findall(r"(\w+) / ", expression):
                self.assertRegex(expression, rf"IF\({of} >= \d+, {of} / ", "a share counts from a number of cases on")


def dashboard():
    return json.loads(substituted(template("dashboard")["Resources"]["Dashboard"]["Properties"]["DashboardBody"]))


class Dashboard(unittest.TestCase):
    def test_it_shows_every_alarm(self):
        shown = [arn for widget in dashboard()["widgets"] for arn in widget["properties"].get("alarms", [])]
        prefix = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:Stack-"
        self.assertEqual(sorted(shown), sorted(prefix + name for name in alarms()))

    def test_widgets_fill_the_rows_and_none_lies_on_another(self):
        taken = set()
        for widget in dashboard()["widgets"]:
            self.assertLessEqual(widget["x"] + widget["width"], 24)
            places = {
                (x, y)
                for x in range(widget["x"], widget["x"] + widget["width"])
                for y in range(widget["y"], widget["y"] + widget["height"])
            }
            self.assertFalse(places & taken, widget["properties"]["title"])
            taken |= places
        self.assertEqual(len(taken), 24 * (1 + max(y for _, y in taken)))

    def test_queries_read_what_is_logged(self):
        for widget in dashboard()["widgets"]:
            for group in re.findall(r"SOURCE '([^']+)'", widget["properties"].get("query", "")):
                self.assertIn(group, [f"/aws/lambda/{it}" for it in ("OauthCallback", "RefreshOnDemand", "RefreshSweep", "TokenLookup")])
        queries = re.findall(r"```\n(filter .*?)```", OPERATIONS, re.DOTALL)
        self.assertGreaterEqual(len(queries), 9)
        for query in queries:
            for message in re.findall(r"message = '([^']+)'", query):
                self.assertIn(f'"{message}"', CODE, query)
            for field, value in re.findall(r"(audit|status) = '(\w+)'", query):
                self.assertIn(f'"{value}"', CODE, f"{field} in {query}")


class Limits(unittest.TestCase):
    def test_no_alarm_looks_at_more_metrics_than_cloudwatch_takes(self):
        found = {name: len(metrics(alarm)) for name, alarm in alarms().items()}
        self.assertGreater(max(found.values()), 1)
        self.assertEqual([name for name, count in found.items() if count > 10], [])


if __name__ == "__main__":
    unittest.main()
