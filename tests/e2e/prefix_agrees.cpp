// SPDX-License-Identifier: Apache-2.0
// Requests that share a prefix, together, against the same requests alone without a cache, on hostsim:
//
//   prefix_agrees ENGINE TRUNK [CACHE_BYTES [apart]]
//
// Four prompts begin with the same TRUNK tokens and go on in their own ways. They are asked one by one without a cache
// of prefixes; at once, and the first of them again; and at once, twice, with CACHE_BYTES of keys and values on the
// device, where some have to make room. Ends with 4 when a token is another, when the trunk is computed twice, or when
// pages are lost. With `apart`, of models that share no prefix, when any token was not computed.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "llcuda/llcuda.hpp"

namespace {

using namespace llcuda;

constexpr uint32_t kBranches = 4, kPageTokens = 64;
constexpr int32_t kAnswer = 8, kLongAnswer = 80; // the second of two pages, so that rows run out of them
constexpr const char* kEndings[kBranches] = {" The first of them said that", " It was a cold morning, and",
                                             " Two plus two makes", " My favourite animal is"};

[[noreturn]] void stop(int code, const std::string& what) {
  std::fprintf(stderr, "prefix_agrees: %s\n", what.c_str());
  std::exit(code);
}

template <typename T>
T valueOf(api::Expected<T> expected) {
  if (!expected)
    stop(expected.error().status, expected.error().message);
  return std::move(*expected);
}

/// Tokens of a text; of an engine that reads none, tokens that a hash of it names.
std::vector<int32_t> tokensOf(const api::Engine& engine, const std::string& text) {
  if (auto tokens = engine.tokenize(text, 0))
    return std::move(*tokens);
  std::vector<int32_t> tokens;
  uint32_t hash = 1;
  for (const char letter : text) {
    hash = hash * 31 + static_cast<unsigned char>(letter);
    tokens.push_back(static_cast<int32_t>((hash >> 8) % engine.info().vocabulary));
  }
  return tokens;
}

std::vector<api::Request> branches(const api::Engine& engine, uint32_t trunk, int32_t answer) {
  std::string text;
  for (int i = 0; text.size() < 8 * trunk + 64; ++i)
    text += "Stone number " + std::to_string(i) + " lies beside the river, and nobody has moved it since.\n";
  std::vector<int32_t> beginning = tokensOf(engine, text);
  if (beginning.size() < trunk)
    stop(1, "the text has only " + std::to_string(beginning.size()) + " tokens");
  beginning.resize(trunk);
  std::vector<api::Request> requests(kBranches);
  for (uint32_t i = 0; i < kBranches; ++i) {
    requests[i].tokens = beginning;
    const std::vector<int32_t> ending = tokensOf(engine, kEndings[i]);
    for (std::size_t t = 0; t < ending.size() || requests[i].tokens.size() % kPageTokens != kPageTokens - 4; ++t)
      requests[i].tokens.push_back(ending[t % ending.size()]); // its answer begins a page
    requests[i].maxTokens = answer;
    requests[i].ignoreStop = true;
    requests[i].sampler.emplace().temperature = 0;
  }
  return requests;
}

/// Submits requests at once; the tokens of each.
std::vector<std::vector<int32_t>> ask(api::Scheduler& scheduler, const std::vector<api::Request>& requests) {
  std::map<uint64_t, std::size_t> numbers;
  for (std::size_t i = 0; i < requests.size(); ++i) numbers[valueOf(scheduler.submit(requests[i]))] = i;
  std::vector<std::vector<int32_t>> answers(requests.size());
  for (std::size_t ended = 0; ended < requests.size();)
    for (const llcuda_event& event : scheduler.poll(16, -1)) {
      if (event.kind == LLCUDA_EVENT_FAILED)
        stop(event.status, event.message);
      if (event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0)
        answers[numbers[event.request]].push_back(event.token);
      ended += event.kind == LLCUDA_EVENT_DONE;
    }
  return answers;
}

struct Difference {
  uint32_t tokens = 0, other = 0;
  void add(const std::vector<std::vector<int32_t>>& expected, const std::vector<std::vector<int32_t>>& got) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      for (std::size_t t = 0; t < expected[i].size(); ++t, ++tokens)
        other += t >= got[i].size() || got[i][t] != expected[i][t];
  }
};

api::SchedulerOptions optionsFor(uint64_t cacheBytes, bool prefixCache) {
  api::SchedulerOptions options;
  options.device = LLCUDA_DEVICE_HOST;
  options.cacheBytes = cacheBytes;
  options.prefixCache = prefixCache;
  return options;
}

void expectPages(api::Scheduler& scheduler) {
  (void)scheduler.drain(-1);
  const llcuda_scheduler_stats stats = scheduler.stats();
  if (stats.free_pages + stats.cached_pages != stats.pages)
    stop(4, std::to_string(stats.pages - stats.free_pages - stats.cached_pages) + " pages are lost");
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5 || (argc == 5 && std::string(argv[4]) != "apart"))
    stop(1, "usage: prefix_agrees ENGINE TRUNK [CACHE_BYTES [apart]]");
  const auto trunk = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  api::Engine engine = valueOf(api::Engine::open(argv[1]));
  const std::vector<api::Request> requests = branches(engine, trunk, argc == 5 ? kLongAnswer : kAnswer);
  std::vector<std::vector<int32_t>> alone;
  {
    api::Scheduler plain = valueOf(engine.createScheduler(optionsFor(UINT64_MAX, false)));
    for (const api::Request& request : requests) alone.push_back(ask(plain, {request})[0]);
    if (plain.stats().cached_tokens != 0)
      stop(4, "a scheduler without a cache found tokens in it");
  }
  Difference difference;
  api::Scheduler shared = valueOf(engine.createScheduler(optionsFor(UINT64_MAX, true)));
  difference.add(alone, ask(shared, requests));
  const uint64_t cold = shared.stats().prompt_tokens;
  difference.add({alone[0]}, ask(shared, {requests[0]}));
  const uint64_t again = shared.stats().prompt_tokens - cold;
  expectPages(shared);

  uint64_t all = 0, rests = 0;
  for (const api::Request& request : requests) {
    all += request.tokens.size();
    rests += request.tokens.size() - trunk / kPageTokens * kPageTokens;
  }
  std::printf("%u branches of %u tokens: %llu of %llu prompt tokens computed, again %llu of %zu\n", kBranches, trunk,
              static_cast<unsigned long long>(cold), static_cast<unsigned long long>(all),
              static_cast<unsigned long long>(again), requests[0].tokens.size());
  if (argc >= 4) {
    api::Scheduler tight = valueOf(engine.createScheduler(optionsFor(std::strtoull(argv[3], nullptr, 10), true)));
    for (int round = 0; round < 2; ++round) difference.add(alone, ask(tight, requests));
    const llcuda_scheduler_stats stats = tight.stats();
    if (argc == 5 && stats.cached_tokens + shared.stats().cached_tokens != 0)
      stop(4, "a model that shares no prefix has cached tokens");
    expectPages(tight);
    std::printf("in %u pages: %llu pauses, %u pages in host memory\n", stats.pages,
                static_cast<unsigned long long>(stats.pauses), stats.host_pages);
  }
  std::printf("%u tokens: %u other than alone\n", difference.tokens, difference.other);
  if (argc != 5 && cold > trunk / kPageTokens * kPageTokens + rests)
    stop(4, "the trunk was computed more than once");
  return difference.other == 0 ? 0 : 4;
}
