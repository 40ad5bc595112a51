// Stands in for libFuzzer where the compiler has none: runs each file named, or in a directory
// named, once.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void RunOne(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

int RunAll(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    RunOne(path);
    return 1;
  }
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    RunOne(file.path());
    ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i) count += RunAll(argv[i]);
  std::cout << count << " inputs\n";
  return count > 0 ? 0 : 1;  // a corpus that went missing must not pass
}
