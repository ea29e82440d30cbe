# SPDX-License-Identifier: Apache-2.0
"""grammar_batch.py make IN: requests with every field that says a grammar. grammar_batch.py check OUT: their answers
keep to it, and wrong ones are refused by field."""
import json
import re
import sys

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}},
          "required": ["a"], "additionalProperties": False}
STRICT = {"type": "json_schema", "json_schema": {"name": "one", "schema": SCHEMA, "strict": True}}
BODIES = {
    "strict": {"response_format": STRICT},
    "schema": {"json_schema": {"enum": ["yes", "no"]}},
    "regex": {"regex": "[ab]{2}-[0-9]"},
    "gbnf": {"grammar": 'root ::= "(" [x-z]+ ")"', "max_tokens": 12},
    "lark": {"grammar": '%llguidance {}\nstart: "<" /[0-9]{3}/ ">"'},
    "text": {"response_format": {"type": "text"}, "max_tokens": 5},
    "two": {"regex": "a", "response_format": STRICT},
    "bad": {"grammar": "root ::="[:6]},
    "shape": {"response_format": {"type": "json_schema"}},
    "unknown": {"response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}},
}


def make(path):
    with open(path, "w", encoding="utf-8") as file:
        for name, body in BODIES.items():
            file.write(json.dumps({"custom_id": name, "url": "/v1/completions", "body": {"prompt": "abc"} | body}) + "\n")


def check(path):
    answers = {}
    for line in open(path, encoding="utf-8"):
        answer = json.loads(line)
        answers[answer["custom_id"]] = answer["response"]
    assert set(answers) == set(BODIES), set(answers)

    def text(name):
        assert answers[name]["status_code"] == 200, answers[name]
        return answers[name]["body"]["choices"][0]["text"]

    value = json.loads(text("strict"))
    assert list(value) == ["a"] and 0 <= value["a"] <= 9 and " " not in text("strict"), value
    assert json.loads(text("schema")) in ("yes", "no")
    assert re.fullmatch("[ab]{2}-[0-9]", text("regex"))
    assert re.fullmatch(r"\([x-z]+\)?", text("gbnf"))
    assert re.fullmatch("<[0-9]{3}>", text("lark"))
    assert text("text")
    for name, field, words in (("two", "regex", "already"), ("bad", "grammar", "GBNF"),
                               ("shape", "response_format", "expected"), ("unknown", "response_format", "/not")):
        error = answers[name]["body"]["error"]
        assert answers[name]["status_code"] == 400 and error["param"] == field and words in error["message"], error


make(sys.argv[2]) if sys.argv[1] == "make" else check(sys.argv[2])
