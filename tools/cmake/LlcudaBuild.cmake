# SPDX-License-Identifier: Apache-2.0
# Flags and helpers that every room uses.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
# Installed programs find their libraries beside themselves.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -DNDEBUG")
if(LLCUDA_ASSERTIONS)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
endif()
# A field that a designated initializer leaves out has its default. -ffp-contract=off: the interpreter's and the
# packers' answers are the same bytes on every machine.
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
  -ffp-contract=off -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(LLCUDA_WERROR)
  add_compile_options(-Werror)
endif()
if(LLCUDA_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(LLCUDA_STATIC)
  # libgcc_s stays a library of the system's: what GCC 12 would link statically needs glibc 2.35.
  add_link_options(-static-libstdc++ -Wl,--gc-sections)
endif()
find_program(CCACHE ccache)
if(CCACHE) # which takes precompiled headers only when told so
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# llcuda_library(name SOURCES... [LINK libs...]): a static library of one room. Include paths are the repository root
# and the build root (generated headers lie there under the room's own path).
function(llcuda_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

# llcuda_travels(name): in a static build, a program or library that also runs where glibc is 2.34.
function(llcuda_travels name)
  if(LLCUDA_STATIC)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tools/cmake/older_glibc.cpp)
  endif()
endfunction()

# llcuda_tool(name SOURCES... [LINK libs...]): an installed program.
function(llcuda_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  llcuda_travels(${name})
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()

# llcuda_test(SOURCE [LINK libs...]): a GoogleTest program from one *_test.cpp, beside its subject's path in the build
# tree, where lit finds it. The target is the source's path with '_' for '/', without `.cpp`.
function(llcuda_test source)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(RELATIVE_PATH dir ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  cmake_path(GET source STEM stem)
  cmake_path(GET source PARENT_PATH parent)
  string(REPLACE "/" "_" target "${dir}/${parent}/${stem}")
  string(REPLACE "__" "_" target "${target}")
  add_executable(${target} ${source})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${stem}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${dir}/${parent})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_link_libraries(${target} PRIVATE ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  add_dependencies(llcuda-tests ${target})
endfunction()
