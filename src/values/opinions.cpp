#include "valence/values/opinions.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "opinions_read.h"
#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/stats/distribution.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr double kSlack = 0.02;  // published distributions are rounded
constexpr std::string_view kKind = "distributions";

Result<void> check_shares(const OpinionRecord& record) {
  if (record.options.size() != record.share.size()) {
    return fail(ErrorCode::kUsage, "{}: {} options and {} shares", record.where, record.options.size(),
                record.share.size());
  }
  const std::set<std::string> distinct(record.options.begin(), record.options.end());
  if (distinct.size() != record.options.size())
    return fail(ErrorCode::kUsage, "{}: an option stands twice", record.where);
  const auto negative = std::find_if_not(record.share.begin(), record.share.end(), [](double x) { return x >= 0.0; });
  if (negative != record.share.end())
    return fail(ErrorCode::kUsage, "{}: a share should be at least 0, got {}", record.where, *negative);
  const double sum = stats::pairwise_sum(record.share);
  if (std::abs(sum - 1.0) <= kSlack) return {};
  return fail(ErrorCode::kUsage, "{}: shares should sum to 1 within {}, got {}", record.where, kSlack,
              significant(sum));
}

/// The question without the options that are no opinion.
Result<OpinionQuestion> question_of(const OpinionRecord& record, const std::vector<std::string>& drop) {
  VALENCE_CHECK(check_shares(record));
  OpinionQuestion question{record.question, {}, {}, 0.0};
  for (std::size_t i = 0; i < record.options.size(); ++i) {
    if (std::find(drop.begin(), drop.end(), record.options[i]) != drop.end()) {
      question.dropped += record.share[i];
    } else {
      question.options.push_back(record.options[i]);
      question.share.push_back(record.share[i]);
    }
  }
  auto whole = stats::normalise(question.share);
  if (!whole)
    return fail(ErrorCode::kUsage, "{}: nothing is left of this question without {}", record.where, join(drop, ", "));
  question.share = *std::move(whole);
  return question;
}

Result<void> check_dropped(const std::vector<OpinionRecord>& records, const OpinionOptions& options,
                           const std::string& file) {
  for (const auto& name : options.drop) {
    const bool known = std::any_of(records.begin(), records.end(), [&](const OpinionRecord& record) {
      return record.group == options.group &&
             std::find(record.options.begin(), record.options.end(), name) != record.options.end();
    });
    if (!known)
      return fail(ErrorCode::kUsage, "{}: no question of {} has the option \"{}\" to drop", file, options.group,
                  printable(name));
  }
  return {};
}

tl::unexpected<Error> no_such_group(const std::vector<OpinionRecord>& records, const std::string& group,
                                    const std::string& file) {
  std::set<std::string> groups;
  for (const auto& record : records) groups.insert(record.group);
  const std::vector<std::string> names(groups.begin(), groups.end());
  const auto near = nearest(group, names);
  return fail(ErrorCode::kUsage, "{}: no answers of \"{}\"; {}", file, printable(group),
              near.empty() ? "there are: " + join(names, ", ") : "did you mean \"" + near + "\"?");
}

Result<OpinionQuestion> kept_question(const Node& node) {
  VALENCE_CHECK(node.allow_only({"question", "options", "share", "dropped"}));
  OpinionRecord record;
  record.where = to_string(node.position());
  VALENCE_TRY(record.question, node.string_at("question"));
  VALENCE_TRY(const auto options, node.at("options"));
  VALENCE_TRY(record.options, options.as_strings());
  VALENCE_TRY(const auto share, node.at("share"));
  VALENCE_TRY(record.share, share.as_numbers());
  VALENCE_TRY(auto question, question_of(record, {}));
  VALENCE_TRY(question.dropped, node.number_or("dropped", 0.0));
  return question;
}

