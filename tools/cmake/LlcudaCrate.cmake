# SPDX-License-Identifier: Apache-2.0
# Crates of Rust that are linked as static libraries.

find_program(LLCUDA_CARGO cargo HINTS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin)
if(NOT LLCUDA_CARGO)
  message(FATAL_ERROR "cargo is missing: install Rust, or Debian's cargo-web, and configure again")
endif()
set(LLCUDA_CARGO_TARGET ${PROJECT_SOURCE_DIR}/build/cargo CACHE PATH "Where cargo builds the crates")

# llcuda_crate(target FOLDER TARGET_FOLDER LIBRARY): the imported static library `target`, built by cargo whenever a
# file of the crate changes; in TARGET_FOLDER for all presets, since it is the same in each. `<target>_crate` builds it.
# Paths of the building machine are kept out of the library.
function(llcuda_crate target folder target_folder library)
  set(path ${target_folder}/release/${library})
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/src/*.rs)
  set(flags "--remap-path-prefix=${folder}=${name} --remap-path-prefix=$ENV{HOME}/.cargo=cargo")
  add_custom_command(
    OUTPUT ${path}
    COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${target_folder} "RUSTFLAGS=${flags}"
            ${LLCUDA_CARGO} build --release --locked --quiet --manifest-path ${folder}/Cargo.toml
    COMMAND ${CMAKE_COMMAND} -E touch ${path}
    DEPENDS ${sources} ${folder}/Cargo.toml ${folder}/Cargo.lock
    COMMENT "Building ${library} (cargo)"
    VERBATIM)
  add_custom_target(${target}_crate DEPENDS ${path})
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${path})
  add_dependencies(${target} ${target}_crate)
endfunction()
