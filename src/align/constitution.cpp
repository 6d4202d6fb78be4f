#include "valence/align/constitution.h"

#include <set>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/random.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kFile = "align/constitution.toml";

Result<std::string> form_at(const Node& forms, std::string_view key, std::initializer_list<std::string_view> places) {
  VALENCE_TRY(auto form, forms.string_at(key));
  for (const auto place : places) {
    if (form.find(fmt::format("{{{}}}", place)) == std::string::npos) {
      return tl::unexpected(forms.find(key)->error(fmt::format("\"{}\" should contain {{{}}}", key, place)));
    }
  }
  return form;
}

Result<void> read_forms(const Node& root, Constitution& constitution) {
  VALENCE_TRY(const auto forms, root.at("forms"));
  VALENCE_CHECK(forms.allow_only({"critique", "revision", "preference", "option_line", "preference_prefix"}));
  VALENCE_TRY(constitution.critique, form_at(forms, "critique", {"principle"}));
  VALENCE_TRY(constitution.revision, form_at(forms, "revision", {"principle"}));
  VALENCE_TRY(constitution.preference,
              form_at(forms, "preference", {"principle", "conversation", "options", "labels"}));
  VALENCE_TRY(constitution.option_line, form_at(forms, "option_line", {"label", "option"}));
  VALENCE_TRY(constitution.preference_prefix, forms.string_or("preference_prefix", ""));
  return {};
}

Result<void> read_principles(const Node& root, Constitution& constitution) {
  VALENCE_TRY(const auto node, root.at("principle"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::set<std::string> ids;
  for (const auto& entry : entries) {
    VALENCE_CHECK(entry.allow_only({"id", "text"}));
    Principle principle;
    VALENCE_TRY(principle.id, entry.string_at("id"));
    VALENCE_TRY(principle.text, entry.string_at("text"));
    if (!ids.insert(principle.id).second)
      return tl::unexpected(entry.error(fmt::format("there is another principle \"{}\"", principle.id)));
    constitution.principles.push_back(std::move(principle));
  }
  if (!constitution.principles.empty()) return {};
  return tl::unexpected(node.error("a constitution needs at least one principle"));
}

}  // namespace

const Principle& Constitution::drawn(std::uint64_t seed, std::string_view prompt, std::size_t round) const {
  RandomStream stream(seed, fmt::format("constitution.{}", prompt), round);
  return principles[stream.below(principles.size())];
}

Result<Constitution> load_constitution(const std::string& name_or_path) {
  std::filesystem::path file = name_or_path;
  if (name_or_path.empty()) {
    VALENCE_TRY(const auto folder, data_folder());
    file = folder / kFile;
  }
  VALENCE_TRY(const auto root, read_toml(file));
  VALENCE_CHECK(root.allow_only({"forms", "principle"}));
  Constitution constitution;
  VALENCE_CHECK(read_forms(root, constitution));
  VALENCE_CHECK(read_principles(root, constitution));
  return constitution;
}

}  // namespace valence
