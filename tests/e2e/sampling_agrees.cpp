// SPDX-License-Identifier: Apache-2.0
// Every stage of the sampler through the library, on hostsim:
//
//   sampling_agrees ENGINE
//
// Each token that a session draws is the one at which the formulas in double, over the log-probabilities that it
// reports, reach the noise of its position. A scheduler that runs all chains at once, and has pages for half of them,
// gives the same tokens. 2,000 draws of requests with other seeds follow the distribution. Ends with 4 when they do
// not.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "codegen/kernels/sample/philox.cuh"
#include "codegen/reference/sampling.h"
#include "llcuda/llcuda.hpp"

namespace llcuda {
namespace {

constexpr uint64_t kSeed = 1234567;
constexpr int kTokens = 80; ///< of a sequence: more than a page

/// A sampler of the interface, and the same as the formulas have it.
struct Case {
  const char* name;
  std::function<void(api::Sampler&)> set;
  std::vector<SamplerStage> stages;
};

SamplerStage stage(SamplerOp op, float a = 0, float b = 0, uint32_t n = 0) {
  return {op, a, b, n};
}

const Case kCases[] = {
    {"plain draw", [](auto&) {}, {}},
    {"top_k", [](auto& s) { s.topK = 7; }, {stage(SamplerOp::kTopK, 0, 0, 7)}},
    {"top_p", [](auto& s) { s.topP = 0.7f; }, {stage(SamplerOp::kTopP, 0.7f)}},
    {"min_p", [](auto& s) { s.minP = 0.3f; }, {stage(SamplerOp::kMinP, 0.3f)}},
    {"typical_p", [](auto& s) { s.typicalP = 0.5f; }, {stage(SamplerOp::kTypical, 0.5f)}},
    {"top_n_sigma", [](auto& s) { s.topNSigma = 1.5f; }, {stage(SamplerOp::kTopNSigma, 1.5f)}},
    {"xtc", [](auto& s) { s.xtcProbability = 0.5f, s.xtcThreshold = 0.02f; }, {stage(SamplerOp::kXtc, 0.5f, 0.02f)}},
    {"temperature", [](auto& s) { s.temperature = 0.6f; }, {stage(SamplerOp::kTemperature, 0.6f)}},
    {"dynamic temperature",
     [](auto& s) { s.temperature = 1, s.dynatempRange = 0.5f, s.dynatempExponent = 1.3f; },
     {stage(SamplerOp::kTemperature, 1, 0.5f)}},
    {"penalties",
     [](auto& s) { s.repeatLastN = 20, s.frequencyPenalty = 0.7f, s.presencePenalty = 0.4f; },
     {stage(SamplerOp::kPenalties)}},
    {"dry",
     [](auto& s) { s.topK = 3, s.dryMultiplier = 1.2f, s.dryAllowedLength = 1, s.dryPenaltyLastN = -1; },
     {stage(SamplerOp::kDry), stage(SamplerOp::kTopK, 0, 0, 3)}},
    {"adaptive_p", [](auto& s) { s.stages = "a", s.adaptiveTarget = 0.1f; }, {stage(SamplerOp::kAdaptive, 0.1f, 0.9f)}},
    {"mirostat 1", [](auto& s) { s.mirostat = 1, s.mirostatTau = 3; }, {stage(SamplerOp::kMirostat1, 3, 0.1f)}},
    {"mirostat 2", [](auto& s) { s.mirostat = 2, s.mirostatTau = 3; }, {stage(SamplerOp::kMirostat2, 3, 0.1f)}},
    {"another order, one stage twice",
     [](auto& s) { s.stages = "tpek", s.topP = 0.9f, s.temperature = 1.5f, s.topK = 9, s.presencePenalty = 0.5f; },
     {stage(SamplerOp::kTemperature, 1.5f), stage(SamplerOp::kTopP, 0.9f), stage(SamplerOp::kPenalties),
      stage(SamplerOp::kTopK, 0, 0, 9)}},
    {"greedy with penalties",
     [](auto& s) { s.temperature = 0, s.presencePenalty = 1; },
     {stage(SamplerOp::kPenalties), stage(SamplerOp::kTemperature, 0)}},
};

/// All stages off, but what a case sets.
api::Sampler samplerOf(const Case& test) {
  api::Sampler sampler;
  sampler.temperature = 1;
  sampler.topK = 0;
  sampler.topP = 1;
  sampler.minP = 0;
  sampler.drySequenceBreakers.clear();
  sampler.seed = kSeed;
  sampler.logitBias = {{3, -INFINITY}, {4, 1.f}};
  test.set(sampler);
  return sampler;
}

SamplerProgram programOf(const Case& test) {
  const api::Sampler sampler = samplerOf(test);
  SamplerProgram program = {};
  program.stageCount = static_cast<uint32_t>(test.stages.size());
  std::ranges::copy(test.stages, program.stages);
  program.repeat = 1;
  program.frequency = sampler.frequencyPenalty;
  program.presence = sampler.presencePenalty;
  program.penaltyTokens = static_cast<uint32_t>(sampler.repeatLastN);
  program.dryMultiplier = sampler.dryMultiplier;
  program.dryLog2Base = static_cast<float>(std::log2(1.75));
  program.dryMaxExponent = 158;
  program.dryAllowed = static_cast<uint32_t>(sampler.dryAllowedLength);
  program.dryTokens = kAllTokens;
  program.dynatempExponent = sampler.dynatempExponent;
  return program;
}

double noiseAt(uint64_t position, uint32_t of) {
  return static_cast<double>(philox(kSeed, position, of)) * 0x1p-64;
}

/// The formulas, token by token.
class Expectation {
public:
  Expectation(const Case& test, std::vector<int> prompt) : program(programOf(test)) {
    input.tokens = std::move(prompt);
    input.biases = {{3, -INFINITY}, {4, 1.f}};
    if (test.stages.empty())
      return;
    const SamplerStage& last = test.stages.back();
    if (last.op == SamplerOp::kAdaptive)
      input.state[0] = last.a / (1. - last.b), input.state[1] = 1 / (1. - last.b);
    if (last.op >= SamplerOp::kMirostat1)
      input.state[0] = 2 * last.a;
  }

