# SPDX-License-Identifier: Apache-2.0
# MLIR 22 from Debian: include paths, TableGen functions, and `llcuda_mlir`, what every MLIR room links.

find_package(MLIR REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(LLCUDA_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")

add_library(llcuda_mlir INTERFACE)
target_include_directories(llcuda_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_compile_options(llcuda_mlir INTERFACE ${LLCUDA_LLVM_DEFINITIONS})
