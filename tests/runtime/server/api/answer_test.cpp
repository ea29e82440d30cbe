// SPDX-License-Identifier: Apache-2.0
// Answers by a reply without sockets, over the toy engine on the processor.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/server/api/routes.h"
#include "tests/runtime/capi/capi_fixture.h"

namespace llcuda::server {
namespace {

using namespace std::chrono_literals;

/// Keeps what is written. `taken`: bytes that the client has read.
class HeldReply final : public Reply {
public:
  void send(int code, std::string_view, std::string text, std::vector<Header>) override {
    const std::lock_guard lock(mutex);
    status = code;
    body = std::move(text);
    ended = true;
    changed.notify_all();
  }
  void beginStream(std::vector<Header>) override {
    const std::lock_guard lock(mutex);
    status = 200;
  }
  bool write(std::string_view bytes) override {
    const std::lock_guard lock(mutex);
    body += bytes;
    changed.notify_all();
    return !isGone;
  }
  void end() override {
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }
  void onClose(std::function<void()> function) override { closed = std::move(function); }
  std::size_t pending() const override { return stuck; }
  void onDrained(std::function<void()> function) override { drained = std::move(function); }
  void note(std::string_view name, Note::Value) override {
    const std::lock_guard lock(mutex);
    notes.emplace_back(name);
  }

  bool waitForEnd() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return ended; });
  }
  bool waitForBytes(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return body.size() >= count; });
  }
  Json json() const { return Json::parse(body, nullptr, false); }
  std::vector<Json> events() const {
    std::vector<Json> events;
    for (std::size_t at = 0; (at = body.find("data: ", at)) != std::string::npos; ++at)
      events.push_back(Json::parse(body.substr(at + 6, body.find('\n', at) - at - 6), nullptr, false));
    return events;
  }

  int status = 0;
  std::string body;
  bool ended = false, isGone = false;
  std::atomic<std::size_t> stuck = 0;
  std::function<void()> closed, drained;
  std::vector<std::string> notes;

private:
  std::mutex mutex;
  std::condition_variable changed;
};

class AnswerTest : public CapiTest {
protected:
  void SetUp() override {
    CapiTest::SetUp();
    toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH), toy::kWideBatch);
    toy::addText(toy);
    toy::writeFile(path("wide"), toy::fileBytes(toy));
    api::Engine engine = open("wide");
    api::SchedulerOptions options;
    options.device = LLCUDA_DEVICE_HOST;
    options.queue = 2;
    auto scheduler = engine.createScheduler(options);
    ASSERT_TRUE(bool(scheduler)) << scheduler.error().message;
    service.emplace(std::move(engine), std::move(*scheduler), ServiceOptions{.model = "toy", .queue = options.queue});
    routes = apiRoutes([this]() -> Service& { return *service; });
  }

  std::shared_ptr<HeldReply> ask(std::string_view path, const Json& body, std::size_t stuck = 0) {
    auto reply = std::make_shared<HeldReply>();
    reply->stuck = stuck;
    Request request;
    request.body = body.dump();
    for (const Route& route : routes)
      if (route.path == path && route.method == "POST")
        route.handler(request, reply);
    return reply;
  }

  std::optional<Service> service;
  std::vector<Route> routes;
};

TEST_F(AnswerTest, AStreamHasThePiecesOfTheWhole) {
  const Json body = {{"prompt", "hello"}, {"temperature", 0}, {"n_predict", 8}};
  const auto whole = ask("/completion", body);
  ASSERT_TRUE(whole->waitForEnd());
  ASSERT_EQ(whole->status, 200) << whole->body;
  Json streamed = body;
  streamed["stream"] = true;
  const auto stream = ask("/completion", streamed);
  ASSERT_TRUE(stream->waitForEnd());
  std::string text;
  const std::vector<Json> events = stream->events();
  for (const Json& event : events) text += event["content"].get<std::string>();
  EXPECT_EQ(text, whole->json()["content"]);
  EXPECT_EQ(events.back()["stop"], true);
  EXPECT_THAT(stream->notes, testing::IsSupersetOf({"prompt", "generated", "stop"}));
}

