// SPDX-License-Identifier: Apache-2.0
// Shows what a checkpoint or an engine holds. Results go to standard output, errors to standard error.
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "codegen/sass/cubin.h"
#include "compiler/ingest/lora_adapter.h"
#include "compiler/models/family.h"
#include "compiler/models/stated_config.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/regular_file.h"
#include "runtime/base/version.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/schema/engine_file.h"
#include "tools/llcuda-inspect/calibration.h"
#include "tools/llcuda-inspect/predict_t4.h"
#include "tools/llcuda-inspect/report.h"
#include "tools/llcuda-inspect/simulate.h"
#include "tools/tool-options/byte_size.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::inspect {
namespace {

struct Options {
  std::string file, weightsFrom;
  bool json = false, hashes = false, memory = false;
  uint32_t context = 0; ///< 0: the engine's largest
  uint32_t slots = 1;
  DeviceChoice device = DeviceChoice::kAuto;
  int deviceIndex = 0;
  std::string fit;     ///< bytes of a device, or empty
  std::string predict; ///< "t4", or empty
  std::vector<std::string> constants;
  SimulateRequest simulate = {.chip = "", .kernel = "", .nvdisasm = ""};
  bool machineCode = false;
  std::vector<double> clocks;
  std::string nvdisasm, calibration;
};

/// Bytes that are no UTF-8 become U+FFFD.
std::string dumped(const nlohmann::ordered_json& json) {
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// The largest context that fits the bytes of --fit.
Result<uint32_t> contextThatFits(const Engine& engine, const Options& options) {
  const std::optional<uint64_t> bytes = tools::parseByteSize(options.fit);
  if (!bytes)
    return usageError("--fit ", options.fit, " is no size, as 15GiB or 14336MiB are");
  const uint32_t context = largestContext(engine, options.slots, *bytes, true);
  if (context == 0)
    return makeError(ErrorCode::kOutOfMemory, options.file, ": ", options.slots,
                     " sequence(s) of one page of positions take ",
                     memoryPlan(engine, engine.metadata().page_tokens(), options.slots).total(), " bytes, --fit gives ",
                     *bytes, "; quantise the weights further, or ask for fewer --slots");
  return context;
}

/// What --memory or --fit asks for.
Result<MemoryRequest> memoryRequest(const std::shared_ptr<const Engine>& engine, const Options& options) {
  const fb::Engine& metadata = engine->metadata();
  if (options.slots == 0 || options.slots > metadata.max_batch())
    return usageError("--slots ", options.slots, " is not in 1 to the engine's ", metadata.max_batch(),
                      "; compile it with a larger --max-batch");
  if (options.context > metadata.max_context())
    return usageError("-c ", options.context, " is more than the engine's ", metadata.max_context(),
                      "; compile it with a larger -c");
  uint32_t context = options.context == 0 ? metadata.max_context() : options.context;
  if (!options.fit.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(context, contextThatFits(*engine, options));
  }
  return MemoryRequest{context, options.slots,
                       measureMemory(engine, context, options.slots, options.device, options.deviceIndex)};
}

Result<std::string> inspectEngine(const Options& options) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(options.file));
  const auto shared = std::make_shared<const Engine>(std::move(opened));
  const Engine& engine = *shared;
  LLCUDA_RETURN_IF_ERROR(engine.check(schema::SegmentKind::kWeights));
  std::optional<MemoryRequest> memory;
  if (options.memory || !options.fit.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(memory, memoryRequest(shared, options));
  }
  if (!options.json)
    return engineText(engine, memory);
  nlohmann::ordered_json json = engineJson(engine, memory);
  if (options.hashes) {
    LLCUDA_ASSIGN_OR_RETURN(json["weights"], weightHashesJson(engine, options.weightsFrom));
  }
  return dumped(json);
}

/// The given path, else the program in the Python environment beside which NVRTC lies, else the name for PATH.
std::string findNvdisasm(const std::string& given) {
  if (!given.empty())
    return given;
  const char* environment = std::getenv("VIRTUAL_ENV");
  std::error_code ignored;
  if (environment)
    for (const auto& python : std::filesystem::directory_iterator(std::string(environment) + "/lib", ignored))
      if (const auto file = python.path() / "site-packages/nvidia/cu13/bin/nvdisasm";
          std::filesystem::exists(file, ignored))
        return file;
  return "nvdisasm";
}

