# Writes OUTPUT, the definition of tarn::kCommit, if it changed. Run with cmake -P, with SOURCE_DIR. $TARN_COMMIT says which
# commit this is where git cannot, as in the build of an image.
set(commit "unknown")
if(DEFINED ENV{TARN_COMMIT})
  set(commit "$ENV{TARN_COMMIT}")
elseif(EXISTS "${SOURCE_DIR}/.git")
  execute_process(
    COMMAND git describe --always --dirty --tags
    WORKING_DIRECTORY "${SOURCE_DIR}"
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit "${described}")
  endif()
endif()
set(text "#include \"tarn_version.h\"\n\nnamespace tarn {\n\nconst char* const kCommit = \"${commit}\";\n\n}\n")
set(old "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" old)
endif()
if(NOT text STREQUAL old)
  file(WRITE "${OUTPUT}" "${text}")
endif()
