// SPDX-License-Identifier: Apache-2.0
#include "tools/tool-options/command_line.h"

#include <algorithm>
#include <iostream>

#include "runtime/base/result.h"
#include "tools/tool-options/foreign_flags.h"

namespace llcuda::tools {

std::optional<int> parseCommandLine(CLI::App& app, int argc, char** argv) {
  KnownArguments known = knownArguments({argv + std::min(argc, 1), argv + argc}, [&](const std::string& flag) {
    return app.get_option_no_throw(flag) != nullptr;
  });
  if (!known.ignored.empty()) {
    std::cerr << "note: ignored, since an engine decides it or there is nothing to decide:";
    for (const std::string& flag : known.ignored) std::cerr << ' ' << flag;
    std::cerr << '\n';
  }
  std::ranges::reverse(known.arguments); // as CLI11 takes them
  try {
    app.parse(std::move(known.arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    return wrongUse(app, error.what());
  }
  return std::nullopt;
}

int wrongUse(const CLI::App& app, const std::string& sentence) {
  std::cerr << app.get_name() << ": " << sentence << "; see " << app.get_name() << " --help\n";
  return static_cast<int>(ErrorCode::kUsage);
}

CLI::Option* addModelArgument(CLI::App& app, std::string& path, const std::string& description) {
  return app.add_option("-m,--model,MODEL", path, description)
      ->required()
      ->type_name("PATH")
      ->check([](const std::string& text) { return text.empty() ? std::string("its path is empty") : std::string(); });
}

CLI::Option* addContextOption(CLI::App& app, uint32_t& context, const std::string& description) {
  return app.add_option("-c,--ctx-size", context, description)->check(CLI::Range(0u, 1u << 20));
}

CLI::Option* addWeightsFromOption(CLI::App& app, std::string& path) {
  return app
      .add_option("--weights-from", path,
                  "The model file of an engine that leaves its weights there, or the folder that has it")
      ->type_name("PATH");
}

} // namespace llcuda::tools
