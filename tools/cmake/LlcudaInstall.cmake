# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: headers, libraries, tools, their man pages and completion, and the CMake package:
# find_package(llcuda) gives llcuda::llcuda.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/llcuda)
set(libraries llcuda)
if(TARGET llcuda-text)
  list(APPEND libraries llcuda-text)
endif()
install(TARGETS ${libraries} EXPORT llcuda-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS llcuda-hostsim LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY runtime/include/llcuda DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT llcuda-targets NAMESPACE llcuda:: DESTINATION ${package_dir})
file(WRITE ${PROJECT_BINARY_DIR}/llcuda-config.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/llcuda-targets.cmake)\n")
write_basic_package_version_file(${PROJECT_BINARY_DIR}/llcuda-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/llcuda-config.cmake ${PROJECT_BINARY_DIR}/llcuda-config-version.cmake
  DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/llcuda)

# Made of what the tools say with --help.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  install(CODE "
    set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
    execute_process(COMMAND \"${Python3_EXECUTABLE}\" \"${PROJECT_SOURCE_DIR}/tools/package/command_pages.py\"
      \"${PROJECT_BINARY_DIR}/bin\" \"\${prefix}/${CMAKE_INSTALL_DATADIR}\" COMMAND_ERROR_IS_FATAL ANY)")
else()
  message(STATUS "Python 3 is missing: man pages and completion will not be installed")
endif()