// What waits for a slow reader is joined, so that it takes one event's room and not one for each token.
TEST_F(AnswerTest, ASlowReaderGetsJoinedEvents) {
  const Json body = {{"prompt", "hello"}, {"temperature", 0}, {"n_predict", 24}, {"stream", true}};
  const auto quick = ask("/completion", body);
  const auto slow = ask("/completion", body, Reply::kHighWater + 1);
  ASSERT_TRUE(quick->waitForEnd() && slow->waitForBytes(1));
  std::this_thread::sleep_for(100ms); // the request rests, or has ended with what waited
  slow->stuck = 0;
  slow->drained();
  ASSERT_TRUE(slow->waitForEnd());
  std::string quickText, slowText;
  for (const Json& event : quick->events()) quickText += event["content"].get<std::string>();
  for (const Json& event : slow->events()) slowText += event["content"].get<std::string>();
  EXPECT_EQ(quickText, slowText);
  EXPECT_LT(slow->events().size(), quick->events().size());
}

TEST_F(AnswerTest, AClientThatLeavesEndsItsRequest) {
  const auto reply = ask("/completion", {{"prompt", "hello"}, {"stream", true}, {"return_progress", true}});
  ASSERT_TRUE(reply->waitForBytes(1));
  reply->closed();
  for (int i = 0; i < 200 && !service->active().empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(service->active().empty());
}

TEST_F(AnswerTest, AFullQueueIs429WithATime) {
  std::vector<std::shared_ptr<HeldReply>> replies;
  int busy = 0;
  for (int i = 0; i < 40; ++i) replies.push_back(ask("/completion", {{"prompt", "hello"}, {"n_predict", 30}}));
  for (const auto& reply : replies) {
    ASSERT_TRUE(reply->waitForEnd());
    if (reply->status == 429)
      busy += reply->json()["error"]["type"] == "rate_limit_error";
    else
      EXPECT_EQ(reply->status, 200) << reply->body;
  }
  EXPECT_GT(busy, 0);
}

// The queue takes two. Lists of prompts, of inputs and of answers are worked off, in their order.
TEST_F(AnswerTest, LongListsNeedNoQueue) {
  const std::size_t count = 100;
  const Json list = std::vector<std::string>(count, "hello");
  const std::pair<std::string_view, Json> asked[] = {
      {"/v1/completions", {{"prompt", list}, {"max_tokens", 2}}},
      {"/v1/embeddings", {{"input", list}}},
      {"/v1/completions", {{"prompt", "hello"}, {"n", count}, {"max_tokens", 3}, {"seed", 5}}}};
  for (const auto& [path, body] : asked) {
    const auto reply = ask(path, body);
    ASSERT_TRUE(reply->waitForEnd());
    ASSERT_EQ(reply->status, 200) << reply->body;
    const Json answer = reply->json();
    const Json& parts = answer[body.contains("input") ? "data" : "choices"];
    ASSERT_EQ(parts.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(parts[i]["index"], i);
  }
}

// A list that finds the queue full waits for whoever leaves it, and its client may leave meanwhile.
TEST_F(AnswerTest, ListsWaitForRoom) {
  const Json list = std::vector<std::string>(60, "hello");
  std::vector<std::shared_ptr<HeldReply>> replies;
  for (int i = 0; i < 8; ++i)
    replies.push_back(ask("/v1/completions", {{"prompt", list}, {"max_tokens", 4}, {"stream", i % 2 == 0}}));
  replies[3]->closed();
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (i == 3) // its client is gone
      continue;
    ASSERT_TRUE(replies[i]->waitForEnd()) << i;
    EXPECT_TRUE(replies[i]->status == 200 || replies[i]->status == 429) << replies[i]->body;
  }
  for (int i = 0; i < 200 && !service->active().empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(service->active().empty());
}

TEST_F(AnswerTest, TooManyAnswersAreRefused) {
  const Json list = std::vector<std::string>(65, "hello");
  const auto reply = ask("/v1/completions", {{"prompt", list}, {"n", 128}});
  EXPECT_EQ(reply->status, 400);
  EXPECT_EQ(reply->json()["error"]["param"], "n");
}

TEST_F(AnswerTest, ErrorsAreAnsweredAtOnce) {
  const auto reply = ask("/v1/completions", {{"prompt", "hello"}, {"top_p", 5}});
  EXPECT_TRUE(reply->ended);
  EXPECT_EQ(reply->status, 400);
  EXPECT_EQ(reply->json()["error"]["param"], "top_p");
}

} // namespace
} // namespace llcuda::server
