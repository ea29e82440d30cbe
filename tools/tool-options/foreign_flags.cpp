// SPDX-License-Identifier: Apache-2.0
#include "tools/tool-options/foreign_flags.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace llcuda::tools {
namespace {

struct Synonym {
  std::string_view shortName, longName;
};

/// llama.cpp's flags of several letters that some tool has.
constexpr Synonym kSynonyms[] = {
    {"-ctk", "--cache-type-k"},
    {"-ctv", "--cache-type-v"},
    {"-fa", "--flash-attn"},
    {"-mg", "--main-gpu"},
    {"-pg", "--prompt-gen"},
    {"-npp", "--npp"},
    {"-ntg", "--ntg"},
    {"-npl", "--npl"},
    {"-sys", "--system-prompt"},
    {"--threads", "--jobs"},
    {"-np", "--parallel"},
    {"-cram", "--cache-ram"},
    {"-to", "--timeout"},
    {"-rea", "--reasoning"},
    {"-hf", "--hf-repo"},
    {"-hfr", "--hf-repo"},
    {"-hff", "--hf-file"},
    {"-mu", "--model-url"},
    {"-dr", "--docker-repo"},
    {"-mm", "--mmproj"},
    {"-mmu", "--mmproj-url"},
    {"-md", "--model-draft"},
    {"-gan", "--grp-attn-n"},
    {"-gaw", "--grp-attn-w"},
    {"-sps", "--slot-prompt-similarity"},
    {"-ctxcp", "--ctx-checkpoints"},
};

enum class Value {
  kNone,
  kOne,
  kPerhaps, ///< on, off, auto, 0 or 1
};

struct ForeignFlag {
  std::string_view name;
  Value value;
};

/// Threads, batches, places in memory, the log: an engine decides them when it is compiled, or there is nothing to
/// decide.
constexpr ForeignFlag kForeign[] = {
    {"-t", Value::kOne},
    {"--threads", Value::kOne},
    {"-tb", Value::kOne},
    {"--threads-batch", Value::kOne},
    {"-C", Value::kOne},
    {"--cpu-mask", Value::kOne},
    {"-Cr", Value::kOne},
    {"--cpu-range", Value::kOne},
    {"--cpu-strict", Value::kOne},
    {"--prio", Value::kOne},
    {"--poll", Value::kOne},
    {"-Cb", Value::kOne},
    {"--cpu-mask-batch", Value::kOne},
    {"-Crb", Value::kOne},
    {"--cpu-range-batch", Value::kOne},
    {"--cpu-strict-batch", Value::kOne},
    {"--prio-batch", Value::kOne},
    {"--poll-batch", Value::kOne},
    {"-b", Value::kOne},
    {"--batch-size", Value::kOne},
    {"-ub", Value::kOne},
    {"--ubatch-size", Value::kOne},
    {"--keep", Value::kOne},
    {"-ngl", Value::kOne},
    {"--gpu-layers", Value::kOne},
    {"--n-gpu-layers", Value::kOne},
    {"-sm", Value::kOne},
    {"--split-mode", Value::kOne},
    {"-ts", Value::kOne},
    {"--tensor-split", Value::kOne},
    {"-mg", Value::kOne},
    {"--main-gpu", Value::kOne},
    {"-ot", Value::kOne},
    {"--override-tensor", Value::kOne},
    {"-cmoe", Value::kNone},
    {"--cpu-moe", Value::kNone},
    {"-ncmoe", Value::kOne},
    {"--n-cpu-moe", Value::kOne},
    {"--rpc", Value::kOne},
    {"--numa", Value::kOne},
    {"-dt", Value::kOne},
    {"--defrag-thold", Value::kOne},
    {"-fitt", Value::kOne},
    {"--fit-target", Value::kOne},
    {"-fitc", Value::kOne},
    {"--fit-ctx", Value::kOne},
    {"-cram", Value::kOne},
    {"--cache-ram", Value::kOne},
    {"-fa", Value::kPerhaps},
    {"--flash-attn", Value::kPerhaps},
    {"--mlock", Value::kNone},
    {"--mmap", Value::kPerhaps},
    {"-mmp", Value::kPerhaps},
    {"--no-mmap", Value::kNone},
    {"-dio", Value::kPerhaps},
    {"--direct-io", Value::kPerhaps},
    {"-ndio", Value::kNone},
    {"--no-direct-io", Value::kNone},
    {"-kvo", Value::kNone},
    {"--kv-offload", Value::kNone},
    {"-nkvo", Value::kPerhaps},
    {"--no-kv-offload", Value::kNone},
    {"-kvu", Value::kNone},
    {"--kv-unified", Value::kNone},
    {"-no-kvu", Value::kNone},
    {"--no-kv-unified", Value::kNone},
    {"--repack", Value::kNone},
    {"-nr", Value::kNone},
    {"--no-repack", Value::kNone},
    {"--no-host", Value::kPerhaps},
    {"--op-offload", Value::kNone},
    {"-nopo", Value::kPerhaps},
    {"--no-op-offload", Value::kPerhaps},
    {"--swa-full", Value::kNone},
    {"--context-shift", Value::kNone},
    {"--no-context-shift", Value::kNone},
    {"-cb", Value::kNone},
    {"--cont-batching", Value::kNone},
    {"-nocb", Value::kNone},
    {"--no-cont-batching", Value::kNone},
    {"--check-tensors", Value::kNone},
    {"--warmup", Value::kNone},
    {"--no-warmup", Value::kNone},
    {"--perf", Value::kNone},
    {"--no-perf", Value::kNone},
    {"--offline", Value::kNone},
    {"--simple-io", Value::kNone},
    {"-co", Value::kPerhaps},
    {"--color", Value::kPerhaps},
    {"--no-display-prompt", Value::kNone},
    {"-no-cnv", Value::kNone},
    {"--no-conversation", Value::kNone},
    {"--log-disable", Value::kNone},
    {"--log-file", Value::kOne},
    {"--log-colors", Value::kPerhaps},
    {"-lv", Value::kOne},
    {"--log-verbosity", Value::kOne},
    {"--verbosity", Value::kOne},
    {"--log-prefix", Value::kNone},
    {"--log-timestamps", Value::kNone},
};

bool isSwitchWord(std::string_view text) {
  constexpr std::string_view kWords[] = {"on", "off", "auto", "0", "1"};
  return std::ranges::find(kWords, text) != std::end(kWords);
}

} // namespace

