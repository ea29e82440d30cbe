// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/device.h"

#include <gmock/gmock.h>

#include "tests/runtime/exec/toy_session.h"

namespace llcuda {
namespace {

using testing::HasSubstr;

/// A toy engine with images of these kinds; none of them can run.
std::shared_ptr<const Engine> engineWith(std::vector<fb::ImageKind> kinds) {
  toy::ToyEngine toy = toy::toyEngine();
  toy.images.resize(128); // the last byte ends a PTX image
  for (auto& kernel : toy.metadata.kernels) {
    kernel->images.clear();
    for (fb::ImageKind kind : kinds)
      kernel->images.emplace_back(kind, fb::Span(0, kind == fb::ImageKind::ptx_compute_75 ? 128 : 64));
  }
  return toy::openToy(toy);
}

TEST(ImagesFor, CapabilityDecides) {
  const auto all = engineWith({fb::ImageKind::cubin_sm_75, fb::ImageKind::ptx_compute_75, fb::ImageKind::host_x86_64});
  EXPECT_EQ(*imagesFor(*all, {7, 5}, "T4"), fb::ImageKind::cubin_sm_75);
  EXPECT_EQ(*imagesFor(*all, {8, 0}, "A100"), fb::ImageKind::ptx_compute_75);
  EXPECT_EQ(*imagesFor(*all, {9, 0}, "H200"), fb::ImageKind::ptx_compute_75);
  EXPECT_EQ(*imagesFor(*all, {0, 0}, "host"), fb::ImageKind::host_x86_64);
}

TEST(ImagesFor, OlderIsNoDevice) {
  const auto all = engineWith({fb::ImageKind::cubin_sm_75, fb::ImageKind::ptx_compute_75});
  for (Capability capability : {Capability{7, 0}, Capability{6, 1}, Capability{3, 5}}) {
    const auto images = imagesFor(*all, capability, "V100");
    ASSERT_FALSE(images.ok());
    EXPECT_EQ(images.error().code, ErrorCode::kNoDevice);
    EXPECT_THAT(images.error().message, HasSubstr("llcuda needs 7.5 or newer"));
  }
}

TEST(ImagesFor, MissingImagesAreNamed) {
  const auto host = engineWith({fb::ImageKind::host_x86_64});
  EXPECT_THAT(imagesFor(*host, {7, 5}, "T4").error().message, HasSubstr("has no sm_75 images"));
  EXPECT_THAT(imagesFor(*host, {8, 6}, "A10").error().message, HasSubstr("has no PTX images"));
  const auto gpu = engineWith({fb::ImageKind::cubin_sm_75});
  EXPECT_EQ(imagesFor(*gpu, {0, 0}, "host").error().code, ErrorCode::kUnsupported);
}

TEST(OpenDevice, HostNeedsHostImages) {
  const auto gpu = engineWith({fb::ImageKind::cubin_sm_75});
  const auto opened = openDevice(*gpu, DeviceChoice::kHost, 0, {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kNoDevice);
  EXPECT_THAT(opened.error().message, HasSubstr("compile the model with --target sm_75,host"));
}

// Where there is a GPU these have nothing to say.
TEST(OpenDevice, AutoFallsBackToTheHostWithAWarning) {
  std::string warning;
  const LogSink log = [&](LogLevel level, std::string_view line) {
    if (level == LogLevel::kWarning)
      warning = line;
  };
  const auto host = engineWith({fb::ImageKind::host_x86_64});
  if (openDevice(*engineWith({fb::ImageKind::cubin_sm_75, fb::ImageKind::ptx_compute_75}), DeviceChoice::kCuda, 0, {}))
    GTEST_SKIP() << "this machine has a GPU";
  const auto opened = openDevice(*host, DeviceChoice::kAuto, 0, log);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_TRUE(opened->onHost());
  EXPECT_THAT(warning, HasSubstr("running on the host, which is slow"));

  const auto nothing = openDevice(*engineWith({fb::ImageKind::cubin_sm_75}), DeviceChoice::kAuto, 0, log);
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kNoDevice);
  EXPECT_EQ(openDevice(*host, DeviceChoice::kCuda, 0, log).error().code, ErrorCode::kNoDevice);
}

} // namespace
} // namespace llcuda
