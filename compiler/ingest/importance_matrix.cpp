// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/importance_matrix.h"

#include <algorithm>
#include <cstring>

#include "compiler/ingest/byte_cursor.h"
#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/gguf_reader.h"
#include "compiler/ingest/message_parts.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/regular_file.h"

namespace llcuda::ingest {
namespace {

constexpr int32_t kMaxNameBytes = 63; // of a tensor, as GGUF has it
constexpr float kLargest = 1e20f;     // weighted squares of values of f16 stay numbers
constexpr std::string_view kSums = ".in_sum2", kCounts = ".counts";

std::vector<float> floatsOf(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

} // namespace

class ImportanceReader {
public:
  explicit ImportanceReader(const std::string& path) : path(path) {}

  Result<ImportanceMatrix> readGguf() {
    LLCUDA_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(path));
    const GgufValue* type = file.find("general.type");
    if (!type || type->asString() != "imatrix")
      return badInput(path, ": is a GGUF file and no importance matrix; llama-imatrix makes one");
    if (const GgufValue* chunks = file.find("imatrix.chunk_count"))
      matrix.chunkCount = static_cast<uint32_t>(chunks->asUnsigned().value_or(0));
    if (const GgufValue* sets = file.find("imatrix.datasets"))
      if (const auto names = sets->asStrings(); names && !names->empty())
        matrix.datasetName = names->front();
    for (const GgufTensor& tensor : file.tensors())
      if (tensor.name.ends_with(kSums))
        LLCUDA_RETURN_IF_ERROR(takeSums(file, tensor));
    return finished();
  }

  /// i32 entries; of each: i32 and the name, i32 calls, i32 and the sums; at the end i32 chunks, i32 and the dataset.
  Result<ImportanceMatrix> readPlain() {
    LLCUDA_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
    ByteCursor cursor(file.bytes());
    int32_t count = 0;
    if (!cursor.read(count) || count < 1 || static_cast<uint64_t>(count) > cursor.remaining() / 12)
      return badInput(path, ": is no importance matrix; llama-imatrix makes one");
    for (int32_t i = 0; i < count; ++i) LLCUDA_RETURN_IF_ERROR(takeEntry(cursor, static_cast<uint64_t>(i)));
    int32_t chunks = 0, bytes = 0;
    std::span<const std::byte> name;
    if (cursor.read(chunks) && chunks > 0)
      matrix.chunkCount = static_cast<uint32_t>(chunks);
    if (cursor.read(bytes) && bytes > 0 && cursor.take(static_cast<uint64_t>(bytes), name))
      matrix.datasetName.assign(reinterpret_cast<const char*>(name.data()), name.size());
    return finished();
  }

private:
  Result<void> takeSums(const GgufFile& file, const GgufTensor& sums) {
    const std::string name(sums.name.substr(0, sums.name.size() - kSums.size()));
    const GgufTensor* counts = file.findTensor(name + std::string(kCounts));
    if (!counts)
      return badInput(path, ": has ", Quoted{sums.name}, " and no ", Quoted{name + std::string(kCounts)});
    if (sums.type != formats::TensorType::kF32 || counts->type != formats::TensorType::kF32)
      return badInput(path, ": ", Quoted{sums.name}, " or its counts are not f32");
    std::vector<float> values = floatsOf(sums.data);
    const std::vector<float> numbers = floatsOf(counts->data);
    if (numbers.empty() || values.empty() || values.size() % numbers.size() != 0)
      return badInput(path, ": ", Quoted{sums.name}, " has ", values.size(), " sums and ", numbers.size(), " counts");
    const std::size_t columns = values.size() / numbers.size();
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = numbers[i / columns] > 0 ? values[i] / numbers[i / columns] : 1; // an expert that nothing was sent to
    return take(name, std::move(values));
  }

  Result<void> takeEntry(ByteCursor& cursor, uint64_t index) {
    int32_t nameBytes = 0, calls = 0, count = 0;
    std::span<const std::byte> name, sums;
    const Place place{"entry", index};
    if (!cursor.read(nameBytes) || nameBytes < 1 || nameBytes > kMaxNameBytes ||
        !cursor.take(static_cast<uint64_t>(nameBytes), name))
      return badInput(path, ": ", place, " has no name of 1 to ", kMaxNameBytes, " bytes; is it an importance matrix?");
    if (!cursor.read(calls) || !cursor.read(count) || count < 1 ||
        !cursor.take(static_cast<uint64_t>(count) * sizeof(float), sums))
      return badInput(path, ": ", place, " claims ", count, " numbers and has ", cursor.remaining(), " bytes");
    std::vector<float> values = floatsOf(sums);
    if (calls > 0)
      for (float& value : values) value /= static_cast<float>(calls);
    return take(std::string(reinterpret_cast<const char*>(name.data()), name.size()), std::move(values));
  }

  Result<void> take(std::string name, std::vector<float> values) {
    for (const float value : values)
      if (!(value >= 0 && value <= kLargest))
        return badInput(path, ": ", Quoted{name}, " has the number ", value, "; they are from 0 to ", kLargest);
    if (!matrix.means.emplace(name, std::move(values)).second)
      return badInput(path, ": repeats ", Quoted{name});
    return {};
  }

  Result<ImportanceMatrix> finished() {
    if (matrix.means.empty())
      return badInput(path, ": says nothing of any tensor");
    return std::move(matrix);
  }

  const std::string path;
  ImportanceMatrix matrix;
};

Result<ImportanceMatrix> ImportanceMatrix::open(const std::string& path) {
  ImportanceReader reader(path);
  return fileStart(path, 4) == "GGUF" ? reader.readGguf() : reader.readPlain();
}

Result<std::span<const float>> ImportanceMatrix::of(const TensorInfo& tensor) const {
  const auto found = means.find(tensor.name);
  if (found == means.end())
    return std::span<const float>();
  const uint64_t matrices = tensor.dims.size() < 2 ? 1 : rowsOf(tensor) / std::max<uint64_t>(1, tensor.dims[1]);
  const uint64_t wanted = columnsOf(tensor) * matrices;
  if (found->second.size() != wanted)
    return badInput("has ", found->second.size(), " numbers in the importance matrix, its columns are ", wanted,
                    "; is it one of another model?");
  return std::span<const float>(found->second);
}

} // namespace llcuda::ingest
