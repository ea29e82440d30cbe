// SPDX-License-Identifier: Apache-2.0
// Prompt and decode speed of an engine, measured as llama-bench measures it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "llcuda/llcuda.hpp"

namespace llcuda::bench {

/// One line of the table: a prompt of `prompt` tokens, `generate` decode steps (either may be 0), or one after the
/// other, after `depth` tokens that are not timed.
struct Test {
  uint32_t prompt = 0;
  uint32_t generate = 0;
  uint32_t depth = 0;

  uint32_t tokens() const { return prompt + generate; }
  uint32_t context() const { return depth + tokens() + 1; }
};

struct Measured {
  Test test;
  std::string time; ///< when it began: "2025-01-31T12:00:00Z"
  std::vector<uint64_t> samplesNs;
};

/// Any tokens do: what is computed does not depend on which they are.
std::vector<int32_t> randomTokens(std::size_t count, uint32_t vocabulary);

/// Warms up once, then measures `repetitions` times.
api::Expected<Measured> measure(api::Session& session, uint32_t vocabulary, const Test& test, uint32_t repetitions);

/// Mean and sample standard deviation (0 for one sample).
struct Statistics {
  double mean = 0;
  double deviation = 0;
};
Statistics statisticsOf(const std::vector<double>& samples);

/// Tokens per second of each sample.
std::vector<double> speeds(const Measured& measured);

/// What a table says besides the figures.
struct Subject {
  std::string file;
  llcuda_engine_info engine;
  llcuda_session_info session;
};

/// `format` is "md", "json", or "jsonl": an object a line.
std::string table(const Subject& subject, const std::vector<Measured>& rows, const std::string& format);
/// `rows` as an array ("json") or an object a line ("jsonl").
std::string jsonText(const std::vector<nlohmann::ordered_json>& rows, const std::string& format);

} // namespace llcuda::bench
