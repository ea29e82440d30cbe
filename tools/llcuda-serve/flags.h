// SPDX-License-Identifier: Apache-2.0
// The table of the server's flags: from it come the parser, --help, the environment variables and docs/serving.md.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/server/options.h"

namespace llcuda::serve {

/// What the command line says before its parts are put together.
struct Given {
  server::ServerOptions options;
  uint32_t totalContext = 0; ///< of all slots together, as llama-server's -c
  bool unified = false;      ///< each slot may have all of it
  bool needsDraft = false;   ///< --spec-type draft-simple
  std::vector<std::string> keyFiles;
};

struct Flag {
  std::string_view names;   ///< "-c,--ctx-size": the last long one gives the environment variable
  std::string_view section; ///< "Model"
  std::string_view type;    ///< of its value, "N"; empty: a switch
  std::string_view doc;
  /// Takes the value (of a switch "true"); a sentence where it cannot be.
  std::function<std::string(Given&, const std::string& value)> set;
  std::string_view standard = {}; ///< the default, for people
};

std::span<const Flag> flagTable();

/// "LLCUDA_CTX_SIZE" of "-c,--ctx-size".
std::string environmentOf(const Flag& flag);

/// Flags of llama-server that stand for nothing here. Those with a reason are refused with it, others ignored.
struct LlamaFlag {
  std::string_view names;
  bool takesValue;
  std::string_view refusal;
};
std::span<const LlamaFlag> llamaFlags();

/// The options, or the exit code when there is nothing more to do; what to say has been said.
std::variant<server::ServerOptions, int> parseFlags(int argc, char** argv);

/// The table as Markdown, for docs/serving.md.
std::string flagsAsMarkdown();

} // namespace llcuda::serve
