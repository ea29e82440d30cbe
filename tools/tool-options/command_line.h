// SPDX-License-Identifier: Apache-2.0
// What the command lines of all tools have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace llcuda::tools {

/// What a model may be, for help texts.
inline constexpr char kModelKinds[] =
    "a GGUF file (of a split one the first part), a Hugging Face folder, a safetensors "
    "file in one, or the folder of an adapter";

/// Parses the command line of `app`, whose name is the program's, and says what to end with: 0 after --help and
/// --version, 1 after the sentence on a wrong argument; nothing when there is work to do. Flags of llama.cpp with one
/// dash and several letters (-ctk) stand for those that the app has under a long name (--cache-type-k); flags that say
/// where and how llama.cpp runs a model (-ngl, -t, --mlock) are left out, with a note on standard error, unless the app
/// has them.
std::optional<int> parseCommandLine(CLI::App& app, int argc, char** argv);

/// Says a wrong use of options that no single one shows, and gives the exit code.
int wrongUse(const CLI::App& app, const std::string& sentence);

/// The model, or engine, as the one positional argument or as -m, --model.
CLI::Option* addModelArgument(CLI::App& app, std::string& path, const std::string& description);

/// -c, --ctx-size; 0 is what is taken without it.
CLI::Option* addContextOption(CLI::App& app, uint32_t& context, const std::string& description);

/// --weights-from, for engines that leave their weights in the model's files.
CLI::Option* addWeightsFromOption(CLI::App& app, std::string& path);

/// An option that takes one of some words: `--golden: some is not one of none, default, full`.
template <typename Value>
CLI::Option* addChoice(CLI::App& app, const std::string& flag, Value& value,
                       const std::vector<std::pair<std::string, Value>>& choices, const std::string& description) {
  std::string words, listed;
  for (const auto& [word, meaning] : choices) {
    words += (words.empty() ? "" : "|") + word;
    listed += (listed.empty() ? "" : ", ") + word;
  }
  const auto meaningOf = [choices](const std::string& text) {
    const auto found = std::ranges::find(choices, text, &std::pair<std::string, Value>::first);
    return found == choices.end() ? std::nullopt : std::optional<Value>(found->second);
  };
  return app
      .add_option_function<std::string>(
          flag, [&value, meaningOf](const std::string& text) { value = *meaningOf(text); }, description)
      ->check(
          [=](const std::string& text) { return meaningOf(text) ? std::string() : text + " is not one of " + listed; })
      ->option_text(words);
}

/// --verify. `Verify` has the values of llcuda_verify.
template <typename Verify>
CLI::Option* addVerifyOption(CLI::App& app, Verify& verify) {
  return addChoice(
      app, "--verify", verify,
      std::vector<std::pair<std::string, Verify>>{{"full", static_cast<Verify>(0)}, {"lazy", static_cast<Verify>(1)}},
      "Compare an engine's bytes with its hashes before anything runs (default), or each part of it when it "
      "is used first");
}

/// --device and --main-gpu. `Device` has the values of llcuda_device.
template <typename Device>
CLI::Option* addDeviceOptions(CLI::App& app, Device& device, int& index) {
  app.add_option("--main-gpu", index, "Which GPU, as CUDA numbers them")->check(CLI::Range(0, 1023));
  return addChoice(app, "--device", device,
                   std::vector<std::pair<std::string, Device>>{{"auto", static_cast<Device>(0)},
                                                               {"cuda", static_cast<Device>(1)},
                                                               {"host", static_cast<Device>(2)}},
                   "cuda: a GPU; host: the processor; auto: a GPU, else the processor");
}

} // namespace llcuda::tools
