#include "scripted_canned.h"

#include <map>

#include "scripted_choice.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/random.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using Replies = std::map<std::string, std::vector<std::string>>;

Result<Replies> read_replies(const std::filesystem::path& file) {
  VALENCE_TRY(const auto lines, read_jsonl(file));
  Replies replies;
  for (const auto& line : lines) {
    VALENCE_TRY(const auto prompt, line.string_at("prompt"));
    VALENCE_TRY(auto response, line.string_at("response"));
    replies[trim(prompt)].push_back(std::move(response));
  }
  return replies;
}

class Canned final : public ScriptedBehaviour {
 public:
  explicit Canned(Replies replies) : replies_(std::move(replies)) {}

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    return std::vector<double>(choice.labels.size(), 1.0 / static_cast<double>(choice.labels.size()));
  }

  std::string reply(const Conversation& conversation, std::uint64_t seed) const override {
    const auto found = replies_.find(trim(last_user_turn(conversation)));
    if (found == replies_.end()) return "";
    return found->second[RandomStream(seed, "canned reply").below(found->second.size())];
  }

 private:
  Replies replies_;
};

}  // namespace

Result<std::shared_ptr<const ScriptedBehaviour>> canned_behaviour(const std::filesystem::path& file) {
  if (file.empty()) return fail(ErrorCode::kUsage, "name the file of replies: scripted:canned?file=replies.jsonl");
  VALENCE_TRY(auto replies, read_replies(file));
  return std::make_shared<Canned>(std::move(replies));
}

}  // namespace valence
