// SPDX-License-Identifier: Apache-2.0
#include "codegen/host/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string_view>

namespace llcuda::codegen {
namespace {

constexpr std::string_view kDroppedVariables[] = {"TMPDIR=",
                                                  "CPATH=",
                                                  "C_INCLUDE_PATH=",
                                                  "CPLUS_INCLUDE_PATH=",
                                                  "LIBRARY_PATH=",
                                                  "COMPILER_PATH=",
                                                  "GCC_EXEC_PREFIX=",
                                                  "GCC_COLORS=",
                                                  "LANG=",
                                                  "LANGUAGE=",
                                                  "LC_",
                                                  "DEPENDENCIES_OUTPUT=",
                                                  "SUNPRO_DEPENDENCIES=",
                                                  "LD_RUN_PATH=",
                                                  "LDEMULATION=",
                                                  "LDFLAGS="};

/// `temporary`: "TMPDIR=FOLDER".
std::vector<char*> childEnvironment(std::string& temporary) {
  static char locale[] = "LC_ALL=C";
  std::vector<char*> variables = {locale, temporary.data()};
  for (char** variable = environ; *variable; ++variable)
    if (std::none_of(std::begin(kDroppedVariables), std::end(kDroppedVariables),
                     [&](std::string_view dropped) { return std::string_view(*variable).starts_with(dropped); }))
      variables.push_back(*variable);
  variables.push_back(nullptr);
  return variables;
}

class FileActions {
public:
  FileActions(const std::string& folder, const std::string& outputFile) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputFile.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions; }

private:
  posix_spawn_file_actions_t actions;
};

} // namespace

Result<int> runProgram(const std::vector<std::string>& command, const std::string& folder,
                       const std::string& outputFile) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const FileActions actions(folder, outputFile);
  std::string temporary = "TMPDIR=" + folder;
  pid_t child = -1;
  if (const int error = posix_spawnp(&child, arguments[0], actions.get(), nullptr, arguments.data(),
                                     childEnvironment(temporary).data());
      error != 0)
    return unsupported("cannot run ", command[0], ": ", std::strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return internalError("waiting for ", command[0], ": ", std::strerror(errno));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace llcuda::codegen
