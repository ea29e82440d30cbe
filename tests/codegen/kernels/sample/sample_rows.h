// SPDX-License-Identifier: Apache-2.0
// Rows of a decode phase for the sample kernel, row i in slot i, on the host.
#pragma once

#include "codegen/kernels/sample/sample.cuh"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "codegen/formats/dry_breakers.h"
#include "codegen/reference/sampling.h"
#include "runtime/hostsim/launch.h"

namespace llcuda::sampling_test {

inline std::vector<float> randomLogits(size_t count, float spread, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.f, spread);
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}

inline SamplerProgram programOf(std::initializer_list<SamplerStage> stages) {
  SamplerProgram program = {};
  program.stageCount = static_cast<uint32_t>(stages.size());
  program.dynatempExponent = 1;
  program.reportsTop = 1;
  program.repeat = 1;
  std::ranges::copy(stages, program.stages);
  return program;
}
inline SamplerStage topK(uint32_t k) {
  return {SamplerOp::kTopK, 0, 0, k};
}
inline SamplerStage stage(SamplerOp op, float a, float b = 0) {
  return {op, a, b, 0};
}

template <int kVocabulary, int kBlocks, int kContext = 64>
struct SampleRowsTest {
  struct Row {
    reference::SamplerInput input;
    SamplingParams params;
    SamplerProgram program = {};
    int position = 10; ///< of a row without tokens
  };
  std::vector<Row> rows;
  std::vector<int> positions, tokens, sampled, history;
  std::vector<SamplingParams> sampling;
  std::vector<SamplerProgram> programs;
  std::vector<SamplingReport> reports;

  void add(const std::vector<float>& logits, SamplingParams params, const SamplerProgram& program = {}) {
    Row row;
    row.input.logits = logits;
    row.params = params;
    row.program = program;
    rows.push_back(std::move(row));
  }

  void run() {
    const size_t count = rows.size();
    std::vector<float> logits, adjusted(count * kVocabulary, NAN);
    std::vector<LogitBias> biases(count * kLogitBiases);
    std::vector<uint32_t> breakers, masks;
    std::vector<int> slots;
    history.assign(count * kContext, -1);
    sampled.assign(count, -7);
    reports.assign(count, {});
    for (size_t r = 0; r < count; ++r) {
      Row& row = rows[r];
      const reference::SamplerInput& input = row.input;
      logits.insert(logits.end(), input.logits.begin(), input.logits.end());
      slots.push_back(static_cast<int>(r));
      const auto length = static_cast<int>(input.tokens.size());
      if (length != 0) {
        row.position = length - 1;
        row.params.step = static_cast<uint32_t>(length - 1);
        std::copy(input.tokens.begin(), input.tokens.end() - 1,
                  history.begin() + static_cast<std::ptrdiff_t>(r * kContext));
      }
      if (positions.size() <= r)
        positions.push_back(row.position);
      tokens.push_back(length == 0 ? -7 : input.tokens.back());
      sampling.push_back(row.params);
      row.program.biasCount = static_cast<uint32_t>(input.biases.size());
      row.program.state[0] = static_cast<float>(input.state[0]);
      row.program.state[1] = static_cast<float>(input.state[1]);
      programs.push_back(row.program);
      std::ranges::copy(input.biases, biases.begin() + static_cast<std::ptrdiff_t>(r * kLogitBiases));
      const auto packed = *packDryBreakers(kVocabulary, input.breakers);
      breakers.insert(breakers.end(), packed.begin(), packed.end());
      std::vector<uint32_t> mask(maskWords(kVocabulary));
      mask[0] = !input.allowed.empty();
      for (size_t t = 0; t < input.allowed.size(); ++t)
        if (input.allowed[t])
          mask[1 + t / 32] |= 1u << t % 32;
      masks.insert(masks.end(), mask.begin(), mask.end());
    }
    std::vector<uint32_t> arrivals(count);
    std::vector<uint64_t> partial(count * samplePartials(kBlocks), ~uint64_t{0});
    hostsim::launch({.grid = {kBlocks, static_cast<uint32_t>(count)}, .block = kSampleThreads}, [&] {
      sample<SampleShape{.vocabulary = kVocabulary, .blocks = kBlocks, .context = kContext}>(
          logits.data(), sampling.data(), {tokens.data(), positions.data(), slots.data(), nullptr},
          {programs.data(), history.data(), biases.data(), breakers.data(), masks.data()}, adjusted.data(),
          reports.data(), partial.data(), arrivals.data(), sampled.data());
    });
    EXPECT_EQ(arrivals, std::vector<uint32_t>(count, 0)) << "counters must return to zero";
  }
};

} // namespace llcuda::sampling_test
