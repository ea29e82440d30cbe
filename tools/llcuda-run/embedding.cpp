// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/embedding.h"

#include <cstdio>
#include <iostream>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/llcuda-run/fail.h"

namespace llcuda::run {
namespace {

using nlohmann::ordered_json;

void print(std::span<const float> values, std::size_t tokens, bool json) {
  if (json) {
    const std::vector<float> list(values.begin(), values.end());
    const ordered_json one = {{"object", "embedding"}, {"index", 0}, {"embedding", list}};
    const ordered_json usage = {{"prompt_tokens", tokens}, {"total_tokens", tokens}};
    std::cout << ordered_json{{"object", "list"}, {"data", ordered_json::array({one})}, {"usage", usage}}.dump()
              << '\n';
    return;
  }
  std::cout << "embedding 0:";
  for (const float value : values) {
    char text[32];
    std::snprintf(text, sizeof(text), " %9.6f", static_cast<double>(value));
    std::cout << text;
  }
  std::cout << '\n';
}

} // namespace

int printEmbedding(api::Engine& engine, const Options& options, std::vector<int32_t> tokens) {
  auto scheduler = engine.createScheduler(schedulerOptions(options, 1));
  if (!scheduler)
    return fail(scheduler.error());
  api::Request request;
  request.tokens = std::move(tokens);
  request.task = LLCUDA_TASK_EMBED;
  request.pooling = options.pooling;
  if (const auto number = scheduler->submit(request); !number)
    return fail(number.error());
  for (;;)
    for (const llcuda_event& event : scheduler->poll(1, -1)) {
      if (event.kind == LLCUDA_EVENT_EMBEDDING)
        print({event.values, event.value_count}, request.tokens.size(), options.json);
      if (event.kind == LLCUDA_EVENT_FAILED)
        return fail({static_cast<llcuda_status>(event.status), event.message});
      if (event.kind == LLCUDA_EVENT_DONE) {
        std::cout.flush();
        return std::cout.good() ? LLCUDA_OK : fail(internalError("standard output cannot be written"));
      }
    }
}

} // namespace llcuda::run
