// SPDX-License-Identifier: Apache-2.0
// How a program ends. Each test lets a child of its own end, and looks at what is left.
#include "runtime/base/clean_end.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/base/mapped_file.h"
#include "runtime/base/output_file.h"

namespace llcuda {
namespace {

namespace fs = std::filesystem;

class CleanEnd : public testing::Test {
protected:
  CleanEnd() {
    fs::create_directory(folder);
    GTEST_FLAG_SET(death_test_style, "threadsafe"); // the child gets a thread
  }
  ~CleanEnd() override { fs::remove_all(folder); }
  std::string at(const std::string& name) const { return (folder / name).string(); }
  size_t fileCount() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {})); }

  /// A half written output and a folder with something in it; then `signal` comes.
  [[noreturn]] void beginAndReceive(int signal) const {
    std::signal(signal, SIG_DFL); // who runs tests in the background ignores some, and what is ignored stays so
    endCleanly("program");
    auto file = OutputFile::create(at("engine"));
    fs::create_directories(at("scratch/sub"));
    const TemporaryPath scratch(at("scratch"));
    std::ofstream(at("scratch/sub/object")) << "bytes";
    if (!file.ok() || fileCount() != 2)
      ::_exit(99);
    ::kill(::getpid(), signal);
    for (;;) ::pause();
  }

  // The child of a test runs it from the start, so the name must be the same; other tests, and those of another build,
  // run at the same time.
  fs::path folder =
      fs::read_symlink("/proc/self/exe").string() + "." + testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(CleanEnd, ASignalLeavesNothingAndEndsTheProgram) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU}) {
    EXPECT_EXIT(beginAndReceive(signal), testing::KilledBySignal(signal), "program: interrupted; nothing was written");
    EXPECT_EQ(fileCount(), 0u) << signal;
  }
}

// As nohup asks for.
TEST_F(CleanEnd, AnIgnoredSignalStaysIgnored) {
  const auto child = [] {
    std::signal(SIGHUP, SIG_IGN);
    endCleanly("program");
    std::raise(SIGHUP);
    ::_exit(5);
  };
  EXPECT_EXIT(child(), testing::ExitedWithCode(5), "");
}

TEST_F(CleanEnd, AMappedFileThatBecomesShorterIsNamed) {
  const auto child = [this] {
    endCleanly("program");
    auto output = OutputFile::create(at("engine"));
    const auto mapped = MappedFile::open(at("model"));
    if (!output.ok() || !mapped.ok() || ::truncate(at("model").c_str(), 4096) != 0)
      ::_exit(99);
    unsigned sum = 0;
    std::jthread reader([&] {
      for (const std::byte byte : mapped->bytes()) sum += static_cast<unsigned>(byte);
    });
    reader.join();
    ::_exit(static_cast<int>(98 + sum % 1));
  };
  std::ofstream(at("model")) << std::string(20000, 'x');
  EXPECT_EXIT(child(), testing::ExitedWithCode(2), "program: .*/model: became shorter while it was read");
  EXPECT_EQ(fileCount(), 1u);
}

// A fault elsewhere ends the program as ever.
TEST_F(CleanEnd, AnotherBusErrorIsNotExplained) {
  const auto child = [] {
    endCleanly("program");
    std::raise(SIGBUS);
  };
  EXPECT_EXIT(child(), testing::KilledBySignal(SIGBUS), "^$");
}

} // namespace
} // namespace llcuda
