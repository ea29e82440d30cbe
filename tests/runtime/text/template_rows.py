# SPDX-License-Identifier: Apache-2.0
"""What jinja2, set up as transformers does, writes for the chat templates of well known models.

template_rows.py make FOLDER FILE    records hashes of the texts (needs jinja2 and xxhash)
template_rows.py check FOLDER FILE   compares the recorded hashes with those of the jinja2 that is installed

FOLDER is where model_templates.py keeps the templates.
"""
import json
import pathlib
import sys

import jinja_rows
import model_templates
import xxhash

PARAMETERS = {"type": "object", "required": ["city"], "properties": {
    "city": {"type": "string", "description": "A city's name, such as \"Zürich\""},
    "days": {"type": "integer", "description": "How many days", "minimum": 1},
    "units": {"type": "string", "enum": ["metric", "imperial"], "description": "Units"},
    "places": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}},
               "description": "Places"}}}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city's next days",
                                      "parameters": PARAMETERS}},
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {
        "type": "object", "properties": {}}}},
]
USER = {"role": "user", "content": "How is the weather in Zürich & Oslo? <b>Now</b>"}
SYSTEM = {"role": "system", "content": "You are helpful.\nBe brief."}
ANSWER = {"role": "assistant", "content": "It rains."}
THOUGHT = {"role": "assistant", "content": "It rains.", "reasoning_content": "Rain is likely.\nSo it is."}
AGAIN = {"role": "user", "content": "And tomorrow?"}


def call(identity, name, arguments, as_text):
    return {"id": identity, "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments) if as_text else arguments}}


def called(as_text, content="", thought=None, count=2):
    calls = [call("abcdefgh1", "get_weather", {"city": "Zürich", "days": 2, "places": [{"x": 1.5}]}, as_text),
             call("abcdefgh2", "now", {}, as_text)][:count]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    return message | ({"reasoning_content": thought} if thought else {})


def result(number, name, content):
    return {"role": "tool", "tool_call_id": f"abcdefgh{number}", "name": name, "content": content}


RESULTS = [result(1, "get_weather", "{\"sky\": \"grey\"}"), result(2, "now", "12:00")]
PART = {"role": "user", "content": [{"type": "text", "text": "In parts"}]}


def contexts():
    known = {}

    def add(name, messages, **more):
        known[name] = {"messages": messages, "bos_token": "<BOS>", "eos_token": "<EOS>", "add_generation_prompt": True,
                       **more}

    two = [SYSTEM, USER, ANSWER, AGAIN]
    add("user", [USER])
    add("two turns", two)
    add("no opening", two, add_generation_prompt=False)
    add("parts", [PART])
    for thinking in (True, False):
        mode = "on" if thinking else "off"
        add(f"thinking {mode}", [USER, THOUGHT, AGAIN], enable_thinking=thinking, thinking=thinking)
        add(f"tools, thinking {mode}", two, tools=TOOLS, enable_thinking=thinking, thinking=thinking)
        add(f"results, thinking {mode}", [SYSTEM, USER, called(False, "I look.", "I have to look."), *RESULTS],
            tools=TOOLS, enable_thinking=thinking, thinking=thinking)
    for as_text in (True, False):
        kind = "text" if as_text else "object"
        add(f"calls as {kind}", [USER, called(as_text)], tools=TOOLS, add_generation_prompt=False)
        add(f"one call as {kind}", [USER, called(as_text, count=1), RESULTS[0], ANSWER, AGAIN], tools=TOOLS)
    add("functions", [SYSTEM, USER], functions=json.dumps(TOOLS), datetime="Jun 14 2024 21:20:00 GMT")
    add("no system, answer last", [USER, THOUGHT], add_generation_prompt=False)
    add("developer", [{"role": "developer", "content": "Be brief."}, USER], reasoning_effort="high")
    return known


def record(folder):
    env = jinja_rows.environment()
    known = contexts()
    rows = []
    for name, source in model_templates.fetch(folder).items():
        for context in known:
            try:
                text = env.from_string(source).render(json.loads(json.dumps(known[context])))
            except Exception:  # whatever the template or jinja2 refuses it by
                text = None
            # Addresses of Python's objects are nothing that another program could write.
            if text is None or " at 0x" not in text:
                rows.append([name, context, text if text is None else xxhash.xxh64_hexdigest(text.encode())])
    return {"contexts": known, "rows": rows}


def main(action, folder, path):
    recorded = record(folder)
    if action == "make":
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in recorded["rows"])
        known = ",\n".join(f"{json.dumps(name)}: {json.dumps(context, ensure_ascii=False)}"
                           for name, context in recorded["contexts"].items())
        path.write_text(f'{{"contexts": {{\n{known}}},\n"rows": [\n{rows}\n]}}\n', encoding="utf-8")
        return 0
    if json.loads(path.read_text(encoding="utf-8")) == recorded:
        print(f"{len(recorded['rows'])} texts are what jinja2 writes")
        return 0
    print("the recorded texts are not what jinja2 writes")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])))