KnownArguments knownArguments(const std::vector<std::string>& arguments,
                              const std::function<bool(const std::string&)>& has) {
  KnownArguments known;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      known.arguments.insert(known.arguments.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                             arguments.end());
      break;
    }
    const size_t equals = arguments[i].starts_with("--") ? arguments[i].find('=') : std::string::npos;
    const std::string name = arguments[i].substr(0, equals);
    const auto synonym = std::ranges::find(kSynonyms, std::string_view(name), &Synonym::shortName);
    const auto foreign = std::ranges::find(kForeign, std::string_view(name), &ForeignFlag::name);
    if (has(name) || (synonym == std::end(kSynonyms) && foreign == std::end(kForeign))) {
      known.arguments.push_back(arguments[i]);
    } else if (synonym != std::end(kSynonyms) && has(std::string(synonym->longName))) {
      known.arguments.push_back(std::string(synonym->longName) + arguments[i].substr(name.size()));
    } else if (foreign != std::end(kForeign)) {
      known.ignored.push_back(name);
      const bool isLast = i + 1 == arguments.size() || equals != std::string::npos;
      if (!isLast &&
          (foreign->value == Value::kOne || (foreign->value == Value::kPerhaps && isSwitchWord(arguments[i + 1]))))
        ++i;
    } else {
      known.arguments.push_back(arguments[i]);
    }
  }
  return known;
}

} // namespace llcuda::tools
