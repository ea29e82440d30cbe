// SPDX-License-Identifier: Apache-2.0
#include "codegen/host/host_compiler.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "codegen/base/blob_cache.h"
#include "codegen/base/wire.h"
#include "codegen/host/child_process.h"
#include "codegen/host/host_source.h"
#include "codegen/host/work_folder.h"
#include "codegen/nvrtc/embedded_headers.h"

namespace llcuda::codegen {
namespace {

// The number is that of what is kept in the cache.
constexpr std::string_view kMagic = "llcuda host kernel 1\n";

// No -march=native: the image runs on every x86-64-v3 machine. No unique symbols: they would keep an unloaded image.
const std::vector<std::string> kCompileFlags = {"-std=c++20",
                                                "-O2",
                                                "-march=x86-64-v3",
                                                "-fPIC",
                                                "-fvisibility=hidden",
                                                "-fno-exceptions",
                                                "-fno-gnu-unique",
                                                "-fno-rtti",
                                                "-fno-math-errno",
                                                "-fno-ident",
                                                "-ffp-contract=off",
                                                "-fno-plt",
                                                "-Wno-psabi",
                                                "-Wno-attributes",
                                                "-I."};
const std::vector<std::string> kLinkFlags = {"-shared", "-Wl,--build-id=none", "-Wl,-s", "-Wl,-z,defs", "-Wl,-z,now"};

std::vector<std::string> operator+(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The first line that says "error", else the first line. collect2 only says that the linker failed, which has said
/// why.
std::string firstComplaint(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find("error") != line.npos && !line.starts_with("collect2:"))
      return line;
  return text.substr(0, text.find('\n'));
}

/// A folder that is full often has no room for the compiler's words either.
std::string littleRoom(const std::string& folder) {
  constexpr uint64_t kEnough = 16 << 20;
  std::error_code error;
  const uint64_t left = std::filesystem::space(folder, error).available;
  if (error || left >= kEnough)
    return "";
  return "; only " + std::to_string(left >> 10) + " KiB are left in " + folder + ", which TMPDIR decides";
}

struct Unit {
  std::string name, source, key;
};

class HostCompilation {
public:
  HostCompilation(WorkFolder folder, const HostCompileOptions& options)
      : folder(std::move(folder)), options(options), cache(options.cacheFolder) {}

  Result<CompiledHostImage> run(std::span<const KernelSpec> specs) {
    LLCUDA_ASSIGN_OR_RETURN(image.compilerVersion, askVersion());
    LLCUDA_RETURN_IF_ERROR(collect(specs));
    for (const EmbeddedHeader& header : embeddedHeaders())
      LLCUDA_RETURN_IF_ERROR(folder.write(header.name, header.text));
    LLCUDA_RETURN_IF_ERROR(compileAll());
    LLCUDA_ASSIGN_OR_RETURN(image.bytes, link());
    return std::move(image);
  }

private:
  /// Runs the compiler; `what` completes "... while".
  Result<void> compile(const std::vector<std::string>& arguments, const std::string& logFile, const std::string& what) {
    LLCUDA_ASSIGN_OR_RETURN(const int status,
                            runProgram(std::vector{options.compiler} + arguments, folder.path(), logFile));
    if (status == 0)
      return {};
    LLCUDA_ASSIGN_OR_RETURN(const std::string log, folder.read(logFile));
    return internalError(what, ": ", options.compiler, " ended with ", status,
                         log.empty() ? " without a word" : ": " + firstComplaint(log), littleRoom(folder.path()));
  }

  Result<std::string> askVersion() {
    if (auto asked = compile({"-v"}, "version.log", "asking for its version"); !asked)
      return unsupported("no C++ compiler for host images: ", asked.error().message);
    LLCUDA_ASSIGN_OR_RETURN(const std::string log, folder.read("version.log"));
    const size_t at = log.rfind(" version ");
    if (at == log.npos)
      return unsupported("no C++ compiler for host images: ", options.compiler, " does not tell its version");
    const size_t begin = log.rfind('\n', at) == log.npos ? 0 : log.rfind('\n', at) + 1;
    return log.substr(begin, log.find_last_not_of(" \n") + 1 - begin);
  }

