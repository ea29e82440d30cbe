// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/compile_first.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace llcuda::run {
namespace {

namespace fs = std::filesystem;

/// Empty when neither XDG_CACHE_HOME nor HOME says where.
fs::path cacheFolder() {
  if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder && *folder)
    return fs::path(folder) / "llcuda" / "engines";
  if (const char* home = std::getenv("HOME"); home && *home)
    return fs::path(home) / ".cache" / "llcuda" / "engines";
  return {};
}

/// FNV-1a, for a file name that differs when anything does that the engine depends on.
uint64_t hashOf(const std::string& text) {
  uint64_t hash = 14695981039346656037u;
  for (unsigned char c : text) hash = (hash ^ c) * 1099511628211u;
  return hash;
}

bool wantsHostImages(const Options& options) {
  if (options.session.device == LLCUDA_DEVICE_AUTO)
    return ::access("/dev/nvidiactl", F_OK) != 0;
  return options.session.device == LLCUDA_DEVICE_HOST;
}

/// Names, sizes and times of the files of a model: another engine belongs to it when any of them changes.
std::string stampOf(const fs::path& model) {
  std::vector<fs::path> files = {model};
  std::error_code ignored;
  const fs::path folder = model.extension() == ".safetensors" ? model.parent_path() : model;
  if (fs::is_directory(folder, ignored))
    files.assign(fs::directory_iterator(folder, ignored), {});
  std::ranges::sort(files);
  std::ostringstream stamp;
  for (const fs::path& file : files)
    stamp << file.filename().string() << ' ' << fs::file_size(file, ignored) << ' '
          << fs::last_write_time(file, ignored).time_since_epoch().count() << '\n';
  return stamp.str();
}

std::string engineName(const fs::path& model, const std::string& target, const Options& options) {
  std::ostringstream key;
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(model, ignored);
  key << whole.string() << '\n' << stampOf(whole) << target << '\n' << options.context << '\n' << llcuda_version();
  std::ostringstream name;
  name << (fs::is_directory(whole, ignored) ? whole.filename() : whole.stem()).string() << '-' << std::hex
       << hashOf(key.str()) << ".engine";
  return name.str();
}

int fail(const std::string& message, int code) {
  std::cerr << "llcuda-run: " << message << '\n';
  return code;
}

/// Runs the program with its standard output sent to standard error: results are ours alone. The exit code.
int runProgram(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int spawned = ::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0)
    return fail(arguments[0] + ": cannot be started: " + std::strerror(spawned), LLCUDA_UNSUPPORTED);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return fail(arguments[0] + ": cannot be waited for: " + std::strerror(errno), LLCUDA_INTERNAL);
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  return fail(arguments[0] + ": was ended by signal " + std::to_string(WTERMSIG(status)), LLCUDA_INTERNAL);
}

} // namespace

bool isModel(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored) || path.ends_with(".safetensors"))
    return true;
  char magic[4] = {};
  std::ifstream in(path, std::ios::binary);
  return in.read(magic, sizeof(magic)) && std::memcmp(magic, "GGUF", sizeof(magic)) == 0;
}

std::variant<std::string, int> compiledEngine(const Options& options) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path compiler = self.parent_path() / "llcuda-compile";
  if (error || ::access(compiler.c_str(), X_OK) != 0)
    return fail(options.engine + ": is a model, and there is no llcuda-compile beside llcuda-run to compile it",
                LLCUDA_UNSUPPORTED);
  const fs::path folder = cacheFolder();
  if (folder.empty())
    return fail("neither XDG_CACHE_HOME nor HOME says where the compiled engine can be kept", LLCUDA_USAGE);
  fs::create_directories(folder, error);
  if (error)
    return fail(folder.string() + ": cannot be made: " + error.message(), LLCUDA_BAD_INPUT);

  const std::string target = wantsHostImages(options) ? "sm_75,host" : "sm_75";
  const fs::path engine = folder / engineName(options.engine, target, options);
  if (fs::exists(engine, error))
    return engine.string();
  std::vector<std::string> arguments = {compiler.string(), options.engine, "-o", engine.string(), "--target", target};
  if (options.context != 0)
    arguments.insert(arguments.end(), {"-c", std::to_string(options.context)});
  if (const int code = runProgram(std::move(arguments)))
    return code;
  return engine.string();
}

} // namespace llcuda::run
