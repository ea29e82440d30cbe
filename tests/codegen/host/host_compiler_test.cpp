// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "codegen/host/host_compiler.h"
#include "codegen/spec/attention_spec.h"
#include "codegen/spec/rope_spec.h"
#include "codegen/spec/rows_spec.h"
#include "codegen/spec/sample_spec.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "tests/codegen/linear_descs.h"

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// y[i] = factor * x[i] for the threads of one block.
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

class HostCompiler : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("host_compiler_test_" + std::to_string(::getpid()));
    fs::create_directories(folder);
    options.compiler = LLCUDA_CXX;
  }
  void TearDown() override {
    fs::remove_all(folder);
    ::unsetenv("TMPDIR");
  }

  fs::path folder;
  HostCompileOptions options;
};

// From specs to numbers: the table must name each kernel, and its body hand over every argument in its place.
TEST_F(HostCompiler, KernelsRunOnHostsim) {
  const auto image = compileHostImage(std::vector{scaleSpec(2), scaleSpec(3)}, options);
  ASSERT_TRUE(image) << image.error().message;
  auto driver = cuda::Driver::open(cuda::DriverKind::kHost, LLCUDA_HOSTSIM_LIBRARY);
  ASSERT_TRUE(driver) << driver.error().message;
  const auto context = *cuda::Context::create(*driver);
  const auto module = cuda::Module::load(context, std::as_bytes(std::span(image->bytes)), "the image");
  ASSERT_TRUE(module) << module.error().message;
  const auto x = *cuda::DeviceMemory::allocate(context, 64 * 4, "x"),
             y = *cuda::DeviceMemory::allocate(context, 64 * 4, "y");
  const auto stream = *cuda::Stream::create(context);
  std::vector<float> values(64, 5.f);
  ASSERT_TRUE(stream.copyToDevice(x.address(), std::as_bytes(std::span(values))).ok());
  for (const int factor : {2, 3}) {
    const auto function = module->function(scaleSpec(factor).name);
    ASSERT_TRUE(function) << function.error().message;
    const cuda::CUdeviceptr arguments[] = {x.address(), y.address()};
    const auto launched = stream.launch(*function, {}, 64, 0, arguments);
    ASSERT_TRUE(launched.ok()) << launched.error().message;
    ASSERT_TRUE(stream.copyToHost(std::as_writable_bytes(std::span(values)), y.address()).ok());
    ASSERT_TRUE(stream.synchronize().ok());
    EXPECT_THAT(values, testing::Each(5.f * factor));
  }
  EXPECT_THAT(module->function("scale_by4").error().message, HasSubstr("has no kernel scale_by4"));
}

// An engine's hash depends on it: neither the folder for temporary files, nor the number of compilers at a time, nor
// the order of the specs, nor the cache may show.
TEST_F(HostCompiler, TheSameBytesWhateverTheFolderOrderAndJobs) {
  const auto first = compileHostImage(std::vector{scaleSpec(2), scaleSpec(3), scaleSpec(4)}, options);
  ASSERT_TRUE(first) << first.error().message;
  fs::create_directories(folder / "a folder for temporary files");
  ::setenv("TMPDIR", (folder / "a folder for temporary files").c_str(), 1);
  options.jobs = 3;
  options.cacheFolder = folder / "cache";
  const std::vector specs = {scaleSpec(4), scaleSpec(2), scaleSpec(3), scaleSpec(2)};
  const auto second = compileHostImage(specs, options), third = compileHostImage(specs, options);
  ASSERT_TRUE(second && third);
  EXPECT_EQ(first->bytes, second->bytes);
  EXPECT_EQ(first->bytes, third->bytes);
  EXPECT_EQ(second->cacheHits, 0u);
  EXPECT_EQ(third->cacheHits, 4u) << "three kernels and the table";
  EXPECT_THAT(first->bytes, Not(HasSubstr("/tmp"))) << "no path of this machine";
  EXPECT_TRUE(fs::is_empty(folder / "a folder for temporary files")) << "temporary files are removed";
}