  /// Whether `token` is what the logits and the noise say; near ties count as right.
  bool accepts(const std::vector<float>& logits, int token) {
    const uint64_t position = input.tokens.size() - 1;
    input.logits = logits;
    input.xtcDraw = noiseAt(position, 1);
    const reference::Candidates left = reference::samplingCandidates(input, program);
    reference::Candidates order = left;
    std::ranges::stable_sort(
        order, [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; });
    const double drawn = noiseAt(position, 0);
    double sum = 0;
    bool isRight = false;
    for (const reference::Candidate& c : order) {
      const double before = std::exchange(sum, sum + c.probability);
      if (c.id == token)
        isRight = before < drawn + 1e-4 && drawn < sum + 1e-4;
    }
    learn(left, token);
    input.tokens.push_back(token);
    return isRight;
  }

private:
  void learn(const reference::Candidates& left, int token) {
    const SamplerStage last = program.stageCount == 0 ? SamplerStage{} : program.stages[program.stageCount - 1];
    if (program.stageCount == 0 || last.op < SamplerOp::kAdaptive)
      return;
    SamplerProgram before = program;
    before.stageCount -= last.op == SamplerOp::kAdaptive;
    for (const reference::Candidate& c :
         last.op == SamplerOp::kAdaptive ? reference::samplingCandidates(input, before) : left) {
      if (c.id != token)
        continue;
      if (last.op == SamplerOp::kAdaptive) {
        input.state[0] = c.probability + last.b * input.state[0];
        input.state[1] = 1 + last.b * input.state[1];
      } else {
        input.state[0] -= last.b * (-std::log2(c.probability) - last.a);
      }
    }
  }

  SamplerProgram program;
  reference::SamplerInput input;
};

const std::vector<int32_t> kPrompt = {5, 9, 5, 9, 40, 7};

class Agreement {
public:
  explicit Agreement(api::Engine& engine) : engine(engine), vocabulary(engine.info().vocabulary) {}

  bool run() {
    for (const Case& test : kCases)
      if (!runAlone(test))
        return false;
    return runTogether() && runDraws();
  }

private:
  bool fail(const char* name, const std::string& what) const {
    std::fprintf(stderr, "sampling_agrees: %s: %s\n", name, what.c_str());
    return false;
  }

  bool runAlone(const Case& test) {
    api::SessionOptions where;
    where.device = LLCUDA_DEVICE_HOST;
    auto session = engine.createSession(where);
    if (!session)
      return fail(test.name, session.error().message);
    Expectation expectation(test, kPrompt);
    api::GenerateOptions options;
    options.maxTokens = kTokens;
    options.ignoreStop = true;
    options.logprobs = vocabulary;
    options.sampler = samplerOf(test);
    int wrong = 0;
    std::vector<int32_t>& tokens = alone[test.name];
    options.callback = [&](const llcuda_step& step) {
      std::vector<float> logits(vocabulary);
      for (uint32_t i = 0; i < step.top_count; ++i)
        logits[static_cast<size_t>(step.top[i].token)] = step.top[i].log_probability;
      wrong += !expectation.accepts(logits, step.token);
      tokens.push_back(step.token);
      return true;
    };
    const api::Generated generated = session->generate(kPrompt, options);
    if (!generated)
      return fail(test.name, generated.error->message);
    std::printf("%s: %d tokens, %d of them not by the formula\n", test.name, static_cast<int>(tokens.size()), wrong);
    return wrong == 0;
  }

