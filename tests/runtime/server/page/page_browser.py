# SPDX-License-Identifier: Apache-2.0
"""The chat page in a headless Chromium, against a server that answers by rule.

usage: page_browser.py ROOT [SCREENSHOTS]

ROOT is the repository, SCREENSHOTS a folder for pictures of it. Needs selenium, chromium and chromedriver.
"""
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = pathlib.Path(sys.argv[1])
PICTURES = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
ANSWER = (f"# Weather\n\nIt **rains** in `Oslo` & {MARKUP}:\n\n- umbrella\n- boots\n\n```python\nprint(\"<b>1</b>\")\n```\n\n"
          "| day | sky |\n|---|---|\n| Monday | grey |\n\n[a link](https://example.org) and [none](javascript:alert(1))")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    requests, left = [], threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.requests.append(self.path)
        page = ROOT / "runtime/server/page"
        nonce = "0123456789abcdef"
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        policy = (page / "content_security_policy.txt").read_text().replace("{{nonce}}", nonce)
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        if self.path == "/":
            self.wfile.write((page / "index.html").read_text().replace("{{nonce}}", nonce).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body, self.headers.get("Authorization")))
        said = body["messages"][-1]["content"]
        if said == "fail":
            answer = json.dumps({"error": {"code": 400, "message": "Field 'x': <b>no</b>"}}).encode()
            self.send_response(400)
            self.end_headers()
            self.wfile.write(answer)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            self.stream(body["messages"][-1]["role"], said)
        except OSError:
            self.server.left.set()

    def stream(self, role, said):
        self.event(delta={"role": "assistant", "content": None})
        if said == "forever":
            for i in range(2000):
                self.event(delta={"content": f"{i} "})
                time.sleep(0.02)
        elif said == "call":
            self.event(delta={"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                                              "function": {"name": "get_weather", "arguments": ""}}]})
            for piece in ('{"ci', 'ty": "Os', 'lo"}'):
                self.event(delta={"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
            self.event(delta={}, finish="tool_calls")
        elif role == "tool":
            self.event(delta={"content": f"The result is {said}."})
            self.event(delta={}, finish="stop")
        else:
            for i in range(0, 40, 8):
                self.event(delta={"reasoning_content": "Let me think about this one, carefully."[i:i + 8]})
            for i in range(0, len(ANSWER), 5):
                self.event(delta={"content": ANSWER[i:i + 5]})
                time.sleep(0.002)
            self.event(delta={}, finish="stop")
        self.send(json.dumps({"choices": [], "model": "tiny", "usage": {"completion_tokens": 42}}))
        self.send("[DONE]")

    def event(self, delta, finish=None):
        self.send(json.dumps({"model": "tiny", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))

    def send(self, data):
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()


class Page:
    def __init__(self, port):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        self.profile = tempfile.TemporaryDirectory()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     f"--user-data-dir={self.profile.name}", "--window-size=1100,850"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.get(f"http://127.0.0.1:{port}/")

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition, what):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.05)
        raise SystemExit(f"never: {what}")

    def idle(self):
        self.until(lambda: self.one("#send").text == "Send" and not self.all("[aria-busy]"), "the answer's end")

    def say(self, text, wait=True):
        self.one("#input").send_keys(text, Keys.ENTER)
        if wait:
            self.until(lambda: not self.all("body.running"), "an answer")
            self.idle()

    def focused(self):
        return self.driver.execute_script("return document.activeElement.id")

    def picture(self, name):
        if PICTURES:
            PICTURES.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(PICTURES / f"{name}.png"))


def expect(condition, what):
    if not condition:
        raise SystemExit(f"not so: {what}")
    print("ok:", what)


def check_answer(page, server):
    expect(page.focused() == "input", "the box has the focus")
    expect(not page.one("#send").is_enabled(), "nothing to send, no sending")
    page.picture("empty")
    box = page.one("#input")
    box.send_keys("two", Keys.SHIFT, Keys.ENTER)
    expect(box.get_property("value") == "two\n", "Shift and Enter begin a line")
    box.send_keys(Keys.NULL)
    page.say("lines")
    body = server.requests[-1][1]
    expect(body["messages"] == [{"role": "user", "content": "two\nlines"}], "Enter sends both lines")
    expect(set(body) == {"messages", "stream", "stream_options"}, "defaults are the server's")
    answer = page.one(".message.assistant .body")
    expect(MARKUP in answer.text and page.driver.title == "llcuda", "markup of the model is text")
    expect(not page.all(".body img") and not page.all(".body script"), "and makes no elements")
    expect(page.one(".body h1").text == "Weather" and page.one(".body strong").text == "rains", "markdown is shown")
    expect([cell.text for cell in page.all(".body td")] == ["Monday", "grey"], "with tables")
    expect(page.one(".code pre").text == 'print("<b>1</b>")', "and code")
    expect([link.get_attribute("href") for link in page.all(".body a")] == ["https://example.org/"], "and safe links")
    expect(not page.one("details.thinking").get_attribute("open"), "thinking is folded")
    page.one("details.thinking summary").click()
    expect(page.one(".thought").text == "Let me think about this one, carefully.", "and can be read")
    expect("42 tokens" in page.one(".stats").text and "tokens/s" in page.one(".stats").text, "speed is shown")
    expect(page.one("#model").text == "tiny", "the model's name is shown")
    page.one(".code .bar button").click()
    page.until(lambda: page.one(".code .bar button").text == "Copied", "a copy")


def check_controls(page, server):
    before = len(server.requests)
    page.all(".message.assistant .tools button")[-1].click()
    page.until(lambda: len(server.requests) > before, "a request again")
    page.idle()
    expect(server.requests[-1][1]["messages"] == server.requests[before - 1][1]["messages"], "regenerate asks the same")
    expect(len(page.all(".message")) == 2, "and replaces the answer")
    page.say("forever", wait=False)
    page.until(lambda: "5 6 7" in page.all(".message")[-1].text, "a stream")
    expect(page.one("#send").text == "Stop", "sending became stopping")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.idle()
    expect(server.left.wait(20), "Esc closes the connection")
    expect("stopped" in page.all(".stats")[-1].text, "and says so")
    page.say("fail")
    expect(page.one(".error").text == "Field 'x': <b>no</b>", "errors are the server's words")
    page.say("call")
    expect("get_weather" in page.all(".call .name")[-1].text, "a call is shown")
    expect('"city": "Oslo"' in page.all(".call pre")[-1].text, "with its arguments")
    page.all(".call textarea")[-1].send_keys("rain")
    page.all(".body > button.primary")[-1].click()
    page.until(lambda: "The result is rain." in page.all(".message")[-1].text, "an answer to the result")
    page.idle()
    sent = server.requests[-1][1]["messages"]
    expect(sent[-1] == {"role": "tool", "tool_call_id": "call_1", "name": "get_weather", "content": "rain"},
           "results go back")
    expect(sent[-2]["tool_calls"][0]["function"]["arguments"] == '{"city": "Oslo"}', "behind their call")


def check_settings(page, server):
    page.one("#open").click()
    for name, value in (("system", "Be brief."), ("temperature", "0.2"), ("top_k", "many"), ("key", "secret")):
        page.one(f"#{name}").send_keys(value)
    page.one("#thinking").click()
    page.one("dialog .primary").click()
    expect("Top k" in page.one("#settings-error").text, "settings that are wrong are named")
    page.picture("settings")
    page.one("#top_k").clear()
    page.one("#top_k").send_keys("7")
    page.one("dialog .primary").click()
    page.one("#fresh").click()
    expect(not page.all(".message"), "a new chat is empty")
    page.say("hello")
    _, body, key = server.requests[-1]
    expect(body["messages"][0] == {"role": "system", "content": "Be brief."}, "the system prompt is sent")
    expect(body["temperature"] == 0.2 and body["top_k"] == 7, "sampling is sent")
    expect(body["chat_template_kwargs"] == {"enable_thinking": False}, "thinking is switched")
    expect(key == "Bearer secret", "the key is sent")
    order = []
    page.one("#input").send_keys("x", Keys.TAB)
    order.append(page.focused())
    page.driver.execute_script("document.getElementById('fresh').focus()")
    for _ in range(2):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        order.append(page.focused())
    expect(order == ["send", "theme", "open"], "Tab goes in order")
    unnamed = page.driver.execute_script(
        "return [...document.querySelectorAll('input, textarea')].filter(node => !node.labels.length &&"
        " !node.ariaLabel).length + [...document.querySelectorAll('button')].filter(node => !node.textContent).length")
    expect(unnamed == 0, "everything has a label")


def check_colours(page):
    grounds = []
    for name in ("light", "dark"):
        page.one("#theme").click()
        expect(page.one("#theme").text.lower() == name, f"{name} can be chosen")
        grounds.append(page.one("body").value_of_css_property("background-color"))
        page.picture(name)
    expect(grounds[0] != grounds[1], "and differs")
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True})
    wide = page.driver.execute_script("return document.documentElement.scrollWidth > innerWidth")
    page.picture("phone")
    expect(not wide, "a phone need not scroll sideways")


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = Page(server.server_port)
    try:
        check_answer(page, server)
        check_controls(page, server)
        check_settings(page, server)
        check_colours(page)
        asked = {path if isinstance(path, str) else path[0] for path in server.requests}
        expect(asked == {"/", "/v1/chat/completions"}, "nothing else was asked for")
        faults = [entry["message"] for entry in page.driver.get_log("browser")
                  if entry["level"] == "SEVERE" and "400" not in entry["message"]]
        expect(not faults, f"no faults in the console {faults}")
    finally:
        page.driver.quit()


if __name__ == "__main__":
    main()