  Result<void> collect(std::span<const KernelSpec> specs) {
    std::map<std::string, const KernelSpec*> byName;
    for (const KernelSpec& spec : specs) {
      const auto [entry, added] = byName.emplace(spec.name, &spec);
      if (!added && *entry->second != spec)
        return internalError("kernel ", spec.name, ": two different kernels have this name");
    }
    std::vector<const KernelSpec*> sorted;
    for (const auto& [name, spec] : byName) {
      sorted.push_back(spec);
      units.push_back({name, hostKernelSource(*spec), {}});
    }
    units.push_back({"table", hostTableSource(sorted), {}});
    for (Unit& unit : units) unit.key = keyOf(unit);
    return {};
  }

  std::string keyOf(const Unit& unit) const {
    WireWriter writer;
    writer.text(kMagic);
    writer.text(image.compilerVersion);
    for (const std::string& flag : kCompileFlags) writer.text(flag);
    writer.text(unit.name);
    writer.text(unit.source);
    for (const EmbeddedHeader* header : headersOf(unit.source)) {
      writer.text(header->name);
      writer.text(header->text);
    }
    return blobKey(writer.take());
  }

  Result<void> compileAll() {
    std::atomic<size_t> next{0};
    Result<void> outcome;
    size_t done = 0;
    const auto work = [&] {
      for (size_t i = next++; i < units.size(); i = next++) {
        Result<void> result = makeObject(units[i]);
        const std::lock_guard lock(mutex);
        if (!result.ok()) {
          next = units.size();
          if (outcome.ok())
            outcome = std::move(result);
          return;
        }
        if (options.progress && ++done < units.size()) // the last one is the table
          options.progress(done, units.size() - 1);
      }
    };
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < std::min<size_t>(options.jobs, units.size()); ++i) helpers.emplace_back(work);
    work();
    helpers.clear(); // joins
    return outcome;
  }

  Result<void> makeObject(const Unit& unit) {
    const std::string object = unit.name + ".o";
    if (const auto cached = cache.find(unit.key)) {
      const std::lock_guard lock(mutex);
      ++image.cacheHits;
      return folder.write(object, *cached);
    }
    LLCUDA_RETURN_IF_ERROR(folder.write(unit.name + ".cpp", unit.source));
    LLCUDA_RETURN_IF_ERROR(compile(
        kCompileFlags + std::vector<std::string>{"-frandom-seed=" + unit.name, "-c", unit.name + ".cpp", "-o", object},
        unit.name + ".log", "kernel " + unit.name));
    LLCUDA_ASSIGN_OR_RETURN(const std::string bytes, folder.read(object));
    if (Result<void> stored = cache.store(unit.key, bytes); !stored) {
      const std::lock_guard lock(mutex);
      image.cacheWarning = stored.error().message;
    }
    return {};
  }

  Result<std::string> link() {
    std::vector<std::string> objects;
    for (const Unit& unit : units) objects.push_back(unit.name + ".o");
    LLCUDA_RETURN_IF_ERROR(compile(kLinkFlags + objects + std::vector<std::string>{"-o", "image.so", "-lm"}, "link.log",
                                   "linking the host image"));
    return folder.read("image.so");
  }

  WorkFolder folder;
  const HostCompileOptions& options;
  BlobCache cache;
  std::vector<Unit> units; // by name, then the table
  std::mutex mutex;        // of the image and the progress while compilers run
  CompiledHostImage image;
};

} // namespace

Result<CompiledHostImage> compileHostImage(std::span<const KernelSpec> specs, const HostCompileOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(WorkFolder folder, WorkFolder::create());
  return HostCompilation(std::move(folder), options).run(specs);
}

} // namespace llcuda::codegen
