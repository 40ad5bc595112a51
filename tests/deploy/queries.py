"""What a PromQL expression asks for."""

import re

KEYWORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\{([^}]*)\}")
MATCHER = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*\"((?:[^\"\\]|\\.)*)\"")


def grouped_labels(expression):
    return {label.strip() for found in GROUPING.findall(expression) for label in found.split(",") if label.strip()}


def matchers(expression):
    """(metric, label, operator, value) of every matcher."""
    for metric, inside in SELECTOR.findall(expression):
        for label, operator, value in MATCHER.findall(inside):
            yield metric, label, operator, value


def metrics(expression):
    """The names of metrics, recorded ones included."""
    bare = GROUPING.sub(" ", expression)
    bare = re.sub(r"\{[^}]*\}", " ", bare)
    bare = re.sub(r"\[[^\]]*\]", " ", bare)
    names = re.findall(r"(?<![\w.$])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])", bare)
    return {name for name in names if name.lower() not in KEYWORDS}


def self_test():
    expression = ('histogram_quantile(0.99, sum by (le, method) (rate(a_bucket{x="1", y=~"p|q"}[5m]))) > 0.1 '
                  "and on (job) b offset 5m unless instance:c:d / 3e2")
    assert metrics(expression) == {"a_bucket", "b", "instance:c:d"}, metrics(expression)
    assert grouped_labels(expression) == {"le", "method", "job"}
    assert list(matchers(expression)) == [("a_bucket", "x", "=", "1"), ("a_bucket", "y", "=~", "p|q")]
