# SPDX-License-Identifier: Apache-2.0
# MLIR 22 from Debian: include paths, TableGen functions, and `llcuda_mlir`, what every MLIR room links.

find_package(MLIR REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(LLCUDA_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# mlir_tablegen() looks for .td files in the folders of the directory property.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR})

# Include paths and flags, for libraries; and the libraries themselves, for programs.
add_library(llcuda_mlir INTERFACE)
target_include_directories(llcuda_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
# Type ids must be one symbol in libMLIR.so and here, else a trait is unknown to the other side: nothing is hidden.
target_compile_options(llcuda_mlir INTERFACE ${LLCUDA_LLVM_DEFINITIONS} -fvisibility=default
  $<$<COMPILE_LANGUAGE:CXX>:-fno-visibility-inlines-hidden>)

if(LLCUDA_STATIC)
  # The exported MLIR targets drag in the shared LLVM library, so the archives are named by path. One group, since they
  # need each other.
  set(archives)
  foreach(name MLIROptLib MLIRAnalysis MLIRAsmParser MLIRBytecodeOpInterface MLIRBytecodeReader MLIRBytecodeWriter
      MLIRCallInterfaces MLIRControlFlowInterfaces MLIRDebug MLIRFuncDialect MLIRFunctionInterfaces MLIRIR MLIRIRDL
      MLIRInferTypeOpInterface MLIRObservers MLIRParser MLIRPDLDialect MLIRPDLInterpDialect MLIRPDLToPDLInterp MLIRPass
      MLIRPluginsLib MLIRRemarkStreamer MLIRRewrite MLIRRewritePDL MLIRSideEffectInterfaces MLIRSupport
      MLIRTransformUtils MLIRTransforms LLVMBinaryFormat LLVMBitstreamReader LLVMCore LLVMDemangle LLVMOption
      LLVMRemarks LLVMSupport LLVMTargetParser)
    list(APPEND archives ${LLVM_LIBRARY_DIR}/lib${name}.a)
  endforeach()
  target_link_libraries(llcuda_mlir INTERFACE -Wl,--start-group ${archives} -Wl,--end-group
    -Wl,-Bstatic -lz -lzstd -ltinfo -Wl,-Bdynamic)
else()
  # Debian keeps these two out of the loader's sight, so installed programs are told where they lie.
  list(APPEND CMAKE_INSTALL_RPATH ${LLVM_LIBRARY_DIR})
  target_link_libraries(llcuda_mlir INTERFACE ${LLVM_LIBRARY_DIR}/libMLIR.so ${LLVM_LIBRARY_DIR}/libLLVM.so)
endif()

# The headers that nearly every source of these rooms reads first, compiled once for all of them.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/mlir_headers.cpp CONTENT "\n")
add_library(llcuda_mlir_headers OBJECT ${PROJECT_BINARY_DIR}/mlir_headers.cpp)
target_link_libraries(llcuda_mlir_headers PRIVATE llcuda_mlir)
target_precompile_headers(llcuda_mlir_headers PRIVATE
  <mlir/Dialect/Func/IR/FuncOps.h> <mlir/IR/ImplicitLocOpBuilder.h> <mlir/Pass/Pass.h>)

# llcuda_mlir_library(name SOURCES... [LINK libs...]): a library of a room that sees MLIR.
function(llcuda_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  llcuda_library(${name} ${ARG_UNPARSED_ARGUMENTS} LINK ${ARG_LINK} llcuda_mlir)
  target_precompile_headers(${name} REUSE_FROM llcuda_mlir_headers)
endfunction()

# llcuda_pass(Name): TableGen of a pass, in this folder or in the folder Name of it, Name.td to Name.h.inc by the target
# llcuda_Name_tablegen; and a place in llcuda-opt.
function(llcuda_pass name)
  set(stem ${name})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.td)
    set(stem ${name}/${name})
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${name})
  endif()
  set(LLVM_TARGET_DEFINITIONS ${stem}.td)
  mlir_tablegen(${stem}.h.inc -gen-pass-decls -name ${name})
  add_public_tablegen_target(llcuda_${name}_tablegen)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY LLCUDA_PASSES ${folder}/${stem}.h)
endfunction()
