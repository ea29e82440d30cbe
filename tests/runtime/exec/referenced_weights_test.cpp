// SPDX-License-Identifier: Apache-2.0
// An engine that leaves its weight in another file.
#include <filesystem>

#include <unistd.h>

#include <gmock/gmock.h>

#include "runtime/engine/weight_files.h"
#include "tests/runtime/exec/toy_session.h"

namespace llcuda {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class ReferencedWeights : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / ("llcuda_referenced_weights_" + std::to_string(::getpid()));
    fs::remove_all(folder);
    fs::create_directories(folder / "elsewhere");
    toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
    source = toy::referWeights(toy, model().string());
    toy::writeFile(model().string(), source);
    toy::writeFile((folder / "elsewhere/toy.engine").string(), toy::fileBytes(toy));
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path model() const { return folder / "toy.gguf"; }

  Result<std::shared_ptr<const Program>> load(const std::string& from = {}, bool guard = false) {
    LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open((folder / "elsewhere/toy.engine").string()));
    auto engine = std::make_shared<const Engine>(std::move(opened));
    LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
    return Program::load(std::move(engine), std::move(device), guard, from);
  }
  std::string refusal(const std::string& from = {}) {
    const auto program = load(from);
    EXPECT_FALSE(program.ok());
    return program ? "" : program.error().message;
  }

  fs::path folder;
  std::vector<std::byte> source;
};

// The text is that of the engine which holds the weight, with one allocation and with one for each buffer.
TEST_F(ReferencedWeights, GenerateTheSameTokens) {
  for (const bool guard : {false, true}) {
    auto program = load({}, guard);
    ASSERT_TRUE(program.ok()) << program.error().message;
    auto session = Session::create(std::move(*program), toy::kMaxContext, 1);
    ASSERT_TRUE(session.ok()) << session.error().message;
    Sequence sequence(**session, 0);
    const auto collected = toy::generate(sequence, std::vector<int32_t>{1, 2, 3}, {.maxTokens = 8});
    EXPECT_EQ(collected.tokens, toy::continuation({1, 2, 3}, 8));
  }
}

// Moved beside the engine, or to where --weights-from says: the folder, or the file under another name.
TEST_F(ReferencedWeights, AreFoundElsewhere) {
  fs::rename(model(), folder / "elsewhere/toy.gguf");
  EXPECT_TRUE(load().ok());
  fs::create_directories(folder / "third");
  fs::rename(folder / "elsewhere/toy.gguf", folder / "third/toy.gguf");
  EXPECT_THAT(refusal(), HasSubstr("toy.gguf: cannot be opened"));
  EXPECT_THAT(refusal(), HasSubstr("elsewhere/toy.gguf"));
  EXPECT_THAT(refusal(), HasSubstr("--weights-from"));
  EXPECT_TRUE(load((folder / "third").string()).ok());
  fs::rename(folder / "third/toy.gguf", folder / "third/other.gguf");
  EXPECT_TRUE(load((folder / "third/other.gguf").string()).ok());
}

// One changed bit anywhere in the weight is refused with both hashes; bytes around it mean nothing.
TEST_F(ReferencedWeights, EditedFileIsRefusedWithBothHashes) {
  source[3] ^= std::byte{1};
  toy::writeFile(model().string(), source);
  EXPECT_TRUE(load().ok());
  source[64 + 77] ^= std::byte{1};
  toy::writeFile(model().string(), source);
  EXPECT_THAT(refusal(), testing::MatchesRegex(".*toy.gguf: the bytes of token_embd \\(4096 from 64 on\\) have XXH3 "
                                               "[0-9a-f]{16}, the engine was compiled from [0-9a-f]{16}; .*"));
}

TEST_F(ReferencedWeights, ShortFileIsRefusedBeforeItIsRead) {
  toy::writeFile(model().string(), std::span(source).first(source.size() - 1));
  EXPECT_THAT(refusal(), HasSubstr("has 4167 bytes, the file that the engine was compiled from has 4168"));
}

// What the engine promises to pack is what it holds when it is compiled with its weights.
TEST_F(ReferencedWeights, PackToTheDevicesBytes) {
  auto engine = Engine::open((folder / "elsewhere/toy.engine").string());
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(engine->weightBytes(), toy::kReferredBytes);
  auto files = WeightFiles::open(*engine, "");
  ASSERT_TRUE(files.ok());
  auto packed = files->pack(*engine, *engine->metadata().weight_sources()->Get(0));
  ASSERT_TRUE(packed.ok());
  std::vector<std::byte> weights = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH)).weights;
  weights.resize(toy::kReferredBytes);
  EXPECT_EQ(*packed, weights);
}

} // namespace
} // namespace llcuda
