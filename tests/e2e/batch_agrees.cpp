// SPDX-License-Identifier: Apache-2.0
// Sequences decoded together against the same decoded alone, on hostsim:
//
//   batch_agrees ENGINE SEQUENCES TOLERANCE
//
// Each sequence has a prompt of its own length and tokens. Both ways read the same tokens, those that a sequence alone
// samples. Prints the largest difference of a logit and ends with 4 when it is above TOLERANCE.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/exec/session.h"

namespace llcuda {
namespace {

constexpr uint32_t kSteps = 4;
const SamplingParams kGreedy = {};

std::vector<int32_t> promptOf(uint32_t sequence, uint32_t vocabulary) {
  std::vector<int32_t> tokens(3 + sequence % 7);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<int32_t>((sequence * 131 + i * 17 + 3) % vocabulary);
  return tokens;
}

/// Tokens and logits of every step of one sequence.
struct Answer {
  std::vector<int32_t> tokens;
  std::vector<std::vector<float>> logits;
};

Result<Answer> answerAlone(Session& session, const std::vector<int32_t>& prompt) {
  const std::atomic<bool> cancelled = false;
  Answer answer;
  session.truncate(0, 0);
  LLCUDA_RETURN_IF_ERROR(session.prompt(0, 0, prompt, &kGreedy, false, cancelled));
  LLCUDA_ASSIGN_OR_RETURN(const StepOutput first, session.take());
  answer.tokens.push_back(first.sampled[0]);
  LLCUDA_RETURN_IF_ERROR(session.startDecode(
      std::vector<DecodeRow>{{0, first.sampled[0], static_cast<uint32_t>(prompt.size()), kGreedy}}));
  for (uint32_t step = 0; step < kSteps; ++step) {
    LLCUDA_RETURN_IF_ERROR(session.queueStep(true));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    answer.tokens.push_back(output.sampled[0]);
    answer.logits.emplace_back(output.logits.begin(), output.logits.end());
  }
  return answer;
}

Result<float> largestDifference(Session& session, uint32_t sequences, uint32_t vocabulary) {
  std::vector<Answer> alone;
  for (uint32_t i = 0; i < sequences; ++i) {
    LLCUDA_ASSIGN_OR_RETURN(Answer answer, answerAlone(session, promptOf(i, vocabulary)));
    alone.push_back(std::move(answer));
  }
  const std::atomic<bool> cancelled = false;
  std::vector<DecodeRow> rows;
  for (uint32_t i = 0; i < sequences; ++i) {
    const std::vector<int32_t> prompt = promptOf(i, vocabulary);
    session.truncate(i, 0);
    LLCUDA_RETURN_IF_ERROR(session.prompt(i, 0, prompt, nullptr, false, cancelled));
    rows.push_back({i, alone[i].tokens[0], static_cast<uint32_t>(prompt.size()), kGreedy});
  }
  float largest = 0;
  LLCUDA_RETURN_IF_ERROR(session.startDecode(rows));
  for (uint32_t step = 0; step < kSteps; ++step) {
    std::vector<int32_t> tokens;
    for (const Answer& answer : alone) tokens.push_back(answer.tokens[step]);
    LLCUDA_RETURN_IF_ERROR(session.replaceTokens(tokens));
    LLCUDA_RETURN_IF_ERROR(session.queueStep(true));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    for (uint32_t i = 0; i < sequences; ++i)
      for (uint32_t v = 0; v < vocabulary; ++v) {
        const float difference = std::abs(output.logits[size_t{i} * vocabulary + v] - alone[i].logits[step][v]);
        largest = difference <= largest ? largest : difference; // a NaN stays
      }
  }
  return largest;
}

Result<float> run(const std::string& path, uint32_t sequences) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  const auto log = [](LogLevel, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, log));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, ""));
  LLCUDA_ASSIGN_OR_RETURN(const auto session,
                          Session::create(std::move(program), engine->metadata().max_context(), sequences));
  return largestDifference(*session, sequences, engine->model().vocabulary());
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: batch_agrees ENGINE SEQUENCES TOLERANCE\n");
    return 1;
  }
  const auto largest = llcuda::run(argv[1], static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)));
  if (!largest) {
    std::fprintf(stderr, "batch_agrees: %s\n", largest.error().message.c_str());
    return static_cast<int>(largest.error().code);
  }
  std::printf("%s sequences: logits differ by at most %g\n", argv[2], static_cast<double>(*largest));
  return *largest <= std::strtof(argv[3], nullptr) ? 0 : 4;
}