Result<std::string> predictEngine(const Options& options) {
  LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(options.file));
  PredictRequest request;
  if (!options.clocks.empty())
    request.megahertz = options.clocks;
  if (options.context != 0)
    request.context = options.context;
  request.context = std::min(request.context, engine.metadata().max_context());
  request.nvdisasm = findNvdisasm(options.nvdisasm);
  if (!options.calibration.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(Calibration calibration, readCalibration(options.calibration));
    request.machine = calibration.machine;
    request.notes = std::move(calibration.notes);
  }
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<StepPrediction> prediction, predictT4(engine, request));
  return options.json ? dumped(predictionJson(prediction, request)) : predictionText(prediction, request);
}

Result<std::string> machineCodeOf(const Options& options) {
  LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(options.file));
  LLCUDA_ASSIGN_OR_RETURN(const nlohmann::ordered_json json, machineCodeJson(engine, findNvdisasm(options.nvdisasm)));
  return dumped(json);
}

Result<std::string> simulateFile(const Options& options) {
  SimulateRequest request = options.simulate;
  request.nvdisasm = findNvdisasm(options.nvdisasm);
  if (schema::isEngineFile(options.file)) {
    LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(options.file));
    return simulateEngine(engine, request);
  }
  for (const std::string& text : options.constants) {
    uint32_t offset = 0, value = 0;
    if (std::sscanf(text.c_str(), "%i=%i", &offset, &value) != 2)
      return usageError("--set ", text, " is no OFFSET=VALUE");
    request.constants[offset] = value;
  }
  LLCUDA_ASSIGN_OR_RETURN(const std::string cubin, readFile(options.file));
  if (!codegen::isCubin(std::as_bytes(std::span(cubin))))
    return badInput(options.file, ": is neither an engine nor a cubin and has no machine code, which --simulate needs");
  return simulateCubin(std::as_bytes(std::span(cubin)), request);
}

/// The report of a checkpoint, and whether llcuda-compile takes it: a folder that holds only an adapter says nothing of
/// that, its base decides.
template <typename Checkpoint>
std::string checkpointReport(const Checkpoint& checkpoint, const Options& options) {
  const bool isAdapter = ingest::isAdapterFolder(options.file);
  const Result<models::ModelConfig> config = models::statedConfig(options.file);
  if (options.json) {
    nlohmann::ordered_json json = checkpointJson(checkpoint, options.hashes);
    if (!isAdapter)
      json["refused"] = config ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(config.error().message);
    return dumped(json);
  }
  const std::string text = checkpointText(checkpoint);
  if (isAdapter)
    return text;
  return text +
         (config ? "\nllcuda-compile takes it as one of " + std::string(config->family->models)
                 : "\nllcuda-compile refuses it: " + config.error().message) +
         "\n";
}

Result<std::string> inspectCheckpoint(const Options& options) {
  if (!options.predict.empty() || options.machineCode)
    return badInput(options.file, ": is no engine and has no machine code, which ",
                    options.machineCode ? "--machine-code" : "--predict", " needs; compile it first");
  if (options.memory || !options.fit.empty())
    return badInput(options.file,
                    ": is no engine; --memory and --fit need one, since memory is planned when a model is "
                    "compiled");
  if (ingest::isSafetensors(options.file)) {
    LLCUDA_ASSIGN_OR_RETURN(const auto files, ingest::SafetensorsSet::open(options.file));
    return checkpointReport(files, options);
  }
  LLCUDA_ASSIGN_OR_RETURN(const ingest::GgufFile gguf, ingest::GgufFile::open(options.file));
  return checkpointReport(gguf, options);
}

int run(const Options& options) {
  const Result<std::string> text = !options.simulate.chip.empty()        ? simulateFile(options)
                                   : !schema::isEngineFile(options.file) ? inspectCheckpoint(options)
                                   : options.machineCode                 ? machineCodeOf(options)
                                   : options.predict.empty()             ? inspectEngine(options)
                                                                         : predictEngine(options);
  if (!text) {
    std::cerr << "llcuda-inspect: " << text.error().message << '\n';
    return static_cast<int>(text.error().code);
  }
  std::cout << *text << std::flush;
  if (std::cout)
    return 0;
  std::cerr << "llcuda-inspect: standard output cannot be written\n";
  return static_cast<int>(ErrorCode::kInternal);
}

