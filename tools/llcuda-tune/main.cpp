// SPDX-License-Identifier: Apache-2.0
// llcuda-tune: a model in, a table of measured tiles out.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "codegen/nvrtc/kernel_worker.h"
#include "compiler/pipeline/tile_file.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/output_file.h"
#include "runtime/base/temporary_path.h"
#include "runtime/cuda/driver.h"
#include "tools/llcuda-tune/multiprocessors.h"
#include "tools/llcuda-tune/options.h"
#include "tools/llcuda-tune/report.h"
#include "tools/llcuda-tune/rounds.h"

namespace llcuda::tune {
namespace {

/// A folder beside `output` for the engines that are measured.
Result<TemporaryPath> scratchFolder(const std::string& output) {
  std::error_code error;
  std::string pattern = std::filesystem::absolute(output, error).string() + ".XXXXXX";
  int cause = 0;
  TemporaryPath folder = TemporaryPath::made([&] {
    const bool made = ::mkdtemp(pattern.data());
    cause = errno;
    return made ? pattern : std::string();
  });
  if (folder.path().empty())
    return badInput(output, ": nothing can be written beside it: ", std::strerror(cause));
  return folder;
}

Result<void> tuneInto(const Options& options) {
  const std::vector<InputFile> inputs = identified(pipeline::inputFiles(options.compile));
  LLCUDA_RETURN_IF_ERROR(checkOutput(options.output, inputs));
  const bool host = options.device == DeviceChoice::kHost;
  // Before minutes of compiling.
  if (const auto driver = cuda::Driver::open(host ? cuda::DriverKind::kHost : cuda::DriverKind::kCuda); !driver)
    return makeError(driver.error().code, driver.error().message, "; tiles are measured where the GPU is");
  LLCUDA_ASSIGN_OR_RETURN(const TemporaryPath folder, scratchFolder(options.output));
  ::setenv("TMPDIR", folder.path().c_str(), 1); // of the compilers that it starts
  LLCUDA_ASSIGN_OR_RETURN(const Tuning tuning, tune(options, folder.path()));
  const codegen::TileTable table = tilesOf(tuning, options.minGain);
  LLCUDA_RETURN_IF_ERROR(writeOutput(options.output, pipeline::tilesJson(table), inputs));
  std::cout << reportOf(tuning, options.minGain) << std::flush;
  std::cerr << options.output << ": " << table.decode.size() + table.prompt.size() << " of "
            << tuning.decode.size() + tuning.prompt.size() << " launches have a faster tile\n";
  return std::cout.good() ? Result<void>() : internalError("standard output cannot be written");
}

int failed(const Error& error) {
  std::cerr << "llcuda-tune: " << error.message << '\n';
  return static_cast<int>(error.code);
}

int runHere(const Options& options) {
  endCleanly("llcuda-tune");
  const Result<void> done = tuneInto(options);
  return done ? 0 : failed(done.error());
}

int run(const Options& options) {
  if (options.multiprocessors == 0)
    return runHere(options);
  const Result<int> code =
      onMultiprocessors(options.multiprocessors, options.deviceIndex, [&] { return runHere(options); });
  return code ? *code : failed(code.error());
}

} // namespace
} // namespace llcuda::tune

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--kernel-worker") == 0)
    return llcuda::codegen::runKernelWorker(llcuda::codegen::kWorkerDescriptor);
  const auto options = llcuda::tune::parseOptions(argc, argv);
  if (const int* code = std::get_if<int>(&options))
    return *code;
  return llcuda::tune::run(std::get<llcuda::tune::Options>(options));
}