// Variables of the user's shell that add include folders or change messages must not reach the compiler.
TEST_F(HostCompiler, TheEnvironmentDoesNotShow) {
  fs::create_directories(folder / "include");
  std::ofstream(folder / "include/stdint.h") << "#error taken from CPATH\n";
  ::setenv("CPATH", (folder / "include").c_str(), 1);
  const auto image = compileHostImage(std::vector{scaleSpec(2)}, options);
  ::unsetenv("CPATH");
  EXPECT_TRUE(image) << image.error().message;
}

TEST_F(HostCompiler, AnErrorNamesTheKernelAndTheComplaint) {
  KernelSpec broken = scaleSpec(2);
  broken.name = "scale_broken";
  broken.call = "thisFunctionIsMissing(x, y)";
  const auto image = compileHostImage(std::vector{scaleSpec(2), broken}, options);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::kInternal);
  EXPECT_THAT(image.error().message, HasSubstr("kernel scale_broken"));
  EXPECT_THAT(image.error().message, HasSubstr("thisFunctionIsMissing"));
  EXPECT_THAT(image.error().message, Not(HasSubstr("\n")));
}

TEST_F(HostCompiler, OneNameForTwoKernelsIsRefused) {
  KernelSpec other = scaleSpec(2);
  other.call = "y[0] = x[0]";
  EXPECT_THAT(compileHostImage(std::vector{scaleSpec(2), other}, options).error().message,
              HasSubstr("two different kernels have this name"));
}

TEST_F(HostCompiler, AMissingCompilerIsNamed) {
  options.compiler = "no-such-compiler";
  const auto missing = compileHostImage(std::vector{scaleSpec(2)}, options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(missing.error().message, HasSubstr("no-such-compiler"));
  options.compiler = "false";
  EXPECT_THAT(compileHostImage(std::vector{scaleSpec(2)}, options).error().message, HasSubstr("no C++ compiler"));
}

// A cache that cannot be written must not stop a compilation, and must not go unsaid.
TEST_F(HostCompiler, AnUnwritableCacheIsAWarning) {
  std::ofstream(folder / "cache") << "a file where the folder should be";
  options.cacheFolder = folder / "cache";
  const auto image = compileHostImage(std::vector{scaleSpec(2)}, options);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_THAT(image->cacheWarning, HasSubstr("kernel cache"));
}

/// What decode and prompt phases of SmolLM2-135M launch.
std::vector<KernelSpec> realKernels(WeightLayout layout) {
  const bool int8 = weightReadsInt8Rows(layout);
  AttentionDesc attention = {
      .rows = 1, .heads = 9, .kvHeads = 3, .headSize = 64, .cache = {.maxContext = 8192}, .scale = 0.125f};
  attention.f32Rows = !int8;
  attention.int8Rows = int8;
  std::vector<KernelSpec> specs = {
      linearLaunch(linearOf(layout, 1, 576, 49152)).kernel,
      linearLaunch(linearOf(layout, 1, 1536, 576, NormRows{.eps = 1e-5f, .f32Rows = !int8, .int8Rows = int8})).kernel,
      linearLaunch(gluOf(layout, 1, 576, 1536, {.f32Rows = !int8, .int8Rows = int8})).kernel,
      attentionDecodeLaunch(attention).kernel,
      linearLaunch(manyRows(linearOf(layout, 256, 1536, 576, StoreRows{.residual = true}))).kernel,
      rmsNormLaunch({256, 576, 1e-5f, false, !int8, int8}).kernel,
      gluLaunch({256, 1536, Activation::kSilu, !int8, int8}).kernel,
      embeddingLaunch({layout, 1, 576, 49152, 1.f}).kernel,
      sampleLaunch({1, 49152, 1, 4096, true}).kernel,
  };
  attention.rows = 256;
  specs.push_back(attentionPromptLaunch(attention).kernel);
  return specs;
}

// Device code that only NVRTC accepts would stop the host image of every engine.
TEST_F(HostCompiler, RealKernelsCompile) {
  options.jobs = 2;
  for (const WeightLayout layout : {WeightLayout::kQ4_1Planes, WeightLayout::kF16Rows}) {
    const auto image = compileHostImage(realKernels(layout), options);
    EXPECT_TRUE(image) << image.error().message;
  }
}

} // namespace
} // namespace llcuda::codegen
