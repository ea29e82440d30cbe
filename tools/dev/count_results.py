# SPDX-License-Identifier: Apache-2.0
"""Prints lit's result file as one line: `N passed, N failed, N skipped`. Exit 1 when a test failed or none ran."""
import json
import sys

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}

with open(sys.argv[1], encoding="utf-8") as file:
    codes = [test["code"] for test in json.load(file)["tests"]]
passed = sum(code in PASSED for code in codes)
skipped = sum(code in SKIPPED for code in codes)
failed = len(codes) - passed - skipped
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed > 0 or passed == 0)
