// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "tools/llcuda-run/grammar_option.h"
#include "tools/llcuda-run/sampler_options.h"

namespace llcuda::run {

/// What the command line says, checked. Defaults are llama.cpp's.
struct Options {
  std::string engine;
  std::string model;                 ///< of which the engine was compiled now or before; empty: an engine was given
  std::optional<std::string> prompt; ///< of -p, or the contents of -f
  std::string promptFile;            ///< of -f
  std::optional<std::vector<int32_t>> promptTokens;
  std::string systemPrompt;
  std::string chatTemplate; ///< a name; empty: the plain one
  bool chat = false;
  bool json = false;
  bool selfCheck = false;
  bool embedding = false; ///< of the prompt, in place of its continuation
  llcuda_pooling pooling = LLCUDA_POOLING_DEFAULT;
  std::string batch;   ///< file of requests to answer; empty: none
  std::string output;  ///< file for their answers
  uint32_t slots = 0;  ///< requests of a batch that run at a time; 0: as many as the engine decodes
  std::string profile; ///< file that gets the time of each kernel; empty: none
  uint32_t context = 0;
  std::optional<uint64_t> cacheBytes; ///< that engines compiled for models may take
  llcuda_verify verify = LLCUDA_VERIFY_FULL;
  api::SessionOptions session;
  std::optional<GrammarText> grammar; ///< that the answer keeps to
  SamplerFlags sampler;               ///< put over what the engine says by main.cpp, into `generate`
  api::GenerateOptions generate;
  llcuda_speculation speculation = LLCUDA_SPECULATION_NONE;
  uint32_t draftMax = 0, draftMin = 0, ngramSize = 0; ///< as in api::SchedulerOptions
  float draftPMin = 0;                                ///< the same
  std::string draftModel;                             ///< an engine or a model that guesses; empty: none
  const api::Engine* draft = nullptr;                 ///< of it, opened by main.cpp

  /// Whether tokens are guessed ahead.
  bool guesses() const { return speculation != LLCUDA_SPECULATION_NONE || !draftModel.empty(); }
};

/// The options, or the exit code when there is nothing more to do: 0 after --help or --version, 1 for a wrong command
/// line, 2 for a file that cannot be read; what to say has been said.
std::variant<Options, int> parseOptions(int argc, char** argv);

/// A scheduler on what the session would run on, with `slots` requests at a time; 0: as many as the engine decodes.
api::SchedulerOptions schedulerOptions(const Options& options, uint32_t slots);

} // namespace llcuda::run
