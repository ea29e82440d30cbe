// SPDX-License-Identifier: Apache-2.0
#include "codegen/base/blob_cache.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codegen/base/wire.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/temporary_path.h"

namespace llcuda::codegen {
namespace {

// The number is that of the file's layout.
constexpr std::string_view kMagic = "llcuda kernel 1\n";

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Unique among the programs and threads that write at a time.
std::string temporaryName(const std::string& file) {
  static std::atomic<uint64_t> counter{0};
  return file + "." + std::to_string(::getpid()) + "." + std::to_string(counter++) + ".tmp";
}

} // namespace

std::string blobKey(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return digits;
}

std::string BlobCache::fileOf(const std::string& key) const {
  return folder + "/kernels/" + key.substr(0, 2) + "/" + key;
}

std::optional<std::string> BlobCache::find(const std::string& key) const {
  if (folder.empty())
    return std::nullopt;
  const Result<MappedFile> file = MappedFile::open(fileOf(key));
  if (!file)
    return std::nullopt;
  const auto bytes = file->bytes();
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic))
    return std::nullopt;
  WireReader reader(text.substr(kMagic.size()));
  const uint64_t hash = reader.number();
  const std::string_view content = reader.text();
  if (!reader.atEnd() || hash != XXH3_64bits(content.data(), content.size()) || !content.starts_with(key))
    return std::nullopt;
  return std::string(content.substr(key.size()));
}

Result<void> BlobCache::store(const std::string& key, std::string_view blob) const {
  if (folder.empty())
    return {};
  const std::string file = fileOf(key);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
  if (error)
    return internalError("kernel cache ", folder, ": cannot be made: ", error.message());

  const std::string content = key + std::string(blob);
  WireWriter writer;
  writer.number(XXH3_64bits(content.data(), content.size()));
  writer.text(content);
  const std::string bytes = std::string(kMagic) + writer.take();

  TemporaryPath temporary(temporaryName(file));
  std::unique_ptr<std::FILE, FileCloser> out(std::fopen(temporary.path().c_str(), "wbx"));
  bool written = out && std::fwrite(bytes.data(), 1, bytes.size(), out.get()) == bytes.size();
  written = out && std::fclose(out.release()) == 0 && written;
  if (!written)
    return internalError("kernel cache ", folder, ": cannot be written: ", std::strerror(errno));
  return temporary.renameTo(file);
}

} // namespace llcuda::codegen
