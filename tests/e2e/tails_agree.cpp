// SPDX-License-Identifier: Apache-2.0
// Log-probabilities that an engine's tails make against those of its logits, on hostsim:
//
//   tails_agree ENGINE SCORED
//
// What prompts and decode steps sample is reported within 1e-5 of what LogProbabilities finds in the same logits, with
// the same tokens as the most likely. What a prompt phase scores is within SCORED of it in the logits of prompts that
// end there, which other kernels make. Ends with 4 when they are not.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/exec/log_probabilities.h"
#include "runtime/exec/session.h"

namespace llcuda {
namespace {

const SamplingParams kGreedy = {};
const std::atomic<bool> kNotCancelled = false;

class Tails {
public:
  Tails(Session& session, uint32_t vocabulary) : session(session), vocabulary(vocabulary) {}

  /// A prompt and steps behind it, of as many rows as the session decodes, each of another sequence.
  Result<void> compareReports(uint32_t slots, uint32_t steps) {
    const StepReads both(true, true);
    for (uint32_t slot = 0; slot < slots; ++slot) {
      const std::vector<int32_t> tokens = tokensFrom(7 + slot, 3 + 2 * slot);
      LLCUDA_RETURN_IF_ERROR(session.prompt(slot, 0, tokens, &kGreedy, both, kNotCancelled));
      LLCUDA_RETURN_IF_ERROR(session.joinOutput(slot, 0, {slot, 0, static_cast<uint32_t>(tokens.size()), kGreedy}));
      LLCUDA_RETURN_IF_ERROR(compareOutput());
    }
    for (uint32_t step = 0; step < steps; ++step) {
      LLCUDA_RETURN_IF_ERROR(session.queueStep(both));
      LLCUDA_RETURN_IF_ERROR(compareOutput());
    }
    LLCUDA_RETURN_IF_ERROR(session.startDecode({}));
    for (uint32_t slot = 0; slot < slots; ++slot) session.truncate(slot, 0);
    return {};
  }

  /// Every row of a run of a prompt phase.
  Result<void> compareScores(uint32_t phase) {
    const std::vector<int32_t> tokens = tokensFrom(31, std::min(session.promptShapes()[phase].rows, 70u));
    std::vector<int32_t> wanted(tokens.begin() + 1, tokens.end());
    wanted.push_back(tokens[0]);
    PromptPart part = {0, 0, tokens};
    part.scored = wanted;
    LLCUDA_RETURN_IF_ERROR(session.runPrompts(phase, {&part, 1}, {}));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    const std::vector<TokenScore> scores(output.promptScores.begin(), output.promptScores.end());
    if (scores.size() != tokens.size())
      return internalError(scores.size(), " scores for ", tokens.size(), " tokens");
    for (uint32_t row = 0; row < tokens.size(); row += row < 8 || row + 9 > tokens.size() ? 1 : 7) {
      session.truncate(0, 0);
      const PromptPart alone = {0, 0, std::span(tokens).first(row + 1), &kGreedy};
      LLCUDA_RETURN_IF_ERROR(session.runPrompts(phase, {&alone, 1}, true));
      LLCUDA_ASSIGN_OR_RETURN(const StepOutput expected, session.take());
      LLCUDA_RETURN_IF_ERROR(compare(scores[row], wanted[row], expected.logits, largestScored));
      ++scored;
    }
    session.truncate(0, 0);
    return {};
  }

  uint32_t reported = 0, scored = 0;
  uint32_t otherTokens = 0, reportedOthers = 0; ///< among the most likely; the second of what was reported
  float largestReported = 0, largestScored = 0;

private:
  std::vector<int32_t> tokensFrom(uint32_t seed, uint32_t count) const {
    std::vector<int32_t> tokens(count);
    for (uint32_t i = 0; i < count; ++i) tokens[i] = static_cast<int32_t>((seed * 131 + i * 17 + 3) % vocabulary);
    return tokens;
  }

  Result<void> compareOutput() {
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    for (std::size_t row = 0; row < output.sampled.size(); ++row) {
      const auto logits = output.logits.subspan(row * vocabulary, vocabulary);
      const uint32_t others = otherTokens;
      LLCUDA_RETURN_IF_ERROR(compare(output.scores[row], output.sampled[row], logits, largestReported));
      reportedOthers += otherTokens - others;
      ++reported;
    }
    return {};
  }

  Result<void> compare(const TokenScore& score, int32_t token, std::span<const float> logits, float& largest) {
    LLCUDA_ASSIGN_OR_RETURN(const ScoredToken made, ScoredToken::of(score, kTopTokens));
    LLCUDA_ASSIGN_OR_RETURN(const LogProbabilities probabilities, LogProbabilities::of(logits));
    const std::vector<Candidate> top = probabilities.top(kTopTokens);
    if (score.token != token || made.top.size() != top.size())
      return internalError("token ", score.token, " with ", made.top.size(), " candidates, not ", token, " with ",
                           top.size());
    widen(largest, made.logProbability - probabilities[token]);
    for (std::size_t rank = 0; rank < top.size(); ++rank) {
      widen(largest, made.top[rank].logProbability - top[rank].logProbability);
      otherTokens += made.top[rank].token != top[rank].token;
      if (made.top[rank].token == token && made.top[rank].logProbability != made.logProbability)
        return internalError("token ", token, " has two log-probabilities");
    }
    return {};
  }

  static void widen(float& largest, float difference) {
    largest = std::abs(difference) <= largest ? largest : std::abs(difference); // a NaN stays
  }

  Session& session;
  const uint32_t vocabulary;
};

Result<void> run(const std::string& path, float tolerance) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, ""));
  const uint32_t slots = engine->metadata().max_batch();
  LLCUDA_ASSIGN_OR_RETURN(const auto session,
                          Session::create(std::move(program), engine->metadata().max_context(), slots));
  Tails tails(*session, engine->model().vocabulary());
  LLCUDA_RETURN_IF_ERROR(tails.compareReports(slots, 6));
  for (uint32_t phase = 0; phase < session->promptShapes().size(); ++phase)
    LLCUDA_RETURN_IF_ERROR(tails.compareScores(phase));
  std::printf("%u reported tokens differ by at most %g, %u others among the most likely; %u scored ones by %g\n",
              tails.reported, static_cast<double>(tails.largestReported), tails.reportedOthers, tails.scored,
              static_cast<double>(tails.largestScored));
  if (!(tails.largestReported <= 1e-5f) || tails.reportedOthers != 0 || !(tails.largestScored <= tolerance))
    return makeError(ErrorCode::kSelfCheckFailed, "tails give other log-probabilities than logits");
  return {};
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: tails_agree ENGINE SCORED\n");
    return 1;
  }
  const auto result = llcuda::run(argv[1], std::strtof(argv[2], nullptr));
  if (result)
    return 0;
  std::fprintf(stderr, "tails_agree: %s\n", result.error().message.c_str());
  return static_cast<int>(result.error().code);
}
