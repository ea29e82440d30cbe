// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_checkpoint.h"

#include <algorithm>
#include <unordered_set>

#include "compiler/ingest/message_parts.h"
#include "compiler/ingest/split_name.h"

namespace llcuda::ingest {
namespace {

constexpr uint64_t kMaxParts = 10'000; // more do not fit into the five digits of a name

struct Split {
  uint64_t number = 0; ///< of this part, from 0
  uint64_t count = 1;
  uint64_t tensors = 0; ///< of all parts together
};

Result<Split> splitOf(const GgufFile& file) {
  Split split;
  const auto read = [&](const char* key, uint64_t& target) -> Result<void> {
    const GgufValue* value = file.find(key);
    if (!value)
      return {};
    const std::optional<uint64_t> number = value->asUnsigned();
    if (!number)
      return badInput(file.path(), ": ", key, " is not a whole number of at least 0");
    target = *number;
    return {};
  };
  LLCUDA_RETURN_IF_ERROR(read("split.no", split.number));
  LLCUDA_RETURN_IF_ERROR(read("split.count", split.count));
  LLCUDA_RETURN_IF_ERROR(read("split.tensors.count", split.tensors));
  split.count = std::max<uint64_t>(split.count, 1); // 0 in files that were never split
  if (split.count >= kMaxParts)
    return badInput(file.path(), ": split.count is ", split.count, ", outside 1 to ", kMaxParts - 1);
  return split;
}

/// Checks that `part` is part `number` of the model whose first part says `first`.
Result<void> checkPart(const GgufFile& part, uint64_t number, const Split& first) {
  LLCUDA_ASSIGN_OR_RETURN(const Split split, splitOf(part));
  if (split.number != number || split.count != first.count)
    return badInput(part.path(), ": says that it is part ", split.number + 1, " of ", split.count, ", not part ",
                    number + 1, " of ", first.count, "; download it again");
  if (split.tensors != first.tensors)
    return badInput(part.path(), ": belongs to a model of ", split.tensors, " tensors, the first part to one of ",
                    first.tensors, "; download all parts of one model");
  return {};
}

Result<void> checkTensors(const std::vector<GgufFile>& files, const Split& first) {
  std::unordered_set<std::string_view> names;
  for (const GgufFile& file : files)
    for (const GgufTensor& tensor : file.tensors())
      if (!names.insert(tensor.name).second)
        return badInput(file.path(), ": repeats tensor ", Quoted{tensor.name},
                        " of another part; download all parts of one model");
  if (names.size() != first.tensors)
    return badInput(files.front().path(), ": its parts have ", names.size(), " tensors, split.tensors.count is ",
                    first.tensors, "; download all parts of one model");
  return {};
}

} // namespace

Result<std::unique_ptr<const GgufCheckpoint>> GgufCheckpoint::open(const std::string& path) {
  std::vector<GgufFile> files;
  LLCUDA_ASSIGN_OR_RETURN(GgufFile file, GgufFile::open(path));
  LLCUDA_ASSIGN_OR_RETURN(const Split split, splitOf(file));
  files.push_back(std::move(file));
  if (split.count > 1) {
    if (split.number != 0)
      return badInput(path, ": is part ", split.number + 1, " of ", split.count, "; give the part that ends in ",
                      partEnding(0, split.count));
    if (!path.ends_with(partEnding(0, split.count)))
      return badInput(path, ": is the first of ", split.count,
                      " parts, which are found by their names; rename it to end in ", partEnding(0, split.count));
    const std::string prefix = path.substr(0, path.size() - partEnding(0, split.count).size());
    for (uint64_t number = 1; number < split.count; ++number) {
      Result<GgufFile> part = GgufFile::open(prefix + partEnding(number, split.count));
      if (!part)
        return makeError(part.error().code, part.error().message, "; part ", number + 1, " of ", split.count,
                         " of the model");
      LLCUDA_RETURN_IF_ERROR(checkPart(*part, number, split));
      files.push_back(std::move(*part));
    }
    LLCUDA_RETURN_IF_ERROR(checkTensors(files, split));
  }
  return std::unique_ptr<const GgufCheckpoint>(new GgufCheckpoint(std::move(files)));
}

GgufCheckpoint::GgufCheckpoint(std::vector<GgufFile> opened) : files(std::move(opened)) {
  std::vector<TensorInfo> tensors;
  for (const GgufFile& file : files)
    for (const GgufTensor& tensor : file.tensors())
      tensors.push_back({std::string(tensor.name), tensor.type, tensor.dims});
  setTensors(std::move(tensors));
}

const GgufFile* GgufCheckpoint::fileOf(std::string_view tensor) const {
  const auto found = std::ranges::find_if(files, [&](const GgufFile& file) { return file.findTensor(tensor); });
  return found == files.end() ? nullptr : &*found;
}

Result<TensorBytes> GgufCheckpoint::read(const TensorInfo& tensor) const {
  const GgufFile* file = fileOf(tensor.name);
  if (!file)
    return internalError("the model has no tensor ", tensor.name);
  const GgufTensor& stored = *file->findTensor(tensor.name);
  return TensorBytes{stored.type, stored.data};
}

std::optional<FilePlace> GgufCheckpoint::filePlace(const TensorInfo& tensor) const {
  const GgufFile* file = fileOf(tensor.name);
  if (!file)
    return std::nullopt;
  return FilePlace{file->path(),
                   static_cast<uint64_t>(file->findTensor(tensor.name)->data.data() - file->bytes().data())};
}

std::string GgufCheckpoint::title(std::string_view name) const {
  const GgufFile* file = fileOf(name);
  return std::string(name) + (file ? " of " + file->path() : "");
}

} // namespace llcuda::ingest
