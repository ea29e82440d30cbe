// SPDX-License-Identifier: Apache-2.0
#include "tools/engine-cache/compile_first.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/ingest/input_files.h"
#include "runtime/base/regular_file.h"
#include "tools/engine-cache/engine_cache.h"

extern char** environ;

namespace llcuda::tools {
namespace {

namespace fs = std::filesystem;

bool wantsHostImages(llcuda_device device) {
  if (device == LLCUDA_DEVICE_AUTO)
    return ::access("/dev/nvidiactl", F_OK) != 0;
  return device == LLCUDA_DEVICE_HOST;
}

int fail(const CompileFirst& wanted, const std::string& message, int code) {
  std::cerr << wanted.program << ": " << message << '\n';
  return code;
}

/// Runs the program with its standard output sent to standard error: results are ours alone. The exit code.
int runProgram(const CompileFirst& wanted, std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  // A program that takes its signals one by one has blocked them; the compiler ends by them.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  pid_t child = 0;
  const int spawned = ::posix_spawn(&child, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0)
    return fail(wanted, arguments[0] + ": cannot be started: " + std::strerror(spawned), LLCUDA_UNSUPPORTED);
  if (wanted.started)
    wanted.started(child);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return fail(wanted, arguments[0] + ": cannot be waited for: " + std::strerror(errno), LLCUDA_INTERNAL);
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  if (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGHUP) {
    std::signal(WTERMSIG(status), SIG_DFL);
    std::raise(WTERMSIG(status)); // what ended it ends both
  }
  return fail(wanted, arguments[0] + ": was ended by signal " + std::to_string(WTERMSIG(status)), LLCUDA_INTERNAL);
}

} // namespace

bool isModel(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored) || path.ends_with(".safetensors"))
    return true;
  const std::string start = fileStart(path, 4);
  return start == "GGUF" || start.starts_with("{");
}

std::variant<std::string, int> compiledEngine(const CompileFirst& wanted) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path compiler = self.parent_path() / "llcuda-compile";
  if (error || ::access(compiler.c_str(), X_OK) != 0)
    return fail(wanted,
                wanted.model + ": is a model, and there is no llcuda-compile beside " + wanted.program +
                    " to compile it",
                LLCUDA_UNSUPPORTED);
  const Result<std::string> folder = engineCacheFolder();
  if (!folder)
    return fail(wanted, folder.error().message, static_cast<int>(folder.error().code));

  const std::string target = wantsHostImages(wanted.device) ? "sm_75,host" : "sm_75";
  std::vector<std::string> flags = {"--target", target};
  if (wanted.context != 0)
    flags.insert(flags.end(), {"-c", std::to_string(wanted.context)});
  if (wanted.maxBatch != 0)
    flags.insert(flags.end(), {"--max-batch", std::to_string(wanted.maxBatch)});
  const Result<std::string> name =
      cachedEngineName(wanted.model, ingest::inputFiles(wanted.model), compiler.string(), flags);
  if (!name)
    return fail(wanted, name.error().message, static_cast<int>(name.error().code));
  const fs::path engine = fs::path(*folder) / *name;
  if (!fs::exists(engine, error)) {
    std::vector<std::string> command = {compiler.string(), wanted.model, "-o", engine.string()};
    command.insert(command.end(), flags.begin(), flags.end());
    if (const int code = runProgram(wanted, std::move(command)))
      return code;
  }
  keepCacheSmall(*folder, engine.string(), wanted.cacheBytes.value_or(kEngineCacheBytes));
  return engine.string();
}

} // namespace llcuda::tools
