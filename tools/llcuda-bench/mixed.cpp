// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-bench/mixed.h"

#include <algorithm>
#include <chrono>
#include <deque>

namespace llcuda::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kNone = UINT32_MAX;

class Mixed {
public:
  Mixed(Session& session, const std::vector<MixedRequest>& requests)
      : session(session), requests(requests), queued(requests.size()), slotOf(requests.size(), kNone) {
    result.tokens.resize(requests.size());
    for (uint32_t slot = session.memoryPlan().slots; slot-- > 0;) freeSlots.push_back(slot);
  }

  Result<MixedRun> run() {
    const Clock::time_point start = Clock::now();
    while (next < requests.size() || !rows.empty()) {
      LLCUDA_RETURN_IF_ERROR(admit());
      LLCUDA_RETURN_IF_ERROR(dismiss());
      if (rows.empty())
        continue;
      LLCUDA_RETURN_IF_ERROR(session.queueStep(false));
      ++result.steps;
      outputs.push_back(rows);
      for (const uint32_t request : rows) ++queued[request];
      LLCUDA_RETURN_IF_ERROR(readUpTo(1));
    }
    LLCUDA_RETURN_IF_ERROR(readUpTo(0));
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(result);
  }

private:
  /// Reads outputs until `left` of them are on their way.
  Result<void> readUpTo(uint32_t left) {
    while (outputs.size() > left) {
      LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
      const std::vector<uint32_t> owners = std::move(outputs.front());
      outputs.pop_front();
      for (std::size_t i = 0; i < owners.size(); ++i) {
        if (output.sampled[i] < 0)
          return badInput("request ", owners[i], ": the logits after its token ", result.tokens[owners[i]].size(),
                          " are no numbers");
        result.tokens[owners[i]].push_back(output.sampled[i]);
      }
    }
    return {};
  }

  /// Prompts of all that have come and have a slot; where nothing decodes, the next ones have.
  Result<void> admit() {
    const uint32_t first = next;
    while (next < requests.size() && !freeSlots.empty() &&
           (requests[next].step <= result.steps || (rows.empty() && next == first))) {
      slotOf[next++] = freeSlots.back();
      freeSlots.pop_back();
    }
    std::vector<uint32_t> lengths;
    for (uint32_t request = first; request < next; ++request)
      lengths.push_back(static_cast<uint32_t>(requests[request].prompt.size()));
    for (const PromptRun& run : promptRuns(session.promptShapes(), lengths))
      LLCUDA_RETURN_IF_ERROR(runPrompt(run, first));
    return {};
  }

  Result<void> runPrompt(const PromptRun& run, uint32_t first) {
    static constexpr SamplingParams kGreedy = {};
    std::vector<PromptPart> parts;
    std::vector<uint32_t> owners; // of the outputs
    for (const PromptPiece& piece : run.pieces) {
      const uint32_t request = first + piece.prompt;
      const std::vector<int32_t>& prompt = requests[request].prompt;
      const bool last = piece.first + piece.tokens == prompt.size();
      parts.push_back({slotOf[request], piece.first, std::span(prompt).subspan(piece.first, piece.tokens),
                       last ? &kGreedy : nullptr});
      if (last)
        owners.push_back(request);
    }
    LLCUDA_RETURN_IF_ERROR(readUpTo(OutputRing::kDepth - 1));
    LLCUDA_RETURN_IF_ERROR(session.runPrompts(run.phase, parts, false));
    ++result.promptRuns;
    for (uint32_t output = 0; output < owners.size(); ++output) {
      const uint32_t request = owners[output];
      const auto position = static_cast<uint32_t>(requests[request].prompt.size());
      LLCUDA_RETURN_IF_ERROR(
          session.joinOutput(static_cast<uint32_t>(rows.size()), output, {slotOf[request], 0, position, kGreedy}));
      rows.push_back(request);
      queued[request] = 1;
    }
    if (!owners.empty())
      outputs.push_back(std::move(owners));
    return {};
  }

  /// Sequences whose tokens are all queued leave.
  Result<void> dismiss() {
    for (uint32_t row = 0; row < rows.size();) {
      const uint32_t request = rows[row];
      if (queued[request] < requests[request].generate) {
        ++row;
        continue;
      }
      const auto last = static_cast<uint32_t>(rows.size() - 1);
      if (row == last) {
        LLCUDA_RETURN_IF_ERROR(session.leave(row));
      } else {
        LLCUDA_RETURN_IF_ERROR(session.move(last, row));
        ++result.moves;
      }
      rows[row] = rows[last];
      rows.pop_back();
      session.truncate(slotOf[request], 0);
      freeSlots.push_back(slotOf[request]);
    }
    return {};
  }

