# SPDX-License-Identifier: Apache-2.0
"""Requests that schemathesis makes of /openapi.json, valid ones and others: no answer is 5xx but the planned 501 and
503, and the server still answers at the end.

usage: fuzz_api.py PYTHON SERVER MODEL EXAMPLES    PYTHON has schemathesis; EXAMPLES are for each path
"""
import pathlib
import subprocess
import sys
import tempfile

from served import Served

CONFIGURATION = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "4xx", 501, 503]
"""


def main(python, program, model, examples):
    with tempfile.TemporaryDirectory() as folder, Served(program, model, "--ctx-size", "8192", "--parallel", "8", "--chat-template", "chatml", "--n-predict", "4") as server:
        configuration = pathlib.Path(folder) / "schemathesis.toml"
        configuration.write_text(CONFIGURATION, encoding="utf-8")
        tool = pathlib.Path(python).parent / "schemathesis"
        command = [tool, "--config-file", configuration, "run", server.url + "/openapi.json", "--checks", "not_a_server_error", "--phases", "fuzzing",
                   "--max-examples", examples, "--workers", "4", "--request-timeout", "60", "--suppress-health-check", "all", "--generation-deterministic"]
        run = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
        print(run.stdout[-6000:], run.stderr[-2000:])
        status, _ = server.ask("/v1/completions", {"prompt": "a", "max_tokens": 1})
        if run.returncode != 0 or status != 200:
            raise SystemExit(f"schemathesis: {run.returncode}, the server: {status}")
        print("fuzzed")


if __name__ == "__main__":
    main(*sys.argv[1:])
