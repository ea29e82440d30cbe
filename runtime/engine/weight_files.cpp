// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine/weight_files.h"

#include <cstdio>
#include <filesystem>

#include "codegen/pack/paired_rows.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda {
namespace {

namespace fs = std::filesystem;

/// Places of a file, the best first.
std::vector<fs::path> candidates(const Engine& engine, const fs::path& recorded, const std::string& from) {
  if (from.empty())
    return {recorded, fs::path(engine.path()).parent_path() / recorded.filename()};
  std::error_code ignored;
  if (fs::is_directory(from, ignored))
    return {fs::path(from) / recorded.filename()};
  const bool only = engine.metadata().source_files()->size() == 1;
  return {only ? fs::path(from) : fs::path(from).parent_path() / recorded.filename()};
}

Result<MappedFile> openFile(const Engine& engine, const fb::SourceFile& file, const std::string& from) {
  std::string problems;
  for (const fs::path& path : candidates(engine, file.path()->str(), from)) {
    auto mapped = MappedFile::open(path.string());
    if (mapped && mapped->bytes().size() == file.bytes())
      return mapped;
    problems += (problems.empty() ? "" : "; ") +
                (mapped ? detail::concat(path.string(), ": has ", mapped->bytes().size(),
                                         " bytes, the file that the engine was compiled from has ", file.bytes())
                        : mapped.error().message);
  }
  return badInput(engine.path(), ": its weights are in a file of their own, which is not there: ", problems,
                  "; name it with --weights-from, or compile with --weights embed");
}

std::string hexadecimal(uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

} // namespace

Result<WeightFiles> WeightFiles::open(const Engine& engine, const std::string& from) {
  WeightFiles opened;
  if (engine.metadata().source_files())
    for (const fb::SourceFile* file : *engine.metadata().source_files()) {
      LLCUDA_ASSIGN_OR_RETURN(MappedFile mapped, openFile(engine, *file, from));
      opened.files.push_back(std::move(mapped));
    }
  return opened;
}

Result<std::vector<std::byte>> WeightFiles::pack(const Engine& engine, const fb::WeightSource& source) const {
  const MappedFile& file = files[source.file()];
  const auto stored = file.bytes().subspan(source.offset(), source.bytes());
  const std::string_view name = engine.metadata().buffers()->Get(source.buffer())->name()->string_view();
  if (const uint64_t hash = schema::hashBytes(stored); hash != source.xxh3())
    return badInput(file.path(), ": the bytes of ", name, " (", source.bytes(), " from ", source.offset(),
                    " on) have XXH3 ", hexadecimal(hash), ", the engine was compiled from ", hexadecimal(source.xxh3()),
                    "; bring back the file, or compile or --refit the engine again");
  auto packed = pack::packPaired(*pack::layoutByName(source.layout()->string_view()), source.rows(), source.columns(),
                                 {source.pair_rows(), source.group_rows()},
                                 *formats::tensorTypeByName(source.encoding()->string_view()), stored);
  if (!packed)
    return makeError(packed.error().code, engine.path(), ": weight ", name, ": ", packed.error().message);
  return packed;
}

} // namespace llcuda
