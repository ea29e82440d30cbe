# SPDX-License-Identifier: Apache-2.0
"""json_schema.py FILE KEY=VALUE...: the object of llcuda-run --json has its keys and types, and these values."""
import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
for assignment in sys.argv[2:]:
    key, value = assignment.split("=", 1)
    assert report[key] == json.loads(value), f"{key} is {report[key]}, not {value}"

assert all(isinstance(token, int) for token in report["prompt_tokens"] + report["tokens"])
assert isinstance(report["text"], str)
for key in ("ttft_ms", "prompt_n", "prompt_ms", "prompt_per_second", "predicted_n", "predicted_ms", "predicted_per_second"):
    assert report["timings"][key] >= 0, key
assert report["timings"]["prompt_n"] == len(report["prompt_tokens"])
assert report["timings"]["predicted_n"] == len(report["tokens"])

if "logprobs" in report:
    assert len(report["logprobs"]) == len(report["tokens"])
    for step, token in zip(report["logprobs"], report["tokens"]):
        assert set(step) - {"forced"} == {"id", "logprob", "top"}, step
        assert step["id"] == token and step["logprob"] < 0
        values = [value for _, value in step["top"]]
        assert values == sorted(values, reverse=True)
        if "forced" in step:
            assert set(step["forced"]) == {"id", "logprob"}