const OpinionQuestion* same_question(const OpinionTarget& target, const OpinionQuestion& wanted) {
  const auto found =
      std::find_if(target.questions.begin(), target.questions.end(), [&](const OpinionQuestion& question) {
        return question.question == wanted.question && question.options == wanted.options;
      });
  return found == target.questions.end() ? nullptr : &*found;
}

}  // namespace

std::string OpinionQuestion::id() const {
  constexpr std::size_t kDigits = 8;
  Hasher hasher;
  hasher.add(question);
  for (const auto& option : options) hasher.add(option);
  return "q-" + hasher.finish().hex().substr(0, kDigits);
}

Result<OpinionTarget> import_opinions(const std::filesystem::path& file, const OpinionOptions& options) {
  VALENCE_TRY(const auto records, read_opinion_records(file));
  VALENCE_CHECK(check_dropped(records, options, file.string()));
  OpinionTarget target;
  target.group = options.group;
  target.ordered = options.ordered;
  std::set<std::string> seen;
  for (const auto& record : records) {
    if (record.group != options.group) continue;
    if (!seen.insert(record.question).second)
      return fail(ErrorCode::kUsage, "{}: this question of {} stands a second time", record.where, record.group);
    VALENCE_TRY(auto question, question_of(record, options.drop));
    target.questions.push_back(std::move(question));
  }
  if (target.questions.empty()) return no_such_group(records, options.group, file.string());
  return target;
}

Json to_json(const OpinionTarget& target) {
  Json json = {{"kind", kKind},
               {"id", target.id},
               {"label", target.label},
               {"group", target.group},
               {"ordered", target.ordered}};
  json["provenance"] = {{"citation", target.provenance.citation},
                        {"licence", target.provenance.licence},
                        {"note", target.provenance.note}};
  json["questions"] = Json::array();
  for (const auto& question : target.questions) {
    json["questions"].push_back({{"question", question.question},
                                 {"options", question.options},
                                 {"share", question.share},
                                 {"dropped", question.dropped}});
  }
  return json;
}

Result<OpinionTarget> read_opinion_target(const std::filesystem::path& file) {
  VALENCE_TRY(const auto text, read_file(file));
  VALENCE_TRY(const auto node, parse_json_node(text, file.string()));
  VALENCE_TRY(const auto kind, node.string_at("kind"));
  if (kind != kKind)
    return tl::unexpected(
        node.find("kind")->error(fmt::format("\"kind\" should be \"{}\", got \"{}\"", kKind, printable(kind))));
  VALENCE_CHECK(node.allow_only({"kind", "id", "label", "group", "ordered", "provenance", "questions"}));
  OpinionTarget target;
  VALENCE_TRY(target.id, node.string_at("id"));
  VALENCE_TRY(target.label, node.string_at("label"));
  VALENCE_TRY(target.group, node.string_at("group"));
  VALENCE_TRY(target.ordered, node.bool_or("ordered", false));
  VALENCE_TRY(target.provenance, source_at(node, "provenance"));
  VALENCE_TRY(const auto list, node.at("questions"));
  VALENCE_TRY(const auto questions, list.as_array());
  for (const auto& entry : questions) {
    VALENCE_TRY(auto question, kept_question(entry));
    target.questions.push_back(std::move(question));
  }
  return target;
}

Result<OpinionGap> opinion_gap(const OpinionTarget& first, const OpinionTarget& second) {
  std::vector<DistributionPair> pairs;
  for (const auto& question : first.questions) {
    const auto* other = same_question(second, question);
    if (other != nullptr) pairs.push_back({question.share, other->share, first.ordered && second.ordered});
  }
  if (pairs.empty())
    return fail(ErrorCode::kUsage, "{} and {} share no question with the same options", first.id, second.id);
  OpinionGap result;
  VALENCE_TRY(result.gap, distribution_gap(pairs));
  result.only_first = first.questions.size() - pairs.size();
  result.only_second = second.questions.size() - pairs.size();
  return result;
}

}  // namespace valence