  Session& session;
  const std::vector<MixedRequest>& requests;
  MixedRun result;
  uint32_t next = 0;                         // the first request that has not begun
  std::vector<uint32_t> queued;              // tokens of each request, its prompt's included
  std::vector<uint32_t> slotOf, freeSlots;   // of each request; those that nobody has
  std::vector<uint32_t> rows;                // the request of each
  std::deque<std::vector<uint32_t>> outputs; // requests of those that were not read
};

std::string tableOf(const MixedRun& mixed, double aloneSeconds, uint32_t other, const std::string& format) {
  uint64_t tokens = 0;
  for (const std::vector<int32_t>& list : mixed.tokens) tokens += list.size();
  if (format == "md")
    return detail::concat("| requests | tokens | steps | prompt runs | moves | alone s | mixed s | other than alone |\n"
                          "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n| ",
                          mixed.tokens.size(), " | ", tokens, " | ", mixed.steps, " | ", mixed.promptRuns, " | ",
                          mixed.moves, " | ", aloneSeconds, " | ", mixed.seconds, " | ", other, " |\n");
  const std::string object =
      detail::concat("{\"requests\": ", mixed.tokens.size(), ", \"tokens\": ", tokens, ", \"steps\": ", mixed.steps,
                     ", \"prompt_runs\": ", mixed.promptRuns, ", \"moves\": ", mixed.moves,
                     ", \"t_alone\": ", aloneSeconds, ", \"t_mixed\": ", mixed.seconds, ", \"other\": ", other, "}");
  return format == "json" ? "[" + object + "]\n" : object + "\n";
}

} // namespace

Result<MixedRun> runMixed(Session& session, const std::vector<MixedRequest>& requests) {
  return Mixed(session, requests).run();
}

std::vector<MixedRequest> mixedRequests(uint32_t context, uint32_t vocabulary) {
  struct Length {
    uint32_t prompt, generate, step; // in units of tokens, but for generate; steps are those of the decode
  };
  constexpr Length kLengths[] = {{5, 20, 0}, {9, 12, 0}, {21, 30, 0}, {14, 6, 0}, {17, 10, 4}, {23, 15, 4}};
  const uint32_t unit = std::clamp(context / 64, 1u, 2u);
  std::vector<MixedRequest> requests;
  for (const Length& length : kLengths) {
    MixedRequest request;
    for (uint32_t i = 0; i < length.prompt * unit; ++i)
      request.prompt.push_back(static_cast<int32_t>((requests.size() * 131 + i * 17 + 3) % vocabulary));
    request.generate = length.generate;
    request.step = length.step;
    requests.push_back(std::move(request));
  }
  return requests;
}

Result<std::string> mixedTable(const std::string& path, const api::SessionOptions& options, const std::string& format) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  const uint32_t context = std::min(engine->metadata().max_context(), 256u);
  const std::vector<MixedRequest> requests = mixedRequests(context, engine->model().vocabulary());
  const auto slots = static_cast<uint32_t>(requests.size());
  if (engine->metadata().max_batch() < slots)
    return usageError("--mixed runs ", slots, " sequences, the engine takes ", engine->metadata().max_batch(),
                      " at a time; compile it with a larger --max-batch");
  if (context < 64)
    return usageError("--mixed needs a context of 64 positions, the engine has ", context);
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device,
                          openDevice(*engine, static_cast<DeviceChoice>(options.device), options.deviceIndex,
                                     [&](LogLevel, std::string_view line) { options.log(LLCUDA_LOG_WARNING, line); }));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo memory, device.context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(*engine, memoryPlan(*engine, context, slots), slots, memory.freeBytes, true));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, options.weightsFrom));
  LLCUDA_ASSIGN_OR_RETURN(const auto session,
                          Session::create(std::move(program), context, slots, {.graphs = options.graphs}));
  MixedRun mixed;
  double aloneSeconds = 0;
  uint32_t other = 0;
  for (int round = 0; round < 2; ++round) { // the first captures the graphs
    other = 0, aloneSeconds = 0;
    LLCUDA_ASSIGN_OR_RETURN(mixed, runMixed(*session, requests));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      LLCUDA_ASSIGN_OR_RETURN(const MixedRun alone, runMixed(*session, {requests[i]}));
      aloneSeconds += alone.seconds;
      for (std::size_t t = 0; t < alone.tokens[0].size(); ++t) other += alone.tokens[0][t] != mixed.tokens[i][t];
    }
  }
  return tableOf(mixed, aloneSeconds, other, format);
}

} // namespace llcuda::bench
