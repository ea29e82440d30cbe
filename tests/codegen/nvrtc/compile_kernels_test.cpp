// SPDX-License-Identifier: Apache-2.0
// Needs NVRTC: its absence is a failure, since the project's set-up installs it.
#include "codegen/nvrtc/compile_kernels.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/nvrtc/embedded_headers.h"
#include "codegen/nvrtc/kernel_cache.h"
#include "codegen/nvrtc/kernel_compiler.h"
#include "codegen/nvrtc/nvrtc_search.h"

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string environmentValue(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

NvrtcSearch search() {
  return usualSearch("", environmentValue("LLCUDA_BUILD") + "/bin", environmentValue("VIRTUAL_ENV"), "");
}

/// Multiplies by a constant, so that each factor is a kernel of its own.
KernelSpec scaleSpec(int factor) {
  KernelSpec spec;
  spec.op = "scale";
  spec.name = "scale_by" + std::to_string(factor);
  spec.header = "codegen/kernels/base/device.cuh";
  spec.call = "syncThreads(), y[threadIdx.x] = " + std::to_string(factor) + " * x[threadIdx.x]";
  spec.params = {{"x", "const float*", Access::kRead}, {"y", "float*", Access::kWrite}};
  spec.threads = 64;
  return spec;
}

class CompileKernels : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("llcuda_nvrtc_" + std::to_string(::getpid()));
    fs::remove_all(folder);
    options.nvrtc = search();
  }
  void TearDown() override { fs::remove_all(folder); }

  std::vector<std::string> worker() const {
    return {(fs::read_symlink("/proc/self/exe").parent_path() / "kernel_worker").string()};
  }

  fs::path folder;
  KernelCompileOptions options;
  const std::vector<KernelSpec> specs = {scaleSpec(2), scaleSpec(3), scaleSpec(2), scaleSpec(5)};
};

TEST_F(CompileKernels, OneCompileGivesMachineCodeAndPtx) {
  const auto compiled = compileKernels(specs, options);
  ASSERT_TRUE(compiled) << compiled.error().message;
  ASSERT_EQ(compiled->kernels.size(), specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    const CompiledKernel& kernel = compiled->kernels[i];
    EXPECT_THAT(kernel.cubin, StartsWith("\x7f"
                                         "ELF"));
    EXPECT_EQ(static_cast<uint8_t>(kernel.cubin[18]), 190) << "the ELF machine of CUDA";
    EXPECT_THAT(kernel.ptx, HasSubstr("\n.version 7.8\n.target sm_75\n"));
    EXPECT_THAT(kernel.ptx, HasSubstr(".entry " + specs[i].name + "("));
    EXPECT_GT(kernel.registers, 4u);
    EXPECT_EQ(kernel.spillBytes, 0u);
    EXPECT_EQ(kernel.log, "");
  }
  EXPECT_EQ(compiled->kernels[0], compiled->kernels[2]);
  EXPECT_NE(compiled->kernels[0], compiled->kernels[1]);
}

// The bytes must not depend on who compiles, how many do, or where.
TEST_F(CompileKernels, WorkersGiveTheSameBytes) {
  const auto here = compileKernels(specs, options);
  ASSERT_TRUE(here) << here.error().message;
  options.workerCommand = worker();
  const fs::path before = fs::current_path();
  for (const unsigned jobs : {1u, 2u, 7u}) {
    fs::create_directories(folder / std::to_string(jobs));
    fs::current_path(folder / std::to_string(jobs));
    options.jobs = jobs;
    const auto there = compileKernels(specs, options);
    fs::current_path(before);
    ASSERT_TRUE(there) << there.error().message;
    EXPECT_EQ(there->kernels, here->kernels) << jobs << " workers";
    EXPECT_EQ(there->flags, here->flags);
  }
}

TEST_F(CompileKernels, NoPathOfTheMachineIsInTheOutput) {
  const auto compiled = compileKernels(specs, options);
  ASSERT_TRUE(compiled) << compiled.error().message;
  for (const CompiledKernel& kernel : compiled->kernels)
    for (const std::string& text : {kernel.cubin, kernel.ptx}) {
      EXPECT_EQ(text.find(fs::current_path().string() + "/"), text.npos);
      EXPECT_EQ(text.find("/tmp"), text.npos);
    }
}

TEST_F(CompileKernels, ProgressCountsEachDistinctKernelOnce) {
  std::vector<size_t> done;
  options.progress = [&](const KernelProgress& progress) {
    EXPECT_EQ(progress.total, 3u);
    done.push_back(progress.done);
  };
  ASSERT_TRUE(compileKernels(specs, options));
  EXPECT_EQ(done, (std::vector<size_t>{1, 2, 3}));
}

