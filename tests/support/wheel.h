#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace valence::testing {

using WheelFiles = std::vector<std::pair<std::string, std::string>>;  ///< path inside → content

/// A zip archive whose members are stored as they are.
inline std::string stored_zip(const WheelFiles& files) {
  const auto put = [](std::string& bytes, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  };
  const auto crc32 = [](std::string_view bytes) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : bytes) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    return ~crc;
  };
  std::string bytes, directory;
  for (const auto& [name, content] : files) {
    std::string common;  // shared by the local and the central header
    put(common, 20, 2), put(common, 0, 2), put(common, 0, 2);
    put(common, 0, 2), put(common, 0x21, 2);  // 1980-01-01
    put(common, crc32(content), 4), put(common, content.size(), 4), put(common, content.size(), 4);
    put(common, name.size(), 2), put(common, 0, 2);
    put(directory, 0x02014B50, 4), put(directory, 20, 2);
    directory += common;
    put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 2);
    put(directory, std::uint64_t{0100644} << 16, 4), put(directory, bytes.size(), 4);
    directory += name;
    put(bytes, 0x04034B50, 4);
    bytes += common + name + content;
  }
  const auto start = bytes.size();
  bytes += directory;
  put(bytes, 0x06054B50, 4), put(bytes, 0, 4), put(bytes, files.size(), 2), put(bytes, files.size(), 2);
  put(bytes, directory.size(), 4), put(bytes, start, 4), put(bytes, 0, 2);
  return bytes;
}

/// A wheel that pip can "download" from a local folder (PIP_FIND_LINKS).
inline void make_wheel(const std::filesystem::path& folder, const std::string& name, const std::string& version,
                       WheelFiles files) {
  const auto info = name + "-" + version + ".dist-info/";
  files.emplace_back(info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n");
  files.emplace_back(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  files.emplace_back(info + "RECORD", "");
  std::filesystem::create_directories(folder);
  const auto zip = stored_zip(files);
  std::ofstream(folder / (name + "-" + version + "-py3-none-any.whl"), std::ios::binary)
      .write(zip.data(), static_cast<std::streamsize>(zip.size()));
}

/// A folder for the front of PATH whose `python3 -m pip download` copies wheels from `index` (pip itself takes a second);
/// everything else goes to the real python3.
inline void make_stub_pip(const std::filesystem::path& folder, const std::filesystem::path& index) {
  std::filesystem::create_directories(folder);
  const auto script = folder / "python3";
  std::ofstream(script) << "#!/bin/sh\n"
                        << "PATH=${PATH#*:}\n"
                        << "[ \"$2\" = pip ] || exec python3 \"$@\"\n"
                        << "while [ $# -gt 2 ]; do [ \"$1\" = -d ] && target=$2; shift; done\n"
                        << "mkdir -p \"$target\"\n"
                        << "cp " << index << "/$(echo \"${2%%=*}\" | tr - _)-*.whl \"$target\"\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
}

}  // namespace valence::testing
