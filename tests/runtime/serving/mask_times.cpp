// SPDX-License-Identifier: Apache-2.0
// How long masks take, and what steps of a fixed length lose to them: mask_times TOKENIZER.json STOP_ID [SCHEMA.json].
// Answers are random tokens that the masks allow; one in five is a quote where it may be, so that strings end. Each
// step is a trunk of 9 tenths and a tail; masks of the next step are begun when a step ends and are late a trunk later,
// as in EngineLoop.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "runtime/serving/mask_workers.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::serving {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;
constexpr int kSteps = 300;

constexpr const char* kSchema = R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},
"email":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},"address":{"type":"object","properties":{
"street":{"type":"string"},"zip":{"type":"string","pattern":"^[0-9]{5}$"}},"required":["street","zip"]}},
"required":["name","age","tags","address"],"x-guidance":{"whitespace_flexible":false}})";

std::string fileText(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A token that the mask allows, behind a random place, or now and then `quote`; -1: none.
int32_t randomToken(std::span<const uint32_t> mask, int32_t quote, std::mt19937& random) {
  const auto at = static_cast<std::size_t>(quote);
  if (random() % 5 == 0 && (mask[at / 32] >> at % 32 & 1))
    return quote;
  const std::size_t start = random() % mask.size();
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const std::size_t word = (start + i) % mask.size();
    if (mask[word] != 0)
      return static_cast<int32_t>(word * 32 + static_cast<std::size_t>(std::countr_zero(mask[word])));
  }
  return -1;
}

void printTimes(const text::Grammar& grammar, const text::Tokenizer& tokenizer) {
  const uint32_t vocabulary = tokenizer.vocabularySize();
  const int32_t quote = *tokenizer.find("\"");
  std::mt19937 random(1);
  std::vector<double> times;
  std::vector<uint32_t> words((vocabulary + 31) / 32);
  double first = 0, sum = 0;
  std::vector<int32_t> shown;
  for (int answer = 0; answer < 20; ++answer) {
    const Clock::time_point start = Clock::now();
    auto matcher = grammar.matcher();
    if (!matcher || !matcher->mask(words))
      return;
    if (answer == 0)
      first = Milliseconds(Clock::now() - start).count();
    for (int step = 0; step < 100 && !matcher->isStopped(); ++step) {
      const int32_t token = randomToken(words, quote, random);
      const Clock::time_point begin = Clock::now();
      if (token < 0 || !matcher->consume(token) || !matcher->mask(words))
        break;
      times.push_back(Milliseconds(Clock::now() - begin).count());
      sum += times.back();
      if (answer == 0)
        shown.push_back(token);
    }
  }
  std::ranges::sort(times);
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  std::printf("masks: %zu, first %.1f ms, mean %.3f, p50 %.3f, p90 %.3f, p99 %.3f, longest %.2f ms\nfrom %s\n",
              times.size(), first, sum / static_cast<double>(times.size()), at(0.5), at(0.9), at(0.99), times.back(),
              tokenizer.decode(shown).c_str());
}

/// Milliseconds of a step, and the rows that were held.
std::pair<double, uint64_t> steps(const std::shared_ptr<const text::Grammar>& grammar, uint32_t vocabulary,
                                  int32_t quote, uint32_t rows, double stepMs) {
  MaskWorkers workers(vocabulary, {});
  std::mt19937 random(2);
  std::vector<std::shared_ptr<MaskJob>> jobs;
  for (uint32_t i = 0; i < rows; ++i) jobs.push_back(workers.begin(grammar));
  workers.wait(jobs, false, Clock::now() + std::chrono::seconds(60)); // while prompts are computed
  const Milliseconds trunk(0.9 * stepMs), tail(0.1 * stepMs);
  uint64_t held = 0;
  const Clock::time_point start = Clock::now();
  for (int step = 0; step < kSteps; ++step) {
    const Clock::time_point begin = Clock::now();
    workers.wait(jobs, false, begin + std::chrono::duration_cast<Clock::duration>(trunk));
    std::vector<uint32_t> ready;
    for (uint32_t i = 0; i < rows; ++i)
      if (jobs[i]->isReady())
        ready.push_back(i);
    held += rows - ready.size();
    std::this_thread::sleep_until(begin + trunk);
    std::this_thread::sleep_for(tail);
    for (const uint32_t i : ready) {
      const int32_t token = jobs[i]->error() || jobs[i]->isStopped() ? -1 : randomToken(jobs[i]->mask(), quote, random);
      if (token >= 0)
        workers.advance(jobs[i], token);
      else
        jobs[i] = workers.begin(grammar); // the next request
    }
  }
  return {Milliseconds(Clock::now() - start).count() / kSteps, held};
}

/// Beside steps without masks, which a loaded machine makes longer as well.
void printSteps(const std::shared_ptr<const text::Grammar>& grammar, uint32_t vocabulary, int32_t quote, uint32_t rows,
                double stepMs) {
  const double plain = steps(grammar, vocabulary, quote, 0, stepMs).first;
  const auto [masked, held] = steps(grammar, vocabulary, quote, rows, stepMs);
  std::printf("%2u rows, steps of %.0f ms: %.2f ms without masks, %.2f with, %+.1f %%, %.2f %% of rows held\n", rows,
              stepMs, plain, masked, 100 * (masked / plain - 1), 100. * static_cast<double>(held) / (kSteps * rows));
}

int run(int argc, char** argv) {
  if (argc < 3)
    return 1;
  text::TextConfig config;
  config.kind = text::VocabularyKind::kBpe;
  config.eos = std::atoi(argv[2]);
  config.endOfGeneration = {config.eos};
  const auto tokenizer = text::Tokenizer::open(fileText(argv[1]), config);
  if (!tokenizer)
    return 2;
  const uint32_t vocabulary = tokenizer->vocabularySize();
  Clock::time_point start = Clock::now();
  const auto grammars = text::Grammars::open(*tokenizer, vocabulary);
  if (!grammars)
    return 2;
  std::printf("vocabulary of %u tokens: %.0f ms\n", vocabulary, Milliseconds(Clock::now() - start).count());
  start = Clock::now();
  const auto grammar =
      (*grammars)->create(text::GrammarKind::kJsonSchema, argc > 3 ? fileText(argv[3]) : std::string(kSchema));
  if (!grammar) {
    std::printf("%s\n", grammar.error().message.c_str());
    return 2;
  }
  std::printf("grammar: %.1f ms\n", Milliseconds(Clock::now() - start).count());
  printTimes(**grammar, *tokenizer);
  for (const auto& [rows, stepMs] : {std::pair(1u, 9.), {8u, 9.}, {8u, 23.}, {1u, 23.}, {32u, 23.}})
    printSteps(*grammar, vocabulary, *tokenizer->find("\""), rows, stepMs);
  return 0;
}

} // namespace
} // namespace llcuda::serving

int main(int argc, char** argv) {
  return llcuda::serving::run(argc, argv);
}