TEST_F(CompileKernels, TheCacheServesTheSameBytes) {
  options.cacheFolder = folder.string();
  const auto cold = compileKernels(specs, options), warm = compileKernels(specs, options);
  ASSERT_TRUE(cold && warm);
  EXPECT_EQ(cold->cacheHits, 0u);
  EXPECT_EQ(warm->cacheHits, 3u);
  EXPECT_EQ(cold->kernels, warm->kernels);
  EXPECT_EQ(cold->cacheWarning, "");
}

// A damaged entry is a miss, and is mended: the next look finds it whole.
TEST_F(CompileKernels, ADamagedCacheEntryIsAMiss) {
  options.cacheFolder = folder.string();
  const std::vector<KernelSpec> one = {scaleSpec(2)};
  const auto first = compileKernels(one, options);
  ASSERT_TRUE(first) << first.error().message;
  fs::path entry;
  for (const auto& file : fs::recursive_directory_iterator(folder))
    if (file.is_regular_file())
      entry = file.path();
  const auto size = fs::file_size(entry);
  for (const uintmax_t at : {uintmax_t{0}, uintmax_t{17}, uintmax_t{30}, size / 2, size - 1}) {
    std::fstream file(entry, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char flipped = static_cast<char>(file.get() ^ 0x10);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(flipped);
    file.close();
    const auto again = compileKernels(one, options);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->cacheHits, 0u) << "byte " << at;
    EXPECT_EQ(again->kernels, first->kernels);
  }
  for (const uintmax_t length : {uintmax_t{0}, uintmax_t{3}, size / 2, size - 1}) {
    fs::resize_file(entry, length);
    const auto again = compileKernels(one, options);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->cacheHits, 0u) << "length " << length;
  }
  EXPECT_EQ(compileKernels(one, options)->cacheHits, 1u);
}

// A cache that cannot be written must not stop a compilation, and must not go unsaid.
TEST_F(CompileKernels, AnUnwritableCacheIsAWarning) {
  std::ofstream(folder) << "a file where the folder should be";
  options.cacheFolder = folder.string();
  const auto compiled = compileKernels(specs, options);
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_THAT(compiled->cacheWarning, HasSubstr("kernel cache " + folder.string()));
}

TEST_F(CompileKernels, AnErrorNamesTheKernelAndTheCause) {
  KernelSpec wrong = scaleSpec(2);
  wrong.call = "noSuchFunction(x)";
  for (const auto& command : {std::vector<std::string>{}, worker()}) {
    options.workerCommand = command;
    const auto compiled = compileKernels(std::vector{scaleSpec(3), wrong}, options);
    ASSERT_FALSE(compiled);
    EXPECT_THAT(compiled.error().message, StartsWith("kernel scale_by2: NVRTC: NVRTC_ERROR_COMPILATION: "));
    EXPECT_THAT(compiled.error().message, HasSubstr("noSuchFunction"));
    EXPECT_EQ(compiled.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(CompileKernels, TwoKernelsOfOneNameAreRefused) {
  KernelSpec twin = scaleSpec(2);
  twin.call = "syncThreads()";
  const auto compiled = compileKernels(std::vector{scaleSpec(2), twin}, options);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, EndsWith("two different kernels have this name"));
}

TEST_F(CompileKernels, AWorkerThatDiesIsAnErrorThatNamesItsKernel) {
  options.workerCommand = {"/bin/sh", "-c", "kill -SEGV $$"};
  auto compiled = compileKernels(specs, options);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, StartsWith("kernel scale_by2: its compiler process was ended by"));

  options.workerCommand = {"/bin/sh", "-c", "exit 7"};
  compiled = compileKernels(specs, options);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, EndsWith("its compiler process ended with status 7"));

  options.workerCommand = {"/nonexistent/worker"};
  compiled = compileKernels(specs, options);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, HasSubstr("/nonexistent/worker cannot be started"));
}

TEST_F(CompileKernels, ReportsSharedMemoryAndSpills) {
  const auto nvrtc = NvrtcLibrary::open(search());
  ASSERT_TRUE(nvrtc) << nvrtc.error().message;
  // 128 live values in the 64 registers that a block of 1024 threads leaves to each.
  const auto kernel = compileSource(*nvrtc, "crowded", R"(
    extern "C" __global__ void __launch_bounds__(1024) crowded(const float* x, float* y) {
      __shared__ float row[1024];
      float v[128];
      #pragma unroll
      for (int i = 0; i < 128; ++i) v[i] = x[i * 1024 + threadIdx.x];
      row[threadIdx.x] = v[0];
      __syncthreads();
      #pragma unroll
      for (int i = 0; i < 128; ++i) y[i * 1024 + threadIdx.x] = v[i] * v[(i * 37 + 5) % 128] + row[1023 - threadIdx.x];
    })");
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->registers, 64u);
  EXPECT_EQ(kernel->staticSharedBytes, 4096u);
  EXPECT_GT(kernel->spillBytes, 0u);
}

