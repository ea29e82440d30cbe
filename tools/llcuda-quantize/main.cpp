// SPDX-License-Identifier: Apache-2.0
// Makes a GGUF file of a model with its matrices in fewer bits, by llama-quantize's arguments.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <thread>

#include "compiler/ingest/quantize_gguf.h"
#include "compiler/ingest/safetensors_set.h"
#include "compiler/models/quantize_folder.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/version.h"
#include "tools/tool-options/command_line.h"

namespace llcuda {
namespace {

using ingest::Quantization;
using ingest::QuantizedTensor;

std::string mebibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::string scientific(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

/// Names in any case, llama-quantize's short ones, and its numbers.
Result<Quantization> typeByName(const std::string& name) {
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::pair<const char*, Quantization> others[] = {
      {"q4_k", Quantization::kQ4_K_M}, {"q5_k", Quantization::kQ5_K_M}, {"1", Quantization::kF16},
      {"2", Quantization::kQ4_0},      {"7", Quantization::kQ8_0},      {"15", Quantization::kQ4_K_M},
      {"17", Quantization::kQ5_K_M},   {"18", Quantization::kQ6_K}};
  for (const auto& [other, type] : others)
    if (lower == other)
      return type;
  Result<Quantization> type = ingest::quantizationByName(lower);
  if (!type || *type == Quantization::kNf4)
    return usageError(name, " is not one of f16, q8_0, q4_0, q4_k_m, q5_k_m, q6_k");
  return type;
}

void printTensor(std::ostream& out, const QuantizedTensor& made, std::size_t number, std::size_t count) {
  std::string size;
  for (const uint64_t dim : made.tensor.dims) size += (size.empty() ? "" : " x ") + std::to_string(dim);
  char line[160];
  std::snprintf(line, sizeof line, "[%4zu/%4zu] %-40s %-22s %5s", number, count, made.tensor.name.c_str(), size.c_str(),
                std::string(formats::tensorTypeInfo(made.stored).name).c_str());
  out << line;
  if (made.tensor.type != made.stored) {
    out << " -> " << formats::tensorTypeInfo(made.tensor.type).name << (made.weighted ? ", weighted" : "") << "  "
        << mebibytes(made.storedBytes) << " -> " << mebibytes(made.bytes);
    if (made.squaredError > 0)
      out << "  error " << scientific(made.squaredError);
  }
  out << std::endl;
}

int run(int argc, char** argv) {
  ingest::QuantizeGgufOptions options;
  models::OpenOptions open;
  std::string type;
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  CLI::App app("Makes a GGUF file of a model, with its matrices in fewer bits.", "llcuda-quantize");
  app.set_version_flag("--version", std::string("llcuda-quantize ") + kVersion);
  app.add_option("IN", options.input,
                 "A GGUF file, of a split one the first part; a Hugging Face folder; an adapter's folder")
      ->required()
      ->type_name("PATH");
  app.add_option("OUT", options.output, "The GGUF file to write")->required()->type_name("PATH");
  app.add_option("TYPE", type, "f16, q8_0, q4_0, q4_k_m, q5_k_m or q6_k, or llama-quantize's number of it")
      ->required()
      ->type_name("");
  app.add_option("NTHREADS", options.threads, "Threads (default: one a core)")
      ->check(CLI::Range(1u, 1024u))
      ->type_name("");
  app.add_option("--imatrix", options.importance,
                 "An importance matrix of llama-imatrix: what matters loses less, in q4_0, q4_k_m, q5_k_m and q6_k")
      ->type_name("FILE");
  app.add_option("--base", open.base, "The model of an adapter, where IN is a folder that holds only an adapter")
      ->type_name("PATH");
  app.add_option("--tokenizer", open.tokenizer, "Of a folder: the folder or GGUF file whose tokenizer it gets")
      ->type_name("PATH");
  app.add_flag("--dry-run", options.dryRun, "Say what would become of each tensor, and write nothing");
  app.add_flag("--force", options.replace, "Write over OUT");
  app.add_flag("--allow-requantize", options.requantize,
               "Take tensors that are quantised already, which lose more than those of the 16-bit model");
  app.add_flag("--leave-output-tensor", options.keepHead, "Leave the tensor that makes the logits as it is");
  if (const std::optional<int> code = tools::parseCommandLine(app, argc, argv))
    return *code;
  const Result<Quantization> quantization = typeByName(type);
  if (!quantization)
    return tools::wrongUse(app, "TYPE: " + quantization.error().message);
  options.quantization = *quantization;
  options.progress = [&](const QuantizedTensor& made, std::size_t number, std::size_t count) {
    printTensor(options.dryRun ? std::cout : std::cerr, made, number, count);
  };

  const bool isFolder = ingest::isSafetensors(options.input);
  if (!isFolder && (!open.base.empty() || !open.tokenizer.empty()))
    return tools::wrongUse(app, "--base and --tokenizer are for folders; a GGUF file keeps what it has");
  const Result<ingest::QuantizeGgufReport> done =
      isFolder ? models::quantizeFolder(options, std::move(open)) : ingest::quantizeGguf(options);
  if (!done) {
    std::cerr << "llcuda-quantize: " << done.error().message << '\n';
    return static_cast<int>(done.error().code);
  }
  std::cout << (options.dryRun ? "would write " : "wrote ") << options.output << ": "
            << ingest::quantizationName(options.quantization) << ", weights " << mebibytes(done->storedBytes) << " -> "
            << mebibytes(done->bytes);
  if (done->weighted > 0)
    std::cout << ", " << done->weighted << " tensors by the importance matrix";
  if (done->squaredError > 0)
    std::cout << ", normalised squared error " << scientific(done->squaredError);
  std::cout << std::endl;
  return std::cout ? 0 : static_cast<int>(ErrorCode::kInternal);
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  llcuda::endCleanly("llcuda-quantize");
  return llcuda::run(argc, argv);
}
