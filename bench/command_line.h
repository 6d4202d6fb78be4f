#pragma once

#include <CLI/CLI.hpp>

namespace valence {

/// Reads the command line; prints help, or what is wrong with it, and ends the program with status 0 or 2.
inline void parse_or_exit(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stopped) {
    std::exit(app.exit(stopped) == 0 ? 0 : 2);
  }
}

}  // namespace valence
