// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/quantize_gguf.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/quantize.h"
#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/gguf_checkpoint.h"
#include "compiler/ingest/gguf_kind.h"
#include "compiler/ingest/gguf_writer.h"
#include "compiler/ingest/importance_matrix.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/ingest/quantized_checkpoint.h"
#include "runtime/base/hash.h"
#include "runtime/base/output_file.h"
#include "runtime/base/parallel.h"

namespace llcuda::ingest {
namespace {

constexpr uint32_t kQuantizationVersion = 2;

/// GGUF's number of a mix, `general.file_type`.
uint32_t fileTypeOf(Quantization quantization) {
  switch (quantization) {
  case Quantization::kF16:
    return 1;
  case Quantization::kQ4_0:
    return 2;
  case Quantization::kQ8_0:
    return 7;
  case Quantization::kQ4_K_M:
    return 15;
  case Quantization::kQ5_K_M:
    return 17;
  case Quantization::kQ6_K:
    return 18;
  case Quantization::kNf4:
    break;
  }
  return 1024; // mixed
}

/// Keys that are another file's business.
bool isReplaced(std::string_view key) {
  return key == "general.quantization_version" || key == "general.file_type" || key.starts_with("split.") ||
         key.starts_with("quantize.imatrix.");
}

/// A number of the model's architecture; 0 where the file does not have it.
uint64_t architectureNumber(const GgufFile& file, const std::string& key) {
  const GgufValue* architecture = file.find("general.architecture");
  const auto name = architecture ? architecture->asString() : std::nullopt;
  const GgufValue* value = name ? file.find(std::string(*name) + key) : nullptr;
  return value ? value->asUnsigned().value_or(0) : 0;
}

struct SquaredSums {
  double error = 0, values = 0;

  double ratio() const { return values > 0 ? error / values : 0; }
};

class Quantizer {
public:
  Quantizer(const QuantizeGgufOptions& options, const GgufModel& source)
      : options(options), source(source), model(source.tensors) {}

  Result<QuantizeGgufReport> run() {
    if (!options.importance.empty()) {
      LLCUDA_ASSIGN_OR_RETURN(importance, ImportanceMatrix::open(options.importance));
    }
    LLCUDA_RETURN_IF_ERROR(chooseTypes());
    if (options.dryRun) {
      for (std::size_t i = 0; i < plan.size(); ++i) report(i);
      return sums;
    }
    LLCUDA_RETURN_IF_ERROR(write());
    sums.squaredError = total.ratio();
    return sums;
  }

private:
  Result<void> chooseTypes() {
    const QuantizedModel facts = {source.layers, headName(model), source.experts, importance.has_value()};
    QuantizeOptions wanted = {options.quantization, std::nullopt};
    if (options.keepHead)
      wanted.head = HeadEncoding::kKeep;
    for (const TensorInfo& tensor : model.tensors()) {
      QuantizedTensor made = {tensor, tensor.type, encodedBytes(tensor, tensor.type)};
      made.tensor.type = wantedType(tensor, facts, wanted);
      LLCUDA_RETURN_IF_ERROR(checkChange(tensor, made.tensor.type));
      made.bytes = encodedBytes(made.tensor, made.tensor.type);
      if (importance && made.tensor.type != tensor.type && formats::heedsImportance(made.tensor.type)) {
        const auto weights = importance->of(tensor);
        if (!weights)
          return errorOf(model, tensor.name, weights.error());
        made.weighted = !weights->empty();
      }
      sums.storedBytes += made.storedBytes;
      sums.bytes += made.bytes;
      sums.weighted += made.weighted;
      plan.push_back(std::move(made));
    }
    return {};
  }

  Result<void> checkChange(const TensorInfo& tensor, formats::TensorType wanted) const {
    const std::string_view name = formats::tensorTypeInfo(tensor.type).name;
    if (wanted == tensor.type && static_cast<uint32_t>(wanted) >= formats::kFirstForeignType)
      return unsupported(model.title(tensor.name), ": is ", name, " and stays so, which GGUF files do not have");
    if (wanted == tensor.type || isFloat(tensor.type))
      return {};
    if (!options.requantize)
      return unsupported(model.title(tensor.name), ": is ", name,
                         " already, and would lose more by another encoding; start from the 16-bit model, or take "
                         "--allow-requantize");
    if (!formats::canDequantize(tensor.type))
      return unsupported(model.title(tensor.name), ": is ", name, ", which is not read");
    return {};
  }

  GgufHeader header() const {
    GgufHeader header = source.header;
    header.addU32("general.quantization_version", kQuantizationVersion);
    header.addU32("general.file_type", fileTypeOf(options.quantization));
    if (importance) {
      header.addString("quantize.imatrix.file", std::filesystem::path(options.importance).filename().string());
      if (!importance->dataset().empty())
        header.addString("quantize.imatrix.dataset", importance->dataset());
      header.addU32("quantize.imatrix.entries_count", static_cast<uint32_t>(importance->entries()));
      header.addU32("quantize.imatrix.chunks_count", importance->chunks());
    }
    for (const QuantizedTensor& made : plan) header.addTensor(made.tensor);
    return header;
  }

  std::vector<InputFile> inputs() const {
    std::vector<std::string> paths = source.files;
    if (!options.importance.empty())
      paths.push_back(options.importance);
    return identified(paths);
  }