/// Whether a header needs more of the C++ library than a device has.
bool includesLibrary(std::string_view text) {
  for (size_t at = text.find("#include <"); at != text.npos; at = text.find("#include <", at + 1))
    if (!text.substr(at).starts_with("#include <cstdint>"))
      return true;
  return false;
}

// Kernels include the headers of the encodings; nothing in them may need a host.
TEST_F(CompileKernels, TheEncodingsCompileForTheDevice) {
  const auto nvrtc = NvrtcLibrary::open(search());
  ASSERT_TRUE(nvrtc) << nvrtc.error().message;
  std::string includes;
  for (const EmbeddedHeader& header : embeddedHeaders()) {
    const std::string name = header.name;
    const bool hostOnly = includesLibrary(header.text) || name.ends_with("/quantize_blocks.h");
    if (name.starts_with("codegen/formats/") && name.ends_with(".h") && !hostOnly)
      includes += "#include \"" + name + "\"\n";
  }
  const auto kernel = compileSource(*nvrtc, "decode", includes + R"(
    extern "C" __global__ void decode(const llcuda::formats::BlockIQ2_XXS* a, const llcuda::formats::BlockIQ1_M* b,
                                      const llcuda::formats::BlockNVFP4* c, const llcuda::formats::BlockQ6_K* d,
                                      float* out) {
      dequantize(a[threadIdx.x], out + 256 * threadIdx.x);
      dequantize(b[threadIdx.x], out + 256 * (threadIdx.x + 32));
      dequantize(c[threadIdx.x], out + 256 * (threadIdx.x + 64));
      dequantize(d[threadIdx.x], out + 256 * (threadIdx.x + 96));
    })");
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->log, "");
}

// The key must change with everything that the kernel depends on, and with nothing else.
TEST_F(CompileKernels, TheKeyFollowsSourceAndHeaders) {
  const auto nvrtc = NvrtcLibrary::open(search());
  ASSERT_TRUE(nvrtc) << nvrtc.error().message;
  const std::string plain = "// a\n", included = "#include \"codegen/kernels/base/device.cuh\"\n";
  EXPECT_EQ(kernelKey(*nvrtc, plain), kernelKey(*nvrtc, plain));
  EXPECT_NE(kernelKey(*nvrtc, plain), kernelKey(*nvrtc, "// b\n"));
  EXPECT_NE(kernelKey(*nvrtc, included), kernelKey(*nvrtc, plain));
  EXPECT_EQ(kernelKey(*nvrtc, plain).size(), 32u);
}

TEST(NvrtcLibrary, SaysWhatIsWrongWithANamedLibrary) {
  auto library = NvrtcLibrary::open({.path = "/nonexistent/libnvrtc.so.12", .binaryFolder = "", .pythonPrefixes = {}});
  ASSERT_FALSE(library);
  EXPECT_THAT(library.error().message, HasSubstr("/nonexistent/libnvrtc.so.12"));

  library = NvrtcLibrary::open({.path = fs::temp_directory_path(), .binaryFolder = "", .pythonPrefixes = {}});
  ASSERT_FALSE(library);
  EXPECT_THAT(library.error().message, EndsWith("holds no libnvrtc.so.12 or .13"));

  library = NvrtcLibrary::open({.path = "libm.so.6", .binaryFolder = "", .pythonPrefixes = {}});
  ASSERT_FALSE(library);
  EXPECT_THAT(library.error().message, EndsWith("is not an NVRTC library"));
}

// What NVRTC 13 writes is not for drivers of the 12 series: one that lies in front does not hide a 12 behind it. A
// package that holds the program brings its neighbours along.
TEST_F(CompileKernels, LooksForNvrtc12Before13) {
  const auto place = [&](const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "a library";
    return file.string();
  };
  const std::string newer = place(folder / "env/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  const std::string older = place(folder / "own/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  fs::create_directories(folder / "own/llcuda/bin");
  const std::vector<std::string> candidates = nvrtcCandidates({.path = "",
                                                               .binaryFolder = (folder / "own/llcuda/bin").string(),
                                                               .pythonPrefixes = {(folder / "env").string()}});
  ASSERT_EQ(candidates.size(), 5u);
  EXPECT_TRUE(fs::equivalent(candidates[0], older)) << candidates[0];
  EXPECT_EQ(candidates[1], "libnvrtc.so.12");
  EXPECT_TRUE(fs::equivalent(candidates[2], newer)) << candidates[2];
  EXPECT_EQ(candidates[3], "libnvrtc.so.13");
  EXPECT_THAT(nvrtcCandidates({.path = newer, .binaryFolder = "", .pythonPrefixes = {}}), testing::ElementsAre(newer));
}

} // namespace
} // namespace llcuda::codegen
