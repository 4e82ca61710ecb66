"""Reads an OpenMetrics page from the standard input with the parser of `prometheus_client` and writes what it says as
JSON: a list of families, each [name, type, unit, help, samples], each sample [name, labels, value, exemplar labels].

Exit code 3: the package is missing. Any other but 0: the page is not as the parser wants it.
"""

import json
import sys

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    sys.exit(3)

page = sys.stdin.buffer.read().decode("utf-8")
families = []
for family in text_string_to_metric_families(page):
    samples = [
        [sample.name, sample.labels, sample.value, sample.exemplar.labels if sample.exemplar else None]
        for sample in family.samples
    ]
    families.append([family.name, family.type, family.unit, family.documentation, samples])
json.dump(families, sys.stdout, allow_nan=False)
