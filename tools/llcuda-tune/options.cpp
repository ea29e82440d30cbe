// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-tune/options.h"

#include <iostream>

#include "runtime/base/version.h"
#include "runtime/schema/engine_file.h"
#include "tools/compile-options/compile_options.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::tune {

std::variant<Options, int> parseOptions(int argc, char** argv) {
  Options options;
  tools::CompilePlaces places;
  CLI::App app("Measures the tiles of a model's linears on a GPU and writes a table of those that are faster than the "
               "chosen ones, for llcuda-compile --tiles.",
               "llcuda-tune");
  app.set_version_flag("--version", std::string("llcuda-tune ") + kVersion);
  tools::addCompileOptions(app, options.compile, places);
  app.add_option("-o,--output", options.output, "The table to write (.json)")->required();
  tools::addDeviceOptions(app, options.device, options.deviceIndex)
      ->description("cuda (auto is the same), or host: to try the tool without a GPU, its times mean nothing");
  app.add_option(
         "--sms", options.multiprocessors,
         "Measure on so many multiprocessors of the GPU, by MPS, as on a smaller card; a T4 has 40 (default: all)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--candidates", options.candidates,
                 "Measure each launch with at most so many other shapes, and as many occupancies of the best "
                 "(default: all that are known)")
      ->check(CLI::Range(1, 100));
  app.add_option("--min-gain", options.minGain, "Per cent that a tile must save to get into the table")
      ->check(CLI::Range(0., 100.))
      ->capture_default_str();
  if (const std::optional<int> code = tools::parseCommandLine(app, argc, argv))
    return *code;
  if (schema::isEngineFile(options.compile.input)) {
    std::cerr << "llcuda-tune: " << options.compile.input
              << ": is an engine, whose tiles are compiled in; give the model that it was compiled from\n";
    return static_cast<int>(ErrorCode::kBadInput);
  }
  if (options.multiprocessors != 0 && options.device == DeviceChoice::kHost) {
    std::cerr << "llcuda-tune: --sms limits a GPU; --device host has no multiprocessors\n";
    return static_cast<int>(ErrorCode::kUsage);
  }
  if (options.device == DeviceChoice::kAuto)
    options.device = DeviceChoice::kCuda;
  tools::findCompilers(places, options.compile);
  const bool host = options.device == DeviceChoice::kHost;
  options.compile.gpuTarget = !host;
  options.compile.hostTarget = host;
  options.compile.golden = pipeline::GoldenMode::kNone;
  return options;
}

} // namespace llcuda::tune
