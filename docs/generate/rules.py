"""The rules of deploy/prometheus as the one object that the Prometheus operator takes."""

HEADER = """\
# The rules and alerts of deploy/prometheus. Made from them by `make docs`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: tarn
spec:
  groups:
"""


def groups_of(text):
    """What stands below `groups:`."""
    return text.split("\ngroups:\n", 1)[1]


def prometheus_rule(texts):
    lines = "".join(groups_of(text) for text in texts).splitlines()
    return HEADER + "".join(f"  {line}\n" if line else "\n" for line in lines)
