# embed_profiles(FOLDER OUTPUT)
#
# Writes OUTPUT, a source file that defines builtin_profiles() (profile.hpp): the text of every FOLDER/*.toml, sorted by
# file name. A profile that is added, changed or removed makes CMake run again; OUTPUT is touched only where it differs.
function(embed_profiles folder output)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.toml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  # Sorted without ".toml": "a" comes before "a-b", but "a.toml" after "a-b.toml".
  list(TRANSFORM files REPLACE "^.*/([^/]+)\\.toml$" "\\1" OUTPUT_VARIABLE names)
  list(SORT names)
  set(entries "")
  foreach(name IN LISTS names)
    file(READ ${folder}/${name}.toml text)
    string(APPEND entries "    {\"${name}\", R\"spanker_toml(${text})spanker_toml\"},\n")
  endforeach()
  string(CONCAT source
    "#include <array>\n\n#include \"spanker/cluster/profile.hpp\"\n\n"
    "namespace spanker {\nnamespace {\n\n"
    "constexpr auto kProfiles = std::to_array<BuiltinProfile>({\n${entries}});\n\n"
    "}  // namespace\n\n"
    "std::span<const BuiltinProfile> builtin_profiles() { return kProfiles; }\n\n"
    "}  // namespace spanker\n")
  file(GENERATE OUTPUT ${output} CONTENT "${source}")
endfunction()
