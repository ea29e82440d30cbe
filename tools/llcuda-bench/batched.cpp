// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-bench/batched.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "tools/llcuda-bench/bench.h"
#include "tools/llcuda-bench/open_session.h"

namespace llcuda::bench {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Line {
  uint32_t prompt = 0, generate = 0, sequences = 0;
  double promptSeconds = 0, generateSeconds = 0;

  uint32_t positions() const { return prompt + generate; }
  double promptSpeed() const { return sequences * prompt / promptSeconds; }
  double generateSpeed() const { return sequences * generate / generateSeconds; }
  double speed() const { return sequences * positions() / (promptSeconds + generateSeconds); }
};

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Fills the cache of every slot, prompts of several in one run. All first tokens are waited for.
Result<double> promptAll(Session& session, const Line& line, std::span<const int32_t> tokens) {
  const SamplingParams greedy = {};
  const Clock::time_point start = Clock::now();
  for (const PromptRun& run : promptRuns(session.promptShapes(), std::vector(line.sequences, line.prompt))) {
    std::vector<PromptPart> parts;
    for (const PromptPiece& piece : run.pieces)
      parts.push_back({piece.prompt, piece.first, tokens.subspan(piece.first, piece.tokens),
                       piece.first + piece.tokens == line.prompt ? &greedy : nullptr});
    if (session.waiting() == OutputRing::kDepth)
      LLCUDA_RETURN_IF_ERROR(session.take());
    LLCUDA_RETURN_IF_ERROR(session.runPrompts(run.phase, parts, false));
  }
  LLCUDA_RETURN_IF_ERROR(session.synchronize());
  return secondsSince(start);
}

Result<double> decodeAll(Session& session, const Line& line) {
  std::vector<DecodeRow> rows;
  for (uint32_t slot = 0; slot < line.sequences; ++slot) rows.push_back({slot, 1, line.prompt, {}});
  const Clock::time_point start = Clock::now();
  LLCUDA_RETURN_IF_ERROR(session.decode(rows, line.generate));
  return secondsSince(start);
}

/// Once to warm up, once to measure.
Result<void> measure(Session& session, uint32_t vocabulary, Line& line) {
  const std::vector<int32_t> tokens = randomTokens(line.prompt, vocabulary);
  for (int round = 0; round < 2; ++round) {
    for (uint32_t slot = 0; slot < line.sequences; ++slot) session.truncate(slot, 0);
    LLCUDA_ASSIGN_OR_RETURN(line.promptSeconds, promptAll(session, line, tokens));
    LLCUDA_ASSIGN_OR_RETURN(line.generateSeconds, decodeAll(session, line));
  }
  for (uint32_t slot = 0; slot < line.sequences; ++slot) session.truncate(slot, 0);
  return {};
}

Result<std::vector<Line>> linesOf(const BatchedGrid& grid, const Engine& engine) {
  std::vector<Line> lines;
  for (const uint32_t prompt : grid.prompts)
    for (const uint32_t generate : grid.generates)
      for (const uint32_t sequences : grid.sequences) lines.push_back({prompt, generate, sequences, 0, 0});
  const fb::Engine& limits = engine.metadata();
  for (const Line& line : lines) {
    if (line.prompt == 0 || line.generate == 0 || line.sequences == 0)
      return usageError("--npp, --ntg and --npl are counts of at least 1");
    if (line.sequences > limits.max_batch())
      return usageError("--npl ", line.sequences, " is more than the engine's ", limits.max_batch(),
                        "; compile it with a larger --max-batch");
    if (line.prompt > limits.max_context() || line.generate > limits.max_context() - line.prompt)
      return usageError("--npp ", line.prompt, " and --ntg ", line.generate, " need more positions than the engine's ",
                        limits.max_context(), "; compile it with a larger -c");
  }
  return lines;
}

ordered_json lineJson(const Line& line) {
  return {{"pp", line.prompt},
          {"tg", line.generate},
          {"pl", line.sequences},
          {"n_kv", line.sequences * line.positions()},
          {"t_pp", line.promptSeconds},
          {"speed_pp", line.promptSpeed()},
          {"t_tg", line.generateSeconds},
          {"speed_tg", line.generateSpeed()},
          {"t", line.promptSeconds + line.generateSeconds},
          {"speed", line.speed()}};
}

std::string lineText(const Line& line) {
  char text[256];
  std::snprintf(text, sizeof(text), "| %u | %u | %u | %u | %.3f | %.2f | %.3f | %.2f | %.3f | %.2f |\n", line.prompt,
                line.generate, line.sequences, line.sequences * line.positions(), line.promptSeconds,
                line.promptSpeed(), line.generateSeconds, line.generateSpeed(),
                line.promptSeconds + line.generateSeconds, line.speed());
  return text;
}

std::string tableOf(const std::vector<Line>& lines, const std::string& format) {
  std::vector<ordered_json> objects;
  std::string text = "| PP | TG | B | N_KV | T_PP s | S_PP t/s | T_TG s | S_TG t/s | T s | S t/s |\n"
                     "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Line& line : lines) {
    objects.push_back(lineJson(line));
    text += lineText(line);
  }
  return format == "md" ? text : jsonText(objects, format);
}

} // namespace

Result<std::string> batchedTable(const std::string& path, Verify verify, const api::SessionOptions& options,
                                 const BatchedGrid& grid, const std::string& format) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path, verify));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  LLCUDA_ASSIGN_OR_RETURN(std::vector<Line> lines, linesOf(grid, *engine));
  uint32_t context = 1, slots = 1;
  for (const Line& line : lines) {
    context = std::max(context, line.positions());
    slots = std::max(slots, line.sequences);
  }
  LLCUDA_ASSIGN_OR_RETURN(const OpenedSession running,
                          openSession(engine, options, context, slots, grid.cacheBytes, false));
  for (const Line& line : lines)
    if (!holds(*engine, running.session->memoryPlan(), line.sequences, line.positions()))
      return outOfMemory("--npl ", line.sequences, " with --npp ", line.prompt, " and --ntg ", line.generate,
                         " needs more pages than the KV cache of ", running.session->memoryPlan().kv, " bytes has");
  for (Line& line : lines) LLCUDA_RETURN_IF_ERROR(measure(*running.session, engine->model().vocabulary(), line));
  return tableOf(lines, format);
}

} // namespace llcuda::bench