void addFlags(CLI::App& app, Options& options) {
  tools::addModelArgument(app, options.file, "A GGUF or safetensors file, a folder of safetensors, or an engine");
  auto* json = app.add_flag("--json", options.json, "Print one JSON object");
  auto* hash = app.add_flag("--hash", options.hashes,
                            "With --json: the XXH3-64 of each tensor of a checkpoint, of each weight of an engine")
                   ->needs(json);
  tools::addWeightsFromOption(app, options.weightsFrom)->needs(hash);
  auto* memory = app.add_flag("--memory", options.memory,
                              "The exact device memory of an engine, and, where there is a GPU, what it takes besides");
  auto* fit = app.add_option("--fit", options.fit,
                             "The largest context for a device of this size, as 15GiB, and the memory with it");
  tools::addContextOption(
      app, options.context,
      "Positions of each slot, or in the cache for --predict (default, and 0: the engine's largest; 512)")
      ->excludes(fit);
  app.add_option("--slots", options.slots, "With --memory or --fit: sequences at a time (default: 1)");
  tools::addDeviceOptions(app, options.device, options.deviceIndex)
      ->description("With --memory or --fit: where to measure what it takes besides; auto: on a GPU, if there is one");
  auto* predict =
      app.add_option("--predict", options.predict, "Time of an engine's steps on this GPU, from its machine code: t4")
          ->check(CLI::IsMember({"t4"}))
          ->excludes(memory)
          ->excludes(fit);
  app.add_option("--clock", options.clocks, "With --predict: clocks of the GPU in MHz (default: 1590, 1100, 800)")
      ->delimiter(',')
      ->check(CLI::Range(300, 2000))
      ->needs(predict);
  app.add_option("--calibration", options.calibration,
                 "With --predict: what llcuda-calibrate measured on a GPU, in place of the model's own constants")
      ->type_name("FILE")
      ->needs(predict);
  auto* simulate =
      app.add_option("--simulate", options.simulate.chip,
                     "Loops of an engine's or a cubin's kernels on a simulated multiprocessor: t4, or h200 "
                     "for a T4's code on a multiprocessor as fast as an H200's")
          ->check(CLI::IsMember({"t4", "h200"}))
          ->excludes(predict)
          ->excludes(memory)
          ->excludes(fit)
          ->excludes(json);
  app.add_option("--kernel", options.simulate.kernel, "With --simulate: kernels whose names have this in them")
      ->needs(simulate);
  app.add_option("--warps", options.simulate.warps, "With --simulate of a cubin: of a block (default: launch bounds)")
      ->check(CLI::Range(1, 32))
      ->needs(simulate);
  app.add_option("--blocks", options.simulate.blocks, "With --simulate: side by side (default: as many as fit)")
      ->check(CLI::Range(1, 16))
      ->needs(simulate);
  app.add_option("--set", options.constants,
                 "With --simulate of a cubin: OFFSET=VALUE of constant bank 0, as its integer parameters and, from 0 "
                 "on, the block's dimensions are; parameters of 8 bytes are addresses")
      ->delimiter(',')
      ->needs(simulate);
  app.add_flag("--by-width", options.simulate.byWidth,
               "With --simulate: loads and stores take the path by their width alone, whichever lines they touch")
      ->needs(simulate);
  app.add_flag("--machine-code", options.machineCode,
               "Instructions, registers and spills of each kernel for SM 7.5, and its launches, as JSON")
      ->excludes(predict)
      ->excludes(simulate)
      ->excludes(memory)
      ->excludes(fit);
  app.add_option("--nvdisasm", options.nvdisasm,
                 "With --predict, --simulate or --machine-code: NVIDIA's disassembler (PyPI: nvidia-cuda-nvdisasm)");
  app.set_version_flag("--version", std::string("llcuda-inspect ") + kVersion);
}

/// Of a flag that was given and that nothing heeds: what it needs.
const char* optionWithoutEffect(const CLI::App& app) {
  const bool memory = app.count("--memory") != 0 || app.count("--fit") != 0;
  const bool predict = app.count("--predict") != 0;
  if (app.count("--slots") != 0 && !memory)
    return "--slots needs --memory or --fit";
  if ((app.count("--device") != 0 || app.count("--main-gpu") != 0) && !memory)
    return "--device and --main-gpu need --memory or --fit";
  if (app.count("--ctx-size") != 0 && !memory && !predict)
    return "--ctx-size needs --memory, --fit or --predict";
  if (app.count("--nvdisasm") != 0 && !predict && app.count("--simulate") == 0 && app.count("--machine-code") == 0)
    return "--nvdisasm needs --predict, --simulate or --machine-code";
  return nullptr;
}

} // namespace
} // namespace llcuda::inspect

int main(int argc, char** argv) {
  llcuda::endCleanly("llcuda-inspect");
  llcuda::inspect::Options options;
  CLI::App app("Shows what a checkpoint (.gguf, .safetensors or the folder of a model) or an engine holds",
               "llcuda-inspect");
  llcuda::inspect::addFlags(app, options);
  if (const std::optional<int> code = llcuda::tools::parseCommandLine(app, argc, argv))
    return *code;
  if (const char* sentence = llcuda::inspect::optionWithoutEffect(app))
    return llcuda::tools::wrongUse(app, sentence);
  return llcuda::inspect::run(options);
}