  bool runTogether() {
    api::SchedulerOptions options;
    options.device = LLCUDA_DEVICE_HOST;
    options.cacheBytes = cacheBytes();
    auto scheduler = engine.createScheduler(options);
    if (!scheduler)
      return fail("scheduler", scheduler.error().message);
    std::map<uint64_t, const char*> names;
    for (const Case& test : kCases) {
      api::Request request;
      request.tokens = kPrompt;
      request.maxTokens = kTokens;
      request.ignoreStop = true;
      request.sampler = samplerOf(test);
      const auto number = scheduler->submit(request);
      if (!number)
        return fail(test.name, number.error().message);
      names[*number] = test.name;
    }
    std::map<std::string, std::vector<int32_t>> together;
    uint64_t pauses = 0;
    for (size_t ended = 0; ended < names.size();)
      for (const llcuda_event& event : scheduler->poll(64, -1)) {
        if (event.kind == LLCUDA_EVENT_FAILED)
          return fail(names[event.request], event.message);
        if (event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0)
          together[names[event.request]].push_back(event.token);
        ended += event.kind == LLCUDA_EVENT_DONE;
        pauses += event.pauses;
      }
    for (const auto& [name, tokens] : alone)
      if (together[name] != tokens)
        return fail(name.c_str(), "has other tokens beside others");
    std::printf("%zu chains at once give the same tokens, %s pauses\n", names.size(), pauses == 0 ? "without" : "with");
    return true;
  }

  /// Pages of two sequences and a half, so that requests have to make room for one another.
  uint64_t cacheBytes() {
    api::SessionOptions where;
    where.device = LLCUDA_DEVICE_HOST;
    where.context = 128;
    const auto session = engine.createSession(where);
    return session ? session->info().kv_bytes * 5 / 2 : 0;
  }

  bool runDraws() {
    constexpr int kDraws = 2000;
    api::SchedulerOptions options;
    options.device = LLCUDA_DEVICE_HOST;
    options.queue = kDraws;
    auto scheduler = engine.createScheduler(options);
    if (!scheduler)
      return fail("draws", scheduler.error().message);
    const Case& test = kCases[1]; // of few tokens
    for (int i = 0; i < kDraws; ++i) {
      api::Request request;
      request.tokens = kPrompt;
      request.maxTokens = 1;
      request.sampler = samplerOf(test);
      request.sampler->seed = static_cast<uint64_t>(i);
      request.logprobs = i == 0 ? static_cast<int32_t>(vocabulary) : -1;
      if (const auto number = scheduler->submit(request); !number)
        return fail("draws", number.error().message);
    }
    std::map<int, int> counts;
    reference::SamplerInput input;
    input.biases = {{3, -INFINITY}, {4, 1.f}};
    input.logits.resize(vocabulary);
    for (int ended = 0; ended < kDraws;)
      for (const llcuda_event& event : scheduler->poll(256, -1)) {
        if (event.kind == LLCUDA_EVENT_FAILED)
          return fail("draws", event.message);
        if (event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0)
          ++counts[event.token];
        for (uint32_t i = 0; i < event.top_count; ++i)
          input.logits[static_cast<size_t>(event.top[i].token)] = event.top[i].log_probability;
        ended += event.kind == LLCUDA_EVENT_DONE;
      }
    const reference::Candidates left = reference::samplingCandidates(input, programOf(test));
    double chiSquare = 0;
    for (const reference::Candidate& c : left) {
      const double expected = c.probability * kDraws;
      chiSquare += (counts[c.id] - expected) * (counts[c.id] - expected) / expected;
    }
    const double freedom = static_cast<double>(left.size()) - 1;
    std::printf("%d draws: chi-square %.1f of %.0f\n", kDraws, chiSquare, freedom);
    return counts.size() <= left.size() && chiSquare < freedom + 4 * std::sqrt(2 * freedom);
  }

  api::Engine& engine;
  const uint32_t vocabulary;
  std::map<std::string, std::vector<int32_t>> alone; // by name of the case
};

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: sampling_agrees ENGINE\n");
    return LLCUDA_USAGE;
  }
  auto engine = llcuda::api::Engine::open(argv[1]);
  if (!engine) {
    std::fprintf(stderr, "sampling_agrees: %s\n", engine.error().message.c_str());
    return engine.error().status;
  }
  return llcuda::Agreement(*engine).run() ? LLCUDA_OK : LLCUDA_SELF_CHECK_FAILED;
}
