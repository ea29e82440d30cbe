// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-bench/bench.h"

#include <cmath>
#include <ctime>
#include <numeric>
#include <random>

namespace llcuda::bench {
namespace {

std::string now() {
  const std::time_t time = std::time(nullptr);
  std::tm parts = {};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

/// Nanoseconds of one repetition. The cache holds the first `depth` tokens before and after.
api::Expected<uint64_t> once(api::Session& session, std::span<const int32_t> tokens, const Test& test) {
  if (auto rewound = session.rewind(test.depth); !rewound)
    return rewound.error();
  api::GenerateOptions options;
  options.sampler = api::Sampler::greedy();
  options.ignoreStop = true;
  options.maxTokens = static_cast<int32_t>(test.generate + 1); // the first token belongs to the prompt
  const api::Generated generated = session.generate(tokens, options);
  if (generated.error)
    return *generated.error;
  return (test.prompt != 0 ? generated.metrics.prompt_ns : 0) + (test.generate != 0 ? generated.metrics.decode_ns : 0);
}

} // namespace

std::vector<int32_t> randomTokens(std::size_t count, uint32_t vocabulary) {
  std::mt19937 random(1);
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = static_cast<int32_t>(random() % vocabulary);
  return tokens;
}

api::Expected<Measured> measure(api::Session& session, uint32_t vocabulary, const Test& test, uint32_t repetitions) {
  Measured measured{test, now(), {}};
  const std::vector<int32_t> tokens = randomTokens(std::max(test.prompt, 1u), vocabulary);
  if (auto rewound = session.rewind(0); !rewound)
    return rewound.error();
  if (test.depth != 0)
    if (auto fed = session.feed(randomTokens(test.depth, vocabulary)); !fed)
      return fed.error();
  for (uint32_t i = 0; i <= repetitions; ++i) {
    const auto time = once(session, tokens, test);
    if (!time)
      return time.error();
    if (i != 0)
      measured.samplesNs.push_back(*time);
  }
  return measured;
}

Statistics statisticsOf(const std::vector<double>& samples) {
  const auto count = static_cast<double>(samples.size());
  const double mean = std::accumulate(samples.begin(), samples.end(), 0.) / count;
  double squares = 0;
  for (double sample : samples) squares += (sample - mean) * (sample - mean);
  return {mean, samples.size() < 2 ? 0. : std::sqrt(squares / (count - 1))};
}

std::vector<double> speeds(const Measured& measured) {
  std::vector<double> result;
  for (uint64_t ns : measured.samplesNs)
    result.push_back(measured.test.tokens() * 1e9 / static_cast<double>(std::max<uint64_t>(ns, 1)));
  return result;
}

} // namespace llcuda::bench
