#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/instruments/questionnaire.h"

namespace valence {

/// One person's answers to a questionnaire, kept in a file while they are being given.
struct AnswerSheet {
  struct Entry {
    bool seen = false;          ///< the item was put to the person
    std::optional<int> answer;  ///< nothing = skipped
  };
  std::string questionnaire;
  std::vector<Entry> entries;  ///< one per item

  std::size_t seen() const;
  std::size_t answered() const;
  bool complete() const { return seen() == entries.size(); }
  std::vector<double> answers() const;  ///< NaN = none
};

/// The sheet in a file (JSON; docs/formats.md, "Answer sheets"); a blank one when there is no file. Fails with kUsage
/// on a sheet of another questionnaire and on an answer outside its scale.
Result<AnswerSheet> open_sheet(const std::filesystem::path& file, const Questionnaire& questionnaire);
Result<void> save_sheet(const std::filesystem::path& file, const AnswerSheet& sheet,
                        const Questionnaire& questionnaire);

/// Puts the items that have not been seen, one at a time, and saves the sheet after each: a number of the scale, "-" to
/// skip, "b" to go back, "q" or the end of the input to stop. Anything else is asked again. Stopping is no error:
/// look at complete().
Result<void> ask_items(const Questionnaire& questionnaire, AnswerSheet& sheet, const std::filesystem::path& file,
                       std::istream& in, std::ostream& out);

}  // namespace valence