  Result<void> write() {
    LLCUDA_ASSIGN_OR_RETURN(OutputFile output, OutputFile::create(options.output, inputs()));
    const GgufHeader head = header();
    LLCUDA_RETURN_IF_ERROR(output.append(head.bytes()));
    for (std::size_t i = 0; i < plan.size(); ++i) {
      LLCUDA_ASSIGN_OR_RETURN(const TensorBytes encoded, encode(plan[i]));
      hashes.push_back(hashBytes(encoded.bytes));
      LLCUDA_RETURN_IF_ERROR(output.append(encoded.bytes));
      const std::vector<std::byte> padding(head.paddingAfter(encoded.bytes.size()));
      LLCUDA_RETURN_IF_ERROR(output.append(padding));
      report(i);
    }
    LLCUDA_RETURN_IF_ERROR(readAgain(output.temporaryPath()));
    return output.commit();
  }

  Result<TensorBytes> encode(QuantizedTensor& made) {
    const TensorInfo& stored = *model.find(made.tensor.name);
    LLCUDA_ASSIGN_OR_RETURN(const TensorBytes bytes, model.read(stored));
    if (made.tensor.type == stored.type)
      return bytes;
    std::span<const float> weights;
    if (made.weighted) {
      LLCUDA_ASSIGN_OR_RETURN(weights, importance->of(stored));
    }
    const ReadRow rows = decodedRows(stored, bytes);
    const Result<TensorBytes> encoded = encodeRows(made.tensor, rows, options.threads, weights);
    if (!encoded)
      return errorOf(model, made.tensor.name, encoded.error());
    const SquaredSums error = compared(made.tensor, rows, decodedRows(made.tensor, *encoded));
    made.squaredError = error.ratio();
    total.error += error.error;
    total.values += error.values;
    return *encoded;
  }

  SquaredSums compared(const TensorInfo& tensor, const ReadRow& before, const ReadRow& after) const {
    const uint64_t rows = rowsOf(tensor), columns = columnsOf(tensor);
    std::vector<SquaredSums> ofRows(rows); // summed in their order: the same number on any count of threads
    parallelFor(options.threads, rows, std::max<uint64_t>(1, 65536 / std::max<uint64_t>(1, columns)),
                [&](size_t begin, size_t end) {
                  std::vector<float> was(columns), is(columns);
                  for (size_t row = begin; row < end; ++row) {
                    before(row, was.data());
                    after(row, is.data());
                    for (size_t c = 0; c < columns; ++c) {
                      const double distance = static_cast<double>(is[c]) - was[c];
                      ofRows[row].error += distance * distance;
                      ofRows[row].values += static_cast<double>(was[c]) * was[c];
                    }
                  }
                });
    return std::accumulate(ofRows.begin(), ofRows.end(), SquaredSums(), [](SquaredSums sum, const SquaredSums& row) {
      return SquaredSums{sum.error + row.error, sum.values + row.values};
    });
  }

  /// What was written is read as any other model, and has to be what was made.
  Result<void> readAgain(const std::string& path) const {
    const Result<GgufFile> file = GgufFile::open(path);
    if (!file)
      return internalError(options.output, ": was written and cannot be read: ", file.error().message);
    bool same = file->tensors().size() == plan.size();
    for (std::size_t i = 0; same && i < plan.size(); ++i) {
      const GgufTensor& found = file->tensors()[i];
      const TensorInfo& made = plan[i].tensor;
      same = found.name == made.name && found.type == made.type && found.dims == made.dims &&
             hashBytes(found.data) == hashes[i];
    }
    if (!same)
      return internalError(options.output, ": does not read as it was written; is the disk sound?");
    return {};
  }

  void report(std::size_t i) const {
    if (options.progress)
      options.progress(plan[i], i + 1, plan.size());
  }

  const QuantizeGgufOptions& options;
  const GgufModel& source;
  const Checkpoint& model;
  std::optional<ImportanceMatrix> importance;
  std::vector<QuantizedTensor> plan;
  std::vector<uint64_t> hashes; // of what was written
  QuantizeGgufReport sums;
  SquaredSums total;
};

GgufHeader keptKeys(const GgufFile& file) {
  GgufHeader header(file.alignment());
  for (const GgufEntry& entry : file.metadata())
    if (!isReplaced(entry.key))
      header.add(entry);
  return header;
}

/// The files that the tensors lie in.
std::vector<std::string> filesOf(const GgufCheckpoint& checkpoint) {
  std::vector<std::string> paths;
  for (const TensorInfo& tensor : checkpoint.tensors())
    if (const auto place = checkpoint.filePlace(tensor); place && std::ranges::find(paths, place->path) == paths.end())
      paths.push_back(place->path);
  return paths;
}

} // namespace

Result<QuantizeGgufReport> quantizeModel(const QuantizeGgufOptions& options, const GgufModel& model) {
  std::error_code ignored;
  if (!options.dryRun && !options.replace && std::filesystem::exists(options.output, ignored))
    return usageError(options.output, ": is there already; --force replaces it");
  return Quantizer(options, model).run();
}

Result<QuantizeGgufReport> quantizeGguf(const QuantizeGgufOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(const std::unique_ptr<const GgufCheckpoint> checkpoint, GgufCheckpoint::open(options.input));
  const GgufFile& file = checkpoint->metadata();
  LLCUDA_RETURN_IF_ERROR(checkHoldsModel(file));
  return quantizeModel(options, {.tensors = *checkpoint,
                                 .header = keptKeys(file),
                                 .layers = architectureNumber(file, ".block_count"),
                                 .experts = architectureNumber(file, ".expert_count"),
                                 .files = filesOf(*checkpoint)});
}

} // namespace llcuda::ingest
