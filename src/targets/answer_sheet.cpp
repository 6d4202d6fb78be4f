#include "valence/targets/answer_sheet.h"

#include <algorithm>
#include <istream>
#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// A whole answer of the scale, or nothing.
std::optional<int> answer_of(std::string_view text, const Questionnaire& questionnaire) {
  for (int answer = questionnaire.from; answer <= questionnaire.to; ++answer) {
    if (text == std::to_string(answer)) return answer;
  }
  return std::nullopt;
}

Result<AnswerSheet::Entry> entry_of(const Node& node, const Questionnaire& questionnaire) {
  if (std::holds_alternative<std::monostate>(node.value())) return AnswerSheet::Entry{true, std::nullopt};
  VALENCE_TRY(const auto number, node.as_integer());
  if (number >= questionnaire.from && number <= questionnaire.to)
    return AnswerSheet::Entry{true, static_cast<int>(number)};
  return tl::unexpected(node.error(fmt::format("an answer should be a whole number from {} to {}, or null, got {}",
                                               questionnaire.from, questionnaire.to, number)));
}

Result<AnswerSheet> sheet_of(const Node& node, const Questionnaire& questionnaire) {
  VALENCE_CHECK(node.allow_only({"questionnaire", "answers"}));
  VALENCE_TRY(const auto name, node.string_at("questionnaire"));
  if (name != questionnaire.id) {
    return tl::unexpected(
        node.find("questionnaire")
            ->error(fmt::format("these are answers to {}, not to {}; keep them apart with another --answers",
                                printable(name), questionnaire.id)));
  }
  VALENCE_TRY(const auto answers, node.at("answers"));
  VALENCE_TRY(const auto table, answers.as_table());
  AnswerSheet sheet{questionnaire.id, std::vector<AnswerSheet::Entry>(questionnaire.items.size())};
  for (const auto& [key, value] : table) {
    const auto item = std::find_if(questionnaire.items.begin(), questionnaire.items.end(),
                                   [&id = key](const auto& i) { return i.id == id; });
    if (item == questionnaire.items.end())
      return tl::unexpected(value.error(fmt::format("{} has no item \"{}\"", questionnaire.id, printable(key))));
    VALENCE_TRY(sheet.entries[static_cast<std::size_t>(item - questionnaire.items.begin())],
                entry_of(value, questionnaire));
  }
  return sheet;
}

std::string scale_text(const Questionnaire& questionnaire) {
  std::string text;
  for (std::size_t i = 0; i < questionnaire.labels.size(); ++i) {
    text += fmt::format("   {}  {}\n", questionnaire.from + static_cast<int>(i), questionnaire.labels[i]);
  }
  return text;
}

std::string intro(const Questionnaire& questionnaire, const AnswerSheet& sheet) {
  const auto standing = sheet.seen() == 0
                            ? std::string()
                            : fmt::format("{} of {} were put to you before.\n", sheet.seen(), sheet.entries.size());
  return fmt::format(
      "{}\nHow much is each statement like you?\n{}   -  skip   b  back   q  stop (answers are kept)\n{}",
      questionnaire.title, scale_text(questionnaire), standing);
}

std::string hint(const Questionnaire& questionnaire) {
  return fmt::format("   please answer with a whole number from {} to {}, - to skip, b to go back, q to stop\n",
                     questionnaire.from, questionnaire.to);
}

std::size_t next_unseen(const AnswerSheet& sheet) {
  const auto found =
      std::find_if(sheet.entries.begin(), sheet.entries.end(), [](const auto& entry) { return !entry.seen; });
  return static_cast<std::size_t>(found - sheet.entries.begin());
}

/// What a line of the person's means for the item at `at`: false when it means nothing.
bool take_line(const std::string& line, const Questionnaire& questionnaire, AnswerSheet& sheet, std::size_t at) {
  if (line == "b") {
    sheet.entries[at > 0 ? at - 1 : 0] = {};
    return true;
  }
  const auto answer = answer_of(line, questionnaire);
  if (!answer && line != "-") return false;
  sheet.entries[at] = {true, answer};
  return true;
}

}  // namespace

std::size_t AnswerSheet::seen() const {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(), [](const Entry& entry) { return entry.seen; }));
}

std::size_t AnswerSheet::answered() const {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(), [](const Entry& entry) { return entry.answer.has_value(); }));
}

std::vector<double> AnswerSheet::answers() const {
  std::vector<double> answers;
  for (const auto& entry : entries)
    answers.push_back(entry.answer ? *entry.answer : std::numeric_limits<double>::quiet_NaN());
  return answers;
}

Result<AnswerSheet> open_sheet(const std::filesystem::path& file, const Questionnaire& questionnaire) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    return AnswerSheet{questionnaire.id, std::vector<AnswerSheet::Entry>(questionnaire.items.size())};
  VALENCE_TRY(const auto text, read_file(file));
  VALENCE_TRY(const auto node, parse_json_node(text, file.string()));
  return sheet_of(node, questionnaire);
}

Result<void> save_sheet(const std::filesystem::path& file, const AnswerSheet& sheet,
                        const Questionnaire& questionnaire) {
  Json answers = Json::object();
  for (std::size_t i = 0; i < sheet.entries.size(); ++i) {
    const auto& entry = sheet.entries[i];
    if (entry.seen) answers[questionnaire.items[i].id] = entry.answer ? Json(*entry.answer) : Json(nullptr);
  }
  return write_file(file, to_text({{"questionnaire", sheet.questionnaire}, {"answers", answers}}, 1) + "\n");
}

Result<void> ask_items(const Questionnaire& questionnaire, AnswerSheet& sheet, const std::filesystem::path& file,
                       std::istream& in, std::ostream& out) {
  out << intro(questionnaire, sheet);
  std::string line;
  while (!sheet.complete()) {
    const auto at = next_unseen(sheet);
    out << fmt::format("\n{}/{}  {}\n> ", at + 1, sheet.entries.size(), questionnaire.items[at].text) << std::flush;
    if (!std::getline(in, line)) break;
    line = trim(line);
    if (line == "q") break;
    if (!take_line(line, questionnaire, sheet, at)) {
      out << hint(questionnaire);
      continue;
    }
    VALENCE_CHECK(save_sheet(file, sheet, questionnaire));
  }
  out << "\n";
  return {};
}

}  // namespace valence
